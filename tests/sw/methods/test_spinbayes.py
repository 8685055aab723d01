# SPDX-License-Identifier: Apache-2.0
"""SpinBayes: what is stored, what is picked, and the mixture that passes sample."""

import math

import numpy as np
import pytest
import torch

from scaledrop.energy.sources import Grain
from scaledrop.methods import METHODS, memory_bits, spinbayes
from scaledrop.methods.gaussian import gaussian_kl
from scaledrop.methods.spinbayes import (
    CROSSBARS,
    SpinBayesNet,
    picked_sums,
    quantised_scales,
)
from scaledrop.nn import BinaryConv2d, BinaryLinear, NetworkConfig

CONFIG = NetworkConfig("t", (6, 6), 3, widths=(12,))


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pixels(count: int, shape: tuple[int, ...] = (6, 6)) -> torch.Tensor:
    return torch.randint(0, 256, (count, *shape), generator=random(4))


def stored(config: NetworkConfig = CONFIG, seed: int = 0) -> SpinBayesNet:
    net = SpinBayesNet(config, seed, images=50, factor=1.0)
    net.store()
    return net.eval()


def test_the_error_of_a_stored_scale_is_half_a_unit_at_most():
    alpha = torch.linspace(-1, 6, 5001, dtype=torch.float64)
    found, unit = quantised_scales(alpha, 8, 6), 2.0**-6
    inside = (alpha >= unit) & (alpha <= 255 * unit)
    assert float((found - alpha)[inside].abs().max()) <= unit / 2
    assert torch.equal(found * 64, (found * 64).round())
    assert (float(found.min()), float(found.max())) == (unit, 255 * unit)


@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_each_image_goes_through_the_crossbar_picked_for_it(kind):
    if kind == "dense":
        crossbar, a = BinaryLinear(9, 5, generator=random()), torch.randn(7, 9, generator=random(1))
    else:
        crossbar = BinaryConv2d(2, 5, 3, padding=1, generator=random())
        a = torch.randn(7, 2, 6, 6, generator=random(1))
    sets = torch.randn(4, *crossbar.weight.shape, generator=random(2)).sign()
    picks = torch.tensor([2, 0, 2, 3, 0, 2, 2])
    found = picked_sums(crossbar, sets, picks, a)
    for row, pick in enumerate(picks):
        with torch.no_grad():
            crossbar.weight.copy_(sets[pick])
        assert torch.allclose(found[row], crossbar(a[row : row + 1])[0], atol=1e-5)


def test_signs_are_stored_as_they_were_sampled():
    net = SpinBayesNet(CONFIG, 0, 50, 1.0)
    net.set_seed(7)
    net.store()
    again = SpinBayesNet(CONFIG, 0, 50, 1.0)
    again.set_seed(7)
    crossbar, site = again.pairs[0]
    assert site.sets.shape == (0,)
    expected = []
    with torch.no_grad():
        samples = [site.sampled_weight(crossbar.weight) for _ in range(CROSSBARS)]
        for sample in samples:
            centred = sample - sample.mean(dim=1, keepdim=True)
            expected.append(torch.where(centred >= 0, 1.0, -1.0))
    assert torch.equal(net.pairs[0][1].sets, torch.stack(expected))


def test_the_stored_signs_and_scales_have_the_moments_of_the_posterior(monkeypatch):
    count = 4000
    monkeypatch.setattr(spinbayes, "CROSSBARS", count)
    net = SpinBayesNet(NetworkConfig("t", (40, 40), 2, widths=()), 0, 50, 1.0)
    crossbar, site = net.pairs[0]
    with torch.no_grad():
        crossbar.weight -= crossbar.weight.mean(dim=1, keepdim=True)
        site.log_std.fill_(math.log(0.2))
    net.store()
    ratio = crossbar.weight.detach() / site.noise.detach().exp()
    expected = torch.erf(ratio / 2**0.5)  # 2 Phi(M / S) - 1
    error = (site.sets.mean(dim=0) - expected).abs()
    bound = 5 / count**0.5
    # The mean of a sampled row is not zero: it moves a sign's probability by 0.4 / sqrt(1600).
    assert float(error.max()) < bound + 0.02
    assert float(error.mean()) < bound / 4
    assert float((site.levels.mean(dim=0) - 1).abs().max()) < 5 * 0.2 / count**0.5
    assert float(site.levels.std(dim=0).mean()) == pytest.approx(0.2, rel=0.05)


