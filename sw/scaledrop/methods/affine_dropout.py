# SPDX-License-Identifier: Apache-2.0
"""Inverted normalisation with affine dropout."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaledrop.energy.sources import Grain
from scaledrop.graph import Kind, Layer
from scaledrop.methods.contract import Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.net import Site, SiteFactory, per_channel
from scaledrop.methods.recipe import DropSite, hidden_layers, site_method
from scaledrop.nn.config import NetworkConfig
from scaledrop.nn.seeds import stream
from scaledrop.training import TrainConfig

__all__ = ["AFFINE_DROPOUT", "AffineDropout"]

STREAM = 32
"""First stream of the seed for the start of gamma and beta, one a layer."""


class AffineDropout(DropSite):
    """``y = norm(gamma * s + unit * beta)``: the affine map comes first, and BatchNorm behind
    it has none. One bit each for the whole vector gamma and the whole vector beta, a sample: a
    dropped gamma becomes 1, a dropped beta 0.

    Parameters:
        p: of either.
        unit: of beta, so that it is of the order of the sums.
        spread: gamma starts as N(1, spread^2), beta as N(0, spread^2); at 1 and 0 dropping would
            do nothing, and neither would learn of it.
        start: where they come from.

    Attributes:
        alpha: gamma, (C,).
        beta: (C,).
    """

    def __init__(
        self,
        layer: Layer,
        shape: tuple[int, ...],
        p: float,
        unit: float,
        spread: float,
        start: torch.Generator,
    ) -> None:
        super().__init__(layer, shape, p)
        self.unit, channels = unit, layer.channels
        self.alpha = nn.Parameter(1 + spread * torch.randn(channels, generator=start))
        self.beta = nn.Parameter(spread * torch.randn(channels, generator=start))
        kind = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
        self.norm = kind(channels, affine=False)

    @property
    def scales(self) -> list[nn.Parameter]:
        return [self.alpha, self.beta]

    def sums(self, s: Tensor) -> Tensor:
        gamma: Tensor = self.alpha
        beta: Tensor = self.beta
        if self.drawing:
            bits = self.kept((len(s), 2), s)
            gamma = torch.where(bits[:, :1] > 0, gamma, 1.0)
            beta = bits[:, 1:] * beta
        y: Tensor = self.norm(s * per_channel(gamma, s) + self.unit * per_channel(beta, s))
        return y


def _sites(config: TrainConfig, p: float) -> SiteFactory:
    network = config.network

    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        if layer.output is Kind.LOGITS:
            return Site(layer, shape)
        fan_in = network.graph.weight_shape(layer)[1]
        unit = network.graph.sum_bound(layer) / fan_in**0.5
        start = stream(config.seed, STREAM + index)
        return AffineDropout(layer, shape, p, unit, network.init_spread, start)

    return site


def _needs(network: NetworkConfig, p: float) -> Needs:
    numbers = 2 * len(hidden_layers(network))
    memory = memory_bits(network, scales=2, head_scales=0)
    return Needs(numbers, Grain.LAYER, False, memory)


AFFINE_DROPOUT = site_method(
    "affine-dropout",
    "Affine dropout",
    "Ahmed et al. 2024, arXiv 2401.12416: that the affine map precedes normalisation is read, the "
    "scalar masks and what a dropped vector becomes are from memory, unverified",
    Setting("dropout probability p", (0.1, 0.2, 0.3)),
    _sites,
    _needs,
)
"""Two bits a hidden layer. The head keeps BatchNorm with its affine map: logits of unit variance
could not be confident. BatchNorm takes what the paper's normalisation is not known to take: the
batch in training, running statistics in evaluation. gamma and beta start with the spread that the
configuration has for the scales of Scale-Dropout."""
