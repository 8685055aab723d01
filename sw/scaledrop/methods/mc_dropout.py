# SPDX-License-Identifier: Apache-2.0
"""MC-Dropout: every input of a layer is dropped on its own."""

from __future__ import annotations

from torch import Tensor

from scaledrop.energy.sources import Grain
from scaledrop.graph import Layer
from scaledrop.methods.contract import Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.net import Site, SiteFactory
from scaledrop.methods.recipe import DropSite, site_method
from scaledrop.nn.config import NetworkConfig
from scaledrop.training import TrainConfig

__all__ = ["MC_DROPOUT", "InputDropout"]


class InputDropout(DropSite):
    """Inverted dropout of a layer's inputs: ``a * m / (1 - p)`` with m of Bernoulli(1 - p), one bit
    an input element; a row whose bit is 0 is not driven. Kept in the mean, and of variance
    ``a^2 p / (1 - p)``.
    """

    def inputs(self, a: Tensor) -> Tensor:
        if not self.drawing:
            return a
        return a * self.kept(tuple(a.shape), a) / (1 - self.p)


def _sites(config: TrainConfig, p: float) -> SiteFactory:
    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        return InputDropout(layer, shape, p) if index else Site(layer, shape)

    return site


def _needs(network: NetworkConfig, p: float) -> Needs:
    graph = network.graph
    numbers = sum(graph.input_of(node).size for node in graph.layers[1:])
    return Needs(numbers, Grain.NEURON, False, memory_bits(network))


MC_DROPOUT = site_method(
    "mc-dropout",
    "MC-Dropout",
    "Gal & Ghahramani 2016, arXiv 1506.02142, from memory",
    Setting("dropout probability p", (0.05, 0.1, 0.2)),
    _sites,
    _needs,
)
"""On the inputs of every layer but the first, so pixels are not dropped. The factor 1 / (1 - p) is
a constant that BatchNorm takes in: hardware needs the bits alone."""
