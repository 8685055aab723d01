# SPDX-License-Identifier: Apache-2.0
"""BatchNorm statistics estimated again, the variance shift, the spread of scales: known answers."""

from __future__ import annotations

import math

import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.nn import (
    NetworkConfig,
    ScaleDropNet,
    VarianceShift,
    calibrate_norms,
    scale_spread,
    variance_shift,
)

ONE = NetworkConfig("one", (6,), 2, p=0.0)
DEEP = NetworkConfig("deep", (2, 8, 8), 3, "resnet18", (4, 5), p=0.3)


def images(count: int, config: NetworkConfig, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *config.input_shape), generator=generator)


def test_one_batch_without_dropout_gives_its_own_statistics() -> None:
    net = ScaleDropNet(ONE, seed=1).double()
    x = images(40, ONE)
    calibrate_norms(net, x, passes=3, batch_size=40, seed=0)
    block = net.blocks[0]
    shat = block.scale(block.crossbar(x.double()), torch.ones(40))
    torch.testing.assert_close(block.norm.running_mean, shat.mean(dim=0).detach())
    torch.testing.assert_close(block.norm.running_var, shat.var(dim=0).detach())


def test_batches_count_alike_and_a_smaller_last_one_is_left_out() -> None:
    net = ScaleDropNet(ONE, seed=1).double()
    x = images(37, ONE)
    calibrate_norms(net, x, passes=1, batch_size=9, seed=5)
    block, order = net.blocks[0], torch.randperm(37, generator=torch.Generator().manual_seed(5))
    shat = block.scale(block.crossbar(x.double()), torch.ones(37)).detach()
    batches = shat[order[:36]].reshape(4, 9, 2)
    torch.testing.assert_close(block.norm.running_mean, batches.mean(dim=(0, 1)))
    torch.testing.assert_close(block.norm.running_var, batches.var(dim=1).mean(dim=0))
    assert block.norm.num_batches_tracked == 4


def test_nothing_but_the_statistics_changes() -> None:
    net = ScaleDropNet(DEEP, seed=1).eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    stream = net.generator.get_state()
    calibrate_norms(net, images(20, DEEP), passes=2, batch_size=10, seed=0)
    first = {key: value.clone() for key, value in net.state_dict().items()}
    for key, value in first.items():
        statistic = key.rpartition(".")[2] in ("running_mean", "running_var", "num_batches_tracked")
        assert torch.equal(value, before[key]) is not statistic, key
    assert not net.training and all(block.norm.momentum == 0.1 for block in net.blocks)
    assert torch.equal(stream, net.generator.get_state())
    calibrate_norms(net, images(20, DEEP), passes=2, batch_size=10, seed=0)
    assert all(torch.equal(value, first[key]) for key, value in net.state_dict().items())


def test_masks_are_drawn_while_calibrating() -> None:
    def variance(p: float) -> torch.Tensor:
        net = ScaleDropNet(NetworkConfig("one", (6,), 2, p=p, init="ones"), seed=1).double()
        with torch.no_grad():
            net.blocks[0].scale.alpha.fill_(3.0)
        calibrate_norms(net, torch.full((4000, 6), 100), passes=1, batch_size=4000, seed=0)
        s = net.layer_sum("dense0", torch.full((1, 6), 100.0, dtype=torch.float64))
        return (net.blocks[0].norm.running_var / s.square()).detach()

    assert (variance(0.0) == 0).all()
    # shat is s or 3 s with equal probability: variance s**2, known to a few percent of 4000 bits.
    torch.testing.assert_close(variance(0.5), torch.ones(1, 2).double(), atol=0.02, rtol=0)


def shifted(factor: float) -> VarianceShift:
    """One layer whose running variance is ``factor`` times that of the images."""
    net = ScaleDropNet(ONE, seed=1).double()
    x = images(64, ONE)
    calibrate_norms(net, x, passes=1, batch_size=64, seed=0)
    net.blocks[0].norm.running_var.mul_(factor)
    (shift,) = variance_shift(net, x, x, seed=0, batch_size=64)
    return shift


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_a_shift_of_known_size(factor: float) -> None:
    shift = shifted(factor)
    assert shift.layer == "dense0"
    assert shift.train == pytest.approx(1.0, rel=1e-6)
    # The running variance is the unbiased one, and gains of the head have 12 bits.
    assert shift.ratio == pytest.approx(factor * 64 / 63, rel=2e-3)
    assert shift.k == math.sqrt(shift.ratio)


def test_the_network_is_left_as_it_was() -> None:
    net = ScaleDropNet(DEEP, seed=1)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    shifts = variance_shift(net, images(24, DEEP), images(16, DEEP, 1), seed=0, batch_size=8)
    assert [shift.layer for shift in shifts] == [node.name for node in DEEP.graph.layers]
    assert all(shift.train > 0 for shift in shifts)
    assert net.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    again = variance_shift(net, images(24, DEEP), images(16, DEEP, 1), seed=0, batch_size=8)
    assert again == shifts


def test_calibration_lessens_the_shift() -> None:
    net, x = ScaleDropNet(DEEP, seed=1), images(256, DEEP)
    before = variance_shift(net, x, x, seed=0, batch_size=32)
    calibrate_norms(net, x, passes=2, batch_size=32, seed=0)
    after = variance_shift(net, x, x, seed=0, batch_size=32)
    assert max(abs(math.log(shift.k)) for shift in before) > 0.5
    assert max(abs(math.log(shift.k)) for shift in after) < 0.1


def test_no_variance_at_all() -> None:
    assert VarianceShift("a", 0.0, 0.0).ratio == 1.0
    assert VarianceShift("a", 1.0, 0.0).k == math.inf


def test_the_spread_of_scales_is_that_of_the_quantised_ones() -> None:
    net = ScaleDropNet(NetworkConfig("one", (6,), 4), seed=1)
    with torch.no_grad():
        net.blocks[0].scale.alpha.copy_(torch.tensor([0.5, 1.001, 0.999, 1.5]))
    (spread,) = scale_spread(net)
    assert (spread.layer, spread.mean, spread.min, spread.max) == ("dense0", 1.0, 0.5, 1.5)
    assert spread.std == math.sqrt(0.125)


@pytest.mark.parametrize(
    ("passes", "count", "batch_size", "message"),
    [
        (0, 8, 4, "passes: must be 1 or more, not 0; 1 is usual"),
        (1, 8, 1, "batch_size: must be 2 or more, of 2 images or more, not 1 of 8; a variance"),
        (1, 1, 4, "batch_size: must be 2 or more, of 2 images or more, not 4 of 1; a variance"),
    ],
)
def test_wrong_arguments_are_refused(
    passes: int, count: int, batch_size: int, message: str
) -> None:
    net = ScaleDropNet(ONE)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(UserError, match=f"^{message}"):
        calibrate_norms(net, images(count, ONE), passes, batch_size, 0)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    if passes:
        with pytest.raises(UserError, match=f"^{message}"):
            variance_shift(net, images(count, ONE), images(8, ONE), 0, batch_size)
