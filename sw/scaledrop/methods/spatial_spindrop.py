# SPDX-License-Identifier: Apache-2.0
"""Spatial-SpinDrop: whole feature maps are dropped."""

from __future__ import annotations

from torch import Tensor

from scaledrop.energy.sources import Grain
from scaledrop.graph import Kind, Layer
from scaledrop.methods.contract import Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.net import Site, SiteFactory, per_channel
from scaledrop.methods.recipe import DropSite, hidden_layers, site_method
from scaledrop.nn.config import NetworkConfig
from scaledrop.training import TrainConfig

__all__ = ["SPATIAL_SPINDROP", "MapDropout"]


class MapDropout(DropSite):
    """Zeroes the feature maps of a layer, one bit (B, C) a map, all its positions together; not
    rescaled. An output of a dense layer is a map of one position."""

    def outputs(self, a: Tensor) -> Tensor:
        if not self.drawing:
            return a
        return a * per_channel(self.kept((len(a), a.shape[1]), a), a)


def _sites(config: TrainConfig, p: float) -> SiteFactory:
    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        hidden = layer.output is not Kind.LOGITS
        return MapDropout(layer, shape, p) if hidden else Site(layer, shape)

    return site


def _needs(network: NetworkConfig, p: float) -> Needs:
    numbers = sum(layer.channels for layer in hidden_layers(network))
    return Needs(numbers, Grain.CHANNEL, False, memory_bits(network))


SPATIAL_SPINDROP = site_method(
    "spatial-spindrop",
    "Spatial-SpinDrop",
    "Ahmed et al. 2023 (MC-SpatialDropout); a mask of shape (N, C, 1, 1) is from memory, "
    "unverified, and so is that dense layers drop neurons",
    Setting("dropout probability p", (0.05, 0.1, 0.2)),
    _sites,
    _needs,
)
"""One bit a feature map of every hidden layer."""
