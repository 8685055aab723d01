# SPDX-License-Identifier: Apache-2.0
"""What becomes of a layer's results: the nodes behind it, and the buffers that they end in.

A node without weights is evaluated on the results of the last layer that it depends on, as they
come, once for each outcome of that layer; the layer *owns* it. Codes are written once into the
buffer of every layer that reads them, pooled on the way; concatenation and upsampling are but
addresses in that buffer. A stream waits in a buffer only for an addition that another layer owns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scaledrop.graph import (
    INPUT,
    Add,
    Concat,
    Graph,
    Kind,
    Layer,
    MaxPool,
    Node,
    Quantise,
    Subsample,
    Upsample,
    Value,
)

__all__ = ["Delivery", "Method", "Tail", "tails"]

Shape = tuple[int, ...]


class Method(StrEnum):
    """How a layer's fan-in meets the word lines."""

    DENSE = "dense"
    """All inputs, row tile by row tile."""
    UNROLLED = "unrolled"
    """K * K * C rows: the window of a position drives the array at once (im2col)."""
    TAPS = "taps"
    """C rows, K * K activations: one tap of the kernel after another, summed."""


@dataclass(frozen=True)
class Delivery:
    """Codes on their way into the buffer of a layer that reads them.

    Attributes:
        reader: its name.
        method: how it is laid out.
        value: as written: (C,) or (C, H, W), behind pools and before upsampling. ``addends`` > 1:
            sums of so many codes.
        pool: edge of the max-pooling window on the way; 1 for none.
        columns: of positions in a row, before that pooling.
    """

    reader: str
    method: Method
    value: Value
    pool: int = 1
    columns: int = 1

    @property
    def channels(self) -> int:
        return self.value.shape[0]

    @property
    def positions(self) -> int:
        return math.prod(self.value.shape[1:])

    @property
    def summed(self) -> int:
        """Additions of a sum pool, all but each sum's first."""
        return self.channels * (self.value.addends - 1)


@dataclass(frozen=True)
class Tail:
    """The nodes that a layer owns, reduced to what they cost for one outcome.

    Attributes:
        deliveries: Codes written, by reader.
        taken: Shapes of the streams read from a buffer, for both outcomes at once.
        left: Shapes of the streams written to a buffer. Channels of zeros that a
            :class:`scaledrop.nodes.Subsample` appends are neither written nor read.
        added: Elements of residual additions.
        quantised: Elements turned from stream to codes.
    """

    deliveries: tuple[Delivery, ...] = ()
    taken: tuple[Shape, ...] = ()
    left: tuple[Shape, ...] = ()
    added: int = 0
    quantised: int = 0


class _Walk:
    """Owners and roots of the values of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: dict[str, Node] = {node.name: node for node in graph.nodes}
        self.owner = {INPUT: ""}
        self.stored: dict[str, Shape] = {}
        rank = {"": -1, **{layer.name: at for at, layer in enumerate(graph.layers)}}
        for node in graph.nodes:
            sources = graph.sources[node.name]
            own = [] if not isinstance(node, Layer) else [node.name]
            self.owner[node.name] = max(
                own or [self.owner[source] for source in sources], key=rank.__getitem__
            )
            shape = graph.values[node.name].shape
            if isinstance(node, Subsample):
                shape = (self.stored[sources[0]][0], *shape[1:])
            self.stored[node.name] = shape

    def owned(self, layer: str) -> Iterator[Node]:
        return (node for node in self.graph.nodes if self.owner[node.name] == layer)

    def crossing(self, node: Node) -> list[str]:
        """Streams that a node takes from a buffer."""
        sources = dict.fromkeys(self.graph.sources[node.name])
        return [one for one in sources if self.owner[one] != self.owner[node.name]]

    def roots(self, reader: Layer, method: Method) -> Iterator[tuple[str, Delivery]]:
        """Owner and delivery of every part of what a layer reads; none of pixels."""
        pending: list[tuple[str, tuple[Node, ...]]] = [(self.graph.sources[reader.name][0], ())]
        while pending:
            name, behind = pending.pop()
            node = self.nodes.get(name)
            if node is None:
                continue
            if isinstance(node, Layer | Quantise):
                yield self.owner[name], self._delivery(reader, method, name, behind)
            else:
                on = behind if isinstance(node, Concat) else (node, *behind)
                pending += [(source, on) for source in reversed(self.graph.sources[name])]

    def _delivery(
        self, reader: Layer, method: Method, name: str, behind: tuple[Node, ...]
    ) -> Delivery:
        value = self.graph.values[name]
        while behind and isinstance(behind[-1], Upsample):
            behind = behind[:-1]
        pool, columns = 1, value.shape[2] if len(value.shape) == 3 else 1
        for node in behind:
            value = node.result((value,), f"layers.{node.name}")
            if isinstance(node, MaxPool):
                pool *= node.size
        return Delivery(reader.name, method, value, pool, columns)


def tails(graph: Graph, method: Callable[[Layer], Method]) -> Mapping[str, Tail]:
    """The tail of every layer, by name.

    Args:
        method: How a layer is laid out.
    """
    walk = _Walk(graph)
    deliveries: dict[str, list[Delivery]] = {layer.name: [] for layer in graph.layers}
    for reader in graph.layers:
        for owner, delivery in walk.roots(reader, method(reader)):
            deliveries[owner].append(delivery)
    found = {}
    for layer in graph.layers:
        owned = list(walk.owned(layer.name))
        streams = [node for node in owned if graph.values[node.name].kind is Kind.STREAM]
        waits = [
            node.name
            for node in streams
            if any(node.name in walk.crossing(walk.nodes[user]) for user in graph.users[node.name])
        ]
        adds = [node for node in owned if isinstance(node, Add)]
        taken = dict.fromkeys(name for node in adds for name in walk.crossing(node))
        found[layer.name] = Tail(
            deliveries=tuple(deliveries[layer.name]),
            taken=tuple(walk.stored[name] for name in taken),
            left=tuple(walk.stored[name] for name in waits),
            added=sum(graph.values[node.name].size for node in adds),
            quantised=sum(graph.values[n.name].size for n in owned if isinstance(n, Quantise)),
        )
    return found
