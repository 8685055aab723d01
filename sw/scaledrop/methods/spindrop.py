# SPDX-License-Identifier: Apache-2.0
"""SpinDrop: every neuron is dropped on its own."""

from __future__ import annotations

from torch import Tensor

from scaledrop.energy.sources import Grain
from scaledrop.graph import Kind, Layer
from scaledrop.methods.contract import Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.net import Site, SiteFactory
from scaledrop.methods.recipe import DropSite, hidden_layers, site_method
from scaledrop.nn.config import NetworkConfig
from scaledrop.training import TrainConfig

__all__ = ["SPINDROP", "NeuronDropout"]


class NeuronDropout(DropSite):
    """Zeroes the outputs of a layer, one bit a neuron, before pooling: ``a * m``, not rescaled. Of
    mean ``a (1 - p)`` and variance ``a^2 p (1 - p)``."""

    def outputs(self, a: Tensor) -> Tensor:
        return a * self.kept(tuple(a.shape), a) if self.drawing else a


def _sites(config: TrainConfig, p: float) -> SiteFactory:
    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        hidden = layer.output is not Kind.LOGITS
        return NeuronDropout(layer, shape, p) if hidden else Site(layer, shape)

    return site


def _needs(network: NetworkConfig, p: float) -> Needs:
    numbers = sum(layer.outputs for layer in hidden_layers(network))
    return Needs(numbers, Grain.NEURON, False, memory_bits(network))


SPINDROP = site_method(
    "spindrop",
    "SpinDrop",
    "Ahmed et al. 2023 (SpinDrop); that its mask zeroes the activation, one bit a neuron, is from "
    "memory, unverified",
    Setting("dropout probability p", (0.05, 0.1, 0.2)),
    _sites,
    _needs,
)
"""One magnetic tunnel junction a neuron of every hidden layer. A factor 1 / (1 - p) would be a
constant that the next BatchNorm takes in; there is none."""
