# SPDX-License-Identifier: Apache-2.0
"""The Bayesian scale vector: where it acts, and where BatchNorm or the sign makes it vanish."""

import math

import pytest
import torch

from scaledrop.graph import Layer
from scaledrop.methods.bayes_scale import BayesScaleSite
from scaledrop.methods.gaussian import gaussian_kl
from scaledrop.methods.net import per_channel

CHANNELS = 6


def site(prior_std: float = 0.3, images: int = 100, log_std: float = -1.0) -> BayesScaleSite:
    found = BayesScaleSite(Layer("a", CHANNELS), (CHANNELS,), prior_std, images)
    with torch.no_grad():
        found.log_std.fill_(log_std)
    found.generator = torch.Generator().manual_seed(5)
    return found


def sums(rows: int = 64, offset: float = 10.0) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    return offset + 8 * torch.randn((rows, CHANNELS), generator=random)


def test_every_image_has_a_scale_of_its_own_for_each_channel():
    one = site().eval()
    one.sampling = True
    one.norm.running_var.fill_(1 - one.norm.eps)
    y = one.sums(torch.ones(50, CHANNELS)).detach()
    assert len(y.unique()) == 50 * CHANNELS
    maps = BayesScaleSite(Layer("a", CHANNELS), (CHANNELS, 3, 3), 0.3, 100).eval()
    maps.generator, maps.sampling = torch.Generator().manual_seed(5), True
    positions = maps.sums(torch.ones(50, CHANNELS, 3, 3)).detach().flatten(2)
    assert bool((positions == positions[..., :1]).all())


def test_a_scale_common_to_the_batch_is_divided_out_in_training():
    one, s = site(), sums()
    plain = one.norm(s)
    for scale in (0.5, 3.0):
        shared = one.norm(s * per_channel(torch.full((CHANNELS,), scale), s))
        assert torch.allclose(shared, plain, atol=1e-4)
    assert float((one.sums(s) - plain).detach().abs().mean()) > 0.1


def test_the_data_see_the_ratio_of_sigma_and_mu_only():
    s, drawn = sums(), []
    for factor in (1.0, 4.0):
        one = site()
        with torch.no_grad():
            one.alpha.mul_(factor)
            one.log_std.add_(math.log(factor))
        drawn.append(one.sums(s).detach())
    assert torch.allclose(*drawn, atol=1e-4)


@pytest.mark.parametrize(("s", "r"), [(1.0, 0.0), (0.3, 0.2), (2.0, 1.0)])
def test_the_prior_sets_the_magnitude_that_the_docstring_says(s, r):
    mu = (1 + math.sqrt(1 + 4 * s**2 * (1 + r**2))) / (2 * (1 + r**2))
    r = r or 1e-3

    def divergence(mean: float) -> float:
        values = torch.tensor([mean]).double(), torch.tensor([r * mean]).double().log()
        return float(gaussian_kl(*values, 1.0, s))

    assert divergence(mu) < min(divergence(0.99 * mu), divergence(1.01 * mu))


def test_a_threshold_at_zero_makes_a_positive_scale_vanish_behind_the_sign():
    one = site(log_std=math.log(0.05)).eval()
    one.sampling = True
    s = sums(400, offset=0.0)
    assert torch.equal(one.sums(s) >= 0, s >= 0)
    one.norm.running_mean.fill_(8.0)
    assert bool(((one.sums(s) >= 0) != (s >= 8.0)).any())


def test_a_code_changes_where_the_sum_passes_the_threshold_over_the_scale():
    one = site().eval()
    one.norm.running_mean.fill_(12.0)
    with torch.no_grad():
        one.alpha.copy_(torch.linspace(0.5, 3, CHANNELS))
    above = (12.0 / one.alpha.detach()) * torch.tensor([[0.999], [1.001]])
    assert (one.sums(above) >= 0).tolist() == [[False] * CHANNELS, [True] * CHANNELS]


def test_without_drawing_the_mean_acts_and_nothing_is_drawn():
    one = site().eval()
    state = one.generator.get_state()
    with torch.no_grad():
        one.alpha.fill_(2.0)
    s = sums()
    assert torch.equal(one.sums(s), one.norm(2 * s))
    assert torch.equal(one.generator.get_state(), state)


def test_the_loss_is_the_divergence_of_an_image_and_there_is_no_pull():
    one = site(prior_std=0.5, images=40)
    expected = gaussian_kl(one.alpha, one.log_std, 1.0, 0.5) / 40
    assert float(one.extra_loss().detach()) == float(expected.detach()) > 0
    assert float(one.penalty()) == 0
    assert [p.shape for p in one.scales] == [(CHANNELS,)] * 2


def test_the_spread_stays_a_number():
    one = site(log_std=-1e6)
    one.clamp_()
    assert float(one.log_std.detach().exp().min()) == pytest.approx(1e-4)
