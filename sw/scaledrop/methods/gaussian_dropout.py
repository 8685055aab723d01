# SPDX-License-Identifier: Apache-2.0
"""Gaussian dropout by local reparametrisation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from scaledrop.energy.network_figures import figures_of
from scaledrop.energy.sources import Grain
from scaledrop.errors import UserError
from scaledrop.graph import Layer
from scaledrop.methods.contract import Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.net import Site, SiteFactory
from scaledrop.methods.recipe import site_method
from scaledrop.nn.config import NetworkConfig
from scaledrop.training import TrainConfig

__all__ = ["GAUSSIAN_DROPOUT", "GaussianDropout"]


class GaussianDropout(Site):
    """Every binary weight times noise of N(1, variance), drawn for each sum on its own:

        s' = s + sqrt(variance * sum_i a_i^2) * e,   e of N(0, 1), one a sum

    which has the mean and variance of ``sum_i b_i (1 + sqrt(variance) e_i) a_i``, as b_i^2 = 1. For
    inputs of +-1 the sum of squares is the number of driven rows.

    Parameters:
        variance: of the noise on a weight, alpha in the papers, >= 0.

    Raises:
        UserError: a variance that is below 0.
    """

    def __init__(self, layer: Layer, shape: tuple[int, ...], variance: float) -> None:
        super().__init__(layer, shape)
        if not 0 <= variance < math.inf:
            raise UserError(f"alpha: must be 0 or more, not {variance}; try 0.1")
        self.variance = variance
        self._power: Tensor | None = None

    def inputs(self, a: Tensor) -> Tensor:
        self._power = self.power(a.detach()) if self.drawing else None
        return a

    def power(self, a: Tensor) -> Tensor:
        """``sum_i a_i^2`` over the inputs of a sum: (B, 1) or (B, 1, H, W)."""
        window, squares = self.layer.window, a.square()
        if window is None:
            return squares.flatten(1).sum(dim=1, keepdim=True)
        ones = torch.ones(1, 1, window.size, window.size).to(a)
        planes = squares.sum(dim=1, keepdim=True)
        return nn.functional.conv2d(planes, ones, None, window.stride, window.padding)

    def sums(self, s: Tensor) -> Tensor:
        if self._power is not None:
            drawn = torch.randn(s.shape, generator=self.generator).to(s)
            s = s + (self.variance * self._power).sqrt() * drawn
            self._power = None
        return super().sums(s)


def _sites(config: TrainConfig, variance: float) -> SiteFactory:
    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        return GaussianDropout(layer, shape, variance)

    return site


def _needs(network: NetworkConfig, variance: float) -> Needs:
    numbers = figures_of(network.graph).outputs
    return Needs(numbers, Grain.OUTPUT, True, memory_bits(network))


GAUSSIAN_DROPOUT = site_method(
    "gaussian-dropout",
    "Gaussian dropout",
    "Kingma et al. 2015, arXiv 1506.02557, Section 3, with alpha fixed, from memory",
    Setting("noise variance alpha", (0.05, 0.1, 0.25)),
    _sites,
    _needs,
)
"""One Gaussian number a sum of every layer. alpha = p / (1 - p) is fixed and tuned as p is: then
the divergence of variational dropout is a constant and the loss needs no term. Learning alpha
(Molchanov et al. 2017, arXiv 1701.05369) lets a weight's mean shrink until noise removes it; a
binary weight has one magnitude, and its alpha would only grow with the weight of the term."""
