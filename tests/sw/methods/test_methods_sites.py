# SPDX-License-Identifier: Apache-2.0
"""What each method does at one layer, against closed forms.

Shares and means of n draws are held to five standard deviations of their binomial or normal
distribution; the seeds are fixed, so a test passes always or never.
"""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn

from scaledrop.energy.network_figures import figures_of
from scaledrop.errors import UserError
from scaledrop.graph import Kind, Layer, Window
from scaledrop.methods import MethodNet, Site
from scaledrop.methods.affine_dropout import AffineDropout
from scaledrop.methods.dropblock import DropBlock, seed_probability
from scaledrop.methods.gaussian_dropout import GaussianDropout
from scaledrop.methods.mc_dropout import InputDropout
from scaledrop.methods.residual import BRANCHES, residual_run
from scaledrop.methods.spatial_spindrop import MapDropout
from scaledrop.methods.spindrop import NeuronDropout
from scaledrop.methods.stochastic_depth import BranchDropout, drop_probability
from scaledrop.nn import BinaryConv2d, NetworkConfig
from scaledrop.nn.seeds import stream
from scaledrop.training import TrainConfig

P = 0.2
DENSE, CONV = Layer("dense", 3), Layer("conv", 3, Window(3, padding=1))
MAPS = (3, 6, 7)


def ready(site: Site, seed: int = 0) -> Site:
    """In evaluation, drawing."""
    site.generator, site.sampling = stream(seed, 0), True
    return site.eval()


def close_share(found: Tensor | float, share: float, n: int) -> bool:
    return abs(float(found) - share) < 5 * math.sqrt(share * (1 - share) / n)


def test_inverted_dropout_keeps_the_mean_and_has_its_variance() -> None:
    site, n = ready(InputDropout(DENSE, (3,), P)), 40_000
    h = torch.tensor([1.0, -3.0, 2.0])
    drawn = site.inputs(h.expand(n, 3)).double()
    for column, value in zip(drawn.T, h.tolist(), strict=True):
        assert sorted(column.unique().tolist()) == pytest.approx(sorted([0.0, value / (1 - P)]))
        variance = value**2 * P / (1 - P)
        assert abs(column.mean() - value) < 5 * math.sqrt(variance / n)
        # With a kept share q the variance is (value / (1 - P))^2 q (1 - q), of slope 1 - 2 q.
        slope = (value / (1 - P)) ** 2 * (1 - 2 * P)
        assert abs(column.var() - variance) < 5 * slope * math.sqrt(P * (1 - P) / n)
    both = (drawn[:, 0] == 0) & (drawn[:, 1] == 0)
    assert close_share(both.double().mean(), P**2, n)


