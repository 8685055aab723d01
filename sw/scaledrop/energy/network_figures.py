# SPDX-License-Identifier: Apache-2.0
"""What a network's size alone says: outputs, channels, weights and multiply-adds of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork
from scaledrop.graph import Graph

__all__ = ["LayerFigures", "NetworkFigures", "figures_of"]


@dataclass(frozen=True)
class LayerFigures:
    """One crossbar layer.

    Attributes:
        name: of the layer.
        channels: outputs of a dense layer, output channels of a convolution.
        positions: output positions; 1 for a dense layer.
        fan_in: weights of one channel.

    Raises:
        UserError: a figure is not an integer of 1 or more.
    """

    name: str
    channels: int
    positions: int
    fan_in: int

    def __post_init__(self) -> None:
        for field in ("channels", "positions", "fan_in"):
            check_integer(getattr(self, field), 1, 2**40, f"layers.{self.name}.{field}")

    @property
    def outputs(self) -> int:
        """Sums of one pass, before pooling: the neurons."""
        return self.channels * self.positions

    @property
    def weights(self) -> int:
        return self.channels * self.fan_in

    @property
    def macs(self) -> int:
        """Multiply-adds of one pass; padded positions count in full."""
        return self.outputs * self.fan_in


@dataclass(frozen=True)
class NetworkFigures:
    """The layers of a network, each with a scale per channel and a stochastic bit of its own.

    Raises:
        UserError: there is no layer.
    """

    layers: tuple[LayerFigures, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise UserError("layers: is empty; a network needs at least one layer")

    @property
    def outputs(self) -> int:
        return sum(layer.outputs for layer in self.layers)

    @property
    def channels(self) -> int:
        """Entries of the scale memory."""
        return sum(layer.channels for layer in self.layers)

    @property
    def weights(self) -> int:
        return sum(layer.weights for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)


def figures_of(network: FrozenNetwork | Graph) -> NetworkFigures:
    """Figures of every stochastic layer, in the order of their mask bits."""
    graph = network.graph if isinstance(network, FrozenNetwork) else network
    layers: Sequence[LayerFigures] = [
        LayerFigures(
            name=layer.name,
            channels=layer.channels,
            positions=graph.values[layer.name].size // layer.channels,
            fan_in=layer.fan_in(graph.values[graph.sources[layer.name][0]]),
        )
        for layer in graph.layers
    ]
    return NetworkFigures(tuple(layers))
