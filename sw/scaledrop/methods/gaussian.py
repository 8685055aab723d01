# SPDX-License-Identifier: Apache-2.0
"""Independent Gaussians: their divergence in closed form, and samples that carry gradients."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["gaussian_kl", "reparametrised"]


def gaussian_kl(mean: Tensor, log_std: Tensor, prior_mean: float, prior_std: float) -> Tensor:
    """KL(q || p) of independent Gaussians, summed, in nats:

        sum_i  ln(s / sigma_i) + (sigma_i^2 + (mu_i - m)^2) / (2 s^2) - 1/2

    Args:
        mean: mu, any shape.
        log_std: ln sigma, broadcasts against ``mean``.
        prior_mean: m, of every element.
        prior_std: s > 0, of every element.

    Returns:
        Scalar, 0 where q is p.

    Source: Kingma and Welling 2014, arXiv 1312.6114, appendix B, for a general prior.
    """
    log_ratio = log_std - math.log(prior_std)
    distance = ((mean - prior_mean) / prior_std).square()
    terms: Tensor = 0.5 * ((2 * log_ratio).exp() + distance - 1) - log_ratio
    return terms.sum()


def reparametrised(
    mean: Tensor, log_std: Tensor, rows: int | None, generator: torch.Generator
) -> Tensor:
    """Samples mu + sigma * eps with eps ~ N(0, 1), whose gradients reach mu and sigma.

    Args:
        mean: mu, any shape.
        log_std: ln sigma, of the shape of ``mean``.
        rows: B independent samples; None for one without a leading dimension.
        generator: of eps, on the CPU.

    Returns:
        (B, *shape of ``mean``), or the shape of ``mean``.
    """
    shape = mean.shape if rows is None else (rows, *mean.shape)
    noise = torch.randn(shape, generator=generator).to(mean)
    return mean + log_std.exp() * noise