def test_spindrop_zeroes_neurons_one_by_one_without_rescaling() -> None:
    site, n = ready(NeuronDropout(CONV, MAPS, P)), 400
    a = -torch.ones(n, *MAPS)
    drawn = site.outputs(a)
    assert set(drawn.unique().tolist()) == {-1.0, 0.0}
    dropped = (drawn == 0).double()
    assert close_share(dropped.mean(), P, dropped.numel())
    # Neighbours, maps and samples are independent.
    for one, two in (
        (dropped[..., :-1], dropped[..., 1:]),
        (dropped[:, :-1], dropped[:, 1:]),
        (dropped[:-1], dropped[1:]),
    ):
        assert close_share((one * two).mean(), P**2, one.numel() // 2)


def test_spatial_spindrop_has_one_bit_a_map_and_sample() -> None:
    site, n = ready(MapDropout(CONV, MAPS, P)), 4000
    drawn = site.outputs(torch.ones(n, *MAPS))
    flat = drawn.flatten(2)
    assert (flat == flat[..., :1]).all() and set(flat.unique().tolist()) == {0.0, 1.0}
    bits = flat[..., 0]
    assert close_share((bits == 0).double().mean(), P, bits.numel())
    assert close_share((bits.sum(dim=1) == 0).double().mean(), P**3, n)
    dense = ready(MapDropout(DENSE, (3,), P)).outputs(torch.ones(n, 3))
    assert torch.equal(dense, bits)


def affine(shape: tuple[int, ...], p: float, unit: float = 2.0) -> AffineDropout:
    layer = CONV if len(shape) == 3 else DENSE
    site = AffineDropout(layer, shape, p, unit, 0.5, stream(1, 0))
    ready(site)
    return site


@pytest.mark.parametrize("shape", [(3,), MAPS])
def test_affine_dropout_has_two_bits_a_sample(shape: tuple[int, ...]) -> None:
    site, n = affine(shape, 0.4), 3000
    s = torch.randn(n, *shape, generator=stream(2, 0))
    y = site.sums(s)
    gamma, beta = site.alpha.reshape(1, 3, 1), 2.0 * site.beta.reshape(1, 3, 1)
    assert (gamma != 1).all() and (beta != 0).all()
    flat, found, seen = s.reshape(n, 3, -1), y.reshape(n, 3, -1), torch.zeros(n, 4)
    cases = [flat * gamma + beta, flat + beta, flat * gamma, flat]
    for index, expected in enumerate(cases):
        norm = expected / math.sqrt(1 + site.norm.eps)
        seen[:, index] = (found - norm).abs().flatten(1).amax(dim=1) < 1e-5
    assert (seen.sum(dim=1) == 1).all()
    for index, share in enumerate((0.36, 0.24, 0.24, 0.16)):
        assert close_share(seen[:, index].mean(), share, n)


def test_affine_dropout_of_both_is_plain_normalisation() -> None:
    site = affine((3,), 0.5)
    site.p = 1.0
    site.train()
    s = torch.randn(64, 3, generator=stream(3, 0)) * 7 + 2
    plain = nn.functional.batch_norm(s, None, None, training=True)
    torch.testing.assert_close(site.sums(s), plain)
    assert not list(site.norm.parameters())


def test_the_seeds_of_dropblock() -> None:
    assert seed_probability((6, 28, 28), 0.1, 5) == pytest.approx(0.1 / 25 * 784 / 576)
    assert seed_probability((6, 6, 7), 0.1, 3) == pytest.approx(0.1 / 9 * 42 / 20)
    # A block as large as the map drops it as a whole, with the probability that was asked for.
    assert seed_probability((6, 4, 4), 0.1, 5) == pytest.approx(0.1)
    assert seed_probability((120,), 0.1, 5) == pytest.approx(0.1)


def test_the_dropped_share_of_dropblock() -> None:
    site, n = DropBlock(CONV, MAPS, P, block=3), 3000
    ready(site)
    dropped = 1 - site.blocks(n)
    assert dropped.shape == (n, *MAPS) and set(dropped.unique().tolist()) == {0.0, 1.0}
    shares = dropped.double().mean(dim=(0, 1))

    def covering(at: int, places: int) -> int:
        return min(at, places - 1) - max(at - 2, 0) + 1

    for y in range(6):
        for x in range(7):
            blocks = covering(y, 4) * covering(x, 5)
            assert close_share(shares[y, x], 1 - (1 - site.gamma) ** blocks, n * 3)


def test_dropblock_drops_whole_blocks_and_rescales_each_sample() -> None:
    site, n = DropBlock(CONV, MAPS, P, block=3), 200
    ready(site)
    y = site.outputs(torch.ones(n, *MAPS))
    zero = (y == 0).float()
    whole = -nn.functional.max_pool2d(-zero, 3, stride=1)
    grown = nn.functional.max_pool2d(nn.functional.pad(whole, [2] * 4), 3, stride=1)
    assert torch.equal(grown, zero)
    some = y.flatten(1).sum(dim=1) > 0
    sums = y[some].flatten(1).sum(dim=1)
    torch.testing.assert_close(sums, torch.full_like(sums, math.prod(MAPS)))
    assert all(len(sample[sample > 0].unique()) == 1 for sample in y[some])
    assert len(y.amax(dim=(1, 2, 3)).unique()) > 10


def test_dropblock_of_a_sample_without_rest_is_zero() -> None:
    site = DropBlock(DENSE, (3,), 0.9)
    ready(site)
    y = site.outputs(torch.ones(500, 3))
    assert y.isfinite().all() and (y.sum(dim=1) == 0).any()


def test_the_linear_rule() -> None:
    assert [drop_probability(block, 4, 0.4) for block in (1, 2, 3, 4)] == pytest.approx(
        [0.1, 0.2, 0.3, 0.4]
    )


def test_a_dropped_branch_is_dropped_whole_sample_by_sample() -> None:
    site, n = ready(BranchDropout(CONV, MAPS, P)), 4000
    a = torch.randn(n, *MAPS, generator=stream(4, 0))
    y = site.outputs(a)
    dropped = (y == 0).flatten(1).all(dim=1)
    assert torch.equal(y[~dropped], a[~dropped])
    assert close_share(dropped.double().mean(), P, n)


def test_without_its_branches_a_residual_network_does_not_see_them() -> None:
    run = residual_run(TrainConfig(NetworkConfig("small", (8, 8), 10)))

    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        drops = layer.name in BRANCHES
        return BranchDropout(layer, shape, P) if drops else Site(layer, shape)

    net = MethodNet(run.network, 0, site).eval()
    assert [layer.name for layer in net.graph.layers if layer.output is Kind.STREAM] == [
        "stem",
        *BRANCHES,
    ]
    for _, place in net.layers:
        if isinstance(place, BranchDropout):
            place.p = 1.0
    pixels = torch.randint(0, 17, (20, 8, 8), generator=stream(5, 0))
    before = net.drawn(pixels, stream(6, 0))
    for crossbar, place in net.layers:
        if place.layer.name[:4] == "conv":
            crossbar.weight.data.neg_()
    assert torch.equal(net.drawn(pixels, stream(6, 0)), before)
    net.sample(False)
    assert not torch.equal(net(pixels), before)


def test_gaussian_dropout_sums_the_squares_of_what_drives_a_sum() -> None:
    a = torch.randint(-3, 4, (5, 2, 6, 7), generator=stream(7, 0)).float()
    crossbar = BinaryConv2d(2, 3, 3, padding=1, generator=stream(8, 0))
    squares = nn.functional.conv2d(a.square(), crossbar.binary_weight().abs(), padding=1)
    site = GaussianDropout(CONV, MAPS, 0.1)
    assert torch.equal(site.power(a).expand_as(squares), squares)
    dense = GaussianDropout(DENSE, (3,), 0.1)
    assert torch.equal(dense.power(a)[:, 0], a.square().sum(dim=(1, 2, 3)))


def test_gaussian_dropout_has_the_moments_of_noisy_weights() -> None:
    site, n, fan_in = ready(GaussianDropout(DENSE, (3,), 0.3)), 40_000, 8
    a = torch.randint(-3, 4, (1, fan_in), generator=stream(9, 0)).float()
    assert torch.equal(site.inputs(a.expand(n, fan_in)), a.expand(n, fan_in))
    s = torch.tensor([4.0, -2.0, 0.0])
    y = site.sums(s.expand(n, 3)) * math.sqrt(1 + 1e-5)
    variance = 0.3 * float(a.square().sum())
    assert ((y.mean(dim=0) - s).abs() < 5 * math.sqrt(variance / n)).all()
    assert ((y.var(dim=0) / variance - 1).abs() < 5 * math.sqrt(2 / n)).all()
    correlation = torch.corrcoef(y.T) - torch.eye(3)
    assert (correlation.abs() < 5 / math.sqrt(n)).all()


SITES: dict[str, Site] = {
    "mc-dropout": InputDropout(CONV, MAPS, P),
    "spindrop": NeuronDropout(CONV, MAPS, P),
    "spatial-spindrop": MapDropout(CONV, MAPS, P),
    "affine-dropout": affine(MAPS, P),
    "dropblock": DropBlock(CONV, MAPS, P),
    "stochastic-depth": BranchDropout(CONV, MAPS, P),
    "gaussian-dropout": GaussianDropout(CONV, MAPS, P),
}


def through(site: Site, a: Tensor) -> Tensor:
    return site.outputs(site.sums(site.inputs(a)))


@pytest.mark.parametrize("key", SITES)
def test_evaluation_without_sampling_draws_nothing(key: str) -> None:
    site, a = ready(SITES[key]), torch.randn(9, *MAPS, generator=stream(10, 0))
    drawn, state = through(site, a), site.generator.get_state()
    assert torch.equal(through(ready(site), a), drawn)
    assert not torch.equal(through(ready(site, seed=1), a), drawn)
    ready(site).sampling = False
    still = through(site, a)
    assert not torch.equal(still, drawn) and not torch.equal(site.generator.get_state(), state)
    assert torch.equal(site.generator.get_state(), stream(0, 0).get_state())
    assert torch.equal(through(site, a), still)
    assert not torch.equal(through(site.train(), a), through(site, a))


def test_probabilities_out_of_range_are_refused() -> None:
    for p in (-0.1, 1.0):
        with pytest.raises(UserError) as error:
            NeuronDropout(DENSE, (3,), p)
        assert str(error.value) == f"p: must be 0 to below 1, not {p}; try 0.1"
    with pytest.raises(UserError) as error:
        GaussianDropout(DENSE, (3,), -1.0)
    assert str(error.value) == "alpha: must be 0 or more, not -1.0; try 0.1"


def test_the_residual_run_is_the_same_run() -> None:
    run = TrainConfig(NetworkConfig("lenet5-mnist", (28, 28), 10, "lenet5"), "mnist", epochs=3)
    other = residual_run(run)
    assert dataclasses.replace(other, network=run.network) == run
    assert other.network.name == "lenet5-mnist-residual"
    graph = other.network.graph
    figures = figures_of(graph)
    assert (figures.weights, figures.macs) == (17_256, 667_968)
