# SPDX-License-Identifier: Apache-2.0
"""Closed forms of independent Gaussians against PyTorch's distributions."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from scaledrop.methods.gaussian import gaussian_kl, reparametrised


def posterior(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    mean = 1 + torch.randn((3, 7), generator=random, dtype=torch.float64)
    log_std = torch.randn((3, 7), generator=random, dtype=torch.float64) - 1
    return mean, log_std


@pytest.mark.parametrize(("prior_mean", "prior_std"), [(1.0, 0.1), (0.0, 1.0), (-2.0, 3.0)])
def test_the_divergence_is_that_of_torch_distributions(prior_mean, prior_std):
    mean, log_std = posterior()
    prior = Normal(*torch.tensor([prior_mean, prior_std], dtype=torch.float64))
    expected = kl_divergence(Normal(mean, log_std.exp()), prior).sum()
    assert float(gaussian_kl(mean, log_std, prior_mean, prior_std)) == pytest.approx(
        float(expected), rel=1e-12
    )


def test_it_is_zero_for_the_prior_itself_and_positive_beside_it():
    mean, log_std = torch.full((5,), 1.0), torch.full((5,), math.log(0.3))
    assert float(gaussian_kl(mean, log_std, 1.0, 0.3)) == pytest.approx(0, abs=1e-6)
    assert float(gaussian_kl(mean + 0.1, log_std, 1.0, 0.3)) > 0.2
    assert float(gaussian_kl(mean, log_std - 0.5, 1.0, 0.3)) > 0.2


def test_its_gradient_is_the_closed_form():
    mean, log_std = (t.requires_grad_() for t in posterior(1))
    gaussian_kl(mean, log_std, 1.0, 0.4).backward()
    assert torch.allclose(mean.grad, (mean.detach() - 1) / 0.4**2)
    # d/d ln sigma = sigma d/d sigma = sigma^2 / s^2 - 1
    assert torch.allclose(log_std.grad, (2 * log_std.detach()).exp() / 0.4**2 - 1)


def test_samples_have_the_moments_and_carry_gradients():
    mean, log_std = torch.tensor([1.0, -2.0]), torch.tensor([0.0, -1.0])
    mean.requires_grad_(), log_std.requires_grad_()
    rows = 40_000
    drawn = reparametrised(mean, log_std, rows, torch.Generator().manual_seed(3))
    std = log_std.detach().exp()
    error = (drawn.detach().mean(dim=0) - mean.detach()).abs()
    assert bool((error < 5 * std / rows**0.5).all())
    ratio = drawn.detach().var(dim=0) / std.square()
    assert bool(((ratio - 1).abs() < 5 * (2 / rows) ** 0.5).all())
    drawn.sum(dim=0)[0].backward()
    assert mean.grad.tolist() == [rows, 0]
    noise = (drawn.detach()[:, 0] - 1) / 1
    assert float(log_std.grad[0]) == pytest.approx(float(noise.sum()), rel=1e-3, abs=1e-2)


def test_one_sample_has_no_leading_dimension_and_a_seed_repeats_it():
    mean, log_std = posterior()
    one, two = (
        reparametrised(mean, log_std, None, torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert one.shape == mean.shape
    assert torch.equal(one, two)