def test_passes_sample_the_uniform_mixture_of_the_stored_sets():
    net, image = stored(NetworkConfig("t", (6, 6), 3, widths=())), pixels(1)
    _, site = net.pairs[0]
    with torch.no_grad():
        a, each = image.reshape(1, -1).float(), []
        for signs, levels in zip(site.sets, site.levels, strict=True):
            each.append(site.norm(levels * (a @ signs.T))[0])
        members = torch.stack(each)
        net.sample()
        draws = 4000
        logits = net(image.expand(draws, 6, 6))
    found = torch.stack([(logits - one).abs().amax(dim=1) < 1e-3 for one in members], dim=1)
    assert bool((found.sum(dim=1) == 1).all())
    shares = found.float().mean(dim=0)
    spread = (1 / CROSSBARS * (1 - 1 / CROSSBARS) / draws) ** 0.5
    assert float((shares - 1 / CROSSBARS).abs().max()) < 5 * spread
    error = (logits.mean(dim=0) - members.mean(dim=0)).abs()
    assert bool((error < 5 * members.std(dim=0, correction=0) / draws**0.5).all())


def test_layers_and_images_pick_on_their_own():
    net = stored(NetworkConfig("t", (6, 6), 3, widths=(100,)), seed=1)
    net.sample()
    with torch.no_grad():
        logits = net(pixels(1).expand(3000, 6, 6))
    assert len(np.unique(logits.numpy().round(4), axis=0)) == CROSSBARS**2


def test_the_divergence_is_that_of_weights_and_scales_and_its_slope_is_known():
    net = SpinBayesNet(CONFIG, 0, images=50, factor=0.25)
    parts = []
    for crossbar, site in net.pairs:
        prior = crossbar.weight.shape[1] ** -0.5
        parts.append(gaussian_kl(crossbar.weight, site.noise, 0.0, prior))
        parts.append(gaussian_kl(site.alpha, site.log_std, 1.0, 1.0))
    loss = net.extra_loss()
    assert float(loss.detach()) == pytest.approx(float(sum(parts).detach()) * 0.25 / 50, rel=1e-5)
    loss.backward()
    crossbar, site = net.pairs[0]
    slope = crossbar.weight.detach() * 36 * 0.25 / 50
    assert torch.allclose(crossbar.weight.grad, slope, rtol=1e-4)
    noise = ((2 * site.noise.detach()).exp() * 36 - 1) * 0.25 / 50
    assert torch.allclose(site.noise.grad, noise, rtol=1e-4)


def test_training_draws_weights_and_its_gradient_reaches_their_spread():
    net = SpinBayesNet(CONFIG, 0, 50, 1.0).train()
    first, second = net(pixels(16)), net(pixels(16))
    assert not torch.equal(first, second)
    second.square().sum().backward()
    assert all(float(site.noise.grad.abs().sum()) > 0 for _, site in net.pairs)


def test_the_stored_sets_are_part_of_the_state():
    state = stored().state_dict()
    assert state["sites.dense0.sets"].shape == (CROSSBARS, 12, 36)
    assert state["sites.dense1.levels"].shape == (CROSSBARS, 3)


def test_it_needs_three_bits_a_layer_and_eight_crossbars():
    needs = spinbayes._needs(CONFIG)
    assert (needs.numbers_per_pass, needs.grain, needs.gaussian) == (6, Grain.LAYER, False)
    single = memory_bits(CONFIG, scales=1)
    weights, scales = 36 * 12 + 12 * 3, (12 + 3) * CONFIG.scale_bits
    assert needs.memory_bits == single + 7 * (weights + scales)
    assert METHODS["spinbayes"].setting.values == (0.001, 0.01, 0.1)
