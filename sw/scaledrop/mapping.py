# SPDX-License-Identifier: Apache-2.0
"""What the accelerator takes: a layout of a frozen network, checked."""

from __future__ import annotations

from dataclasses import dataclass

from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, Stream
from scaledrop.graph import INPUT, MaxPool
from scaledrop.layer_mapping import LayerMapping, Method
from scaledrop.layout import WINDOW_BITS, NetworkLayout

__all__ = ["WINDOW_BITS", "ArrayShape", "LayerMapping", "Method", "NetworkMapping"]


@dataclass(frozen=True)
class NetworkMapping(NetworkLayout):
    """A :class:`scaledrop.layout.NetworkLayout` that the accelerator runs.

    Raises:
        UserError: a node that the accelerator does not take, or an unknown mapping.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.network.positions:
            raise UserError(
                f"{self.network.name}: the accelerator gives one prediction an image, not one at "
                "each position; end the network with a dense layer"
            )
        for at, node in enumerate(self.network.nodes):
            if not self._fits(at):
                raise UserError(
                    f"{self.network.name}: the accelerator takes a chain of dense layers, "
                    f"convolutions and max pooling so far, which {node.name!r} does not fit; "
                    "give a network of such layers"
                )

    def _fits(self, at: int) -> bool:
        nodes = self.network.nodes
        node, graph = nodes[at], self.network.graph
        before = nodes[at - 1].name if at else INPUT
        if graph.sources[node.name] != (before,):
            return False
        if isinstance(node, MaxPool):
            return isinstance(nodes[at - 1], FrozenLayer)
        return isinstance(node, FrozenLayer) and not isinstance(node.output, Stream)
