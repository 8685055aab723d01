# SPDX-License-Identifier: Apache-2.0
"""How a frozen network lies on a crossbar array: tiles, words and addresses of every layer.

The scale and threshold path handles ``lanes`` channels a cycle; such a group at one position is a
*beat*. What a layer stores goes where its one user wants it:

* a *vector* of words of ``rows`` bits per plane, one word for one row tile, beats side by side; for
  a convolution tap by tap every position begins a word of its own;
* the *window* buffer of an unrolled convolution, addressed by position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Stream
from scaledrop.graph import INPUT, MaxPool
from scaledrop.layer_mapping import Bases, LayerMapping, Method
from scaledrop.numbers import signed_width

__all__ = ["ArrayShape", "LayerMapping", "Method", "NetworkMapping", "map_layers"]

LOGIT_ROOM = 36
"""Widest logit for which room is left: sums of 2**28 of them still fit 64 bits."""

WINDOW_BITS = 4096
"""Largest unrolled window that is kept in registers; above it a convolution goes tap by tap."""


def check_convolution(convolution: str) -> None:
    """Raises:
    UserError: no such mapping.
    """
    known = ("auto", *(str(method) for method in (Method.UNROLLED, Method.TAPS)))
    if convolution not in known:
        raise UserError(
            f"convolution: must be {', '.join(known[:-1])} or {known[-1]}, not {convolution!r}"
        )


def _method(layer: FrozenLayer, convolution: str) -> Method:
    if layer.window is None:
        return Method.DENSE
    small = layer.in_features * layer.planes <= WINDOW_BITS
    if convolution == "auto":
        return Method.UNROLLED if small else Method.TAPS
    return Method(convolution)


def map_layers(
    network: FrozenNetwork, array: ArrayShape, convolution: str = "auto"
) -> tuple[LayerMapping, ...]:
    """Each layer of any graph on the array; words and addresses are those of a chain.

    Args:
        convolution: see :class:`NetworkMapping`.

    Raises:
        UserError: an unknown mapping.
    """
    check_convolution(convolution)
    graph, stochastic = network.graph, network.layers
    mapped: list[LayerMapping] = []
    bases = Bases()
    for index, layer in enumerate(stochastic):
        user = stochastic[index + 1] if index + 1 < len(stochastic) else None
        pool = graph.pool_behind(layer.node)
        entry = LayerMapping(
            index=index,
            layer=layer,
            array=array,
            method=_method(layer, convolution),
            user=None if user is None else _method(user, convolution),
            source=graph.input_of(layer.node),
            result=graph.values[layer.name],
            pool=1 if pool is None else pool.size,
            bases=bases,
        )
        mapped.append(entry)
        bases = entry.following
    return tuple(mapped)


@dataclass(frozen=True)
class NetworkMapping:
    """Every layer of a network on one array.

    Attributes:
        convolution: ``unrolled``, ``taps``, or ``auto``: unrolled, which takes the fewest crossbar
            activations, unless the window is larger than ``WINDOW_BITS``.

    Raises:
        UserError: a node that the accelerator does not take, or an unknown mapping.
    """

    network: FrozenNetwork
    array: ArrayShape
    convolution: str = "auto"

    def __post_init__(self) -> None:
        check_convolution(self.convolution)
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

    @cached_property
    def layers(self) -> tuple[LayerMapping, ...]:
        return map_layers(self.network, self.array, self.convolution)

    @property
    def windows(self) -> tuple[LayerMapping, ...]:
        """Layers with a window buffer of their own."""
        return tuple(entry for entry in self.layers if entry.method is Method.UNROLLED)

    @property
    def end(self) -> Bases:
        """Sizes of the memories: the bases that a further layer would have."""
        return self.layers[-1].following

    @property
    def planes(self) -> int:
        """Bits of the widest activation code; 1 at least."""
        return max(1, *(entry.layer.node.planes for entry in self.layers))

    @property
    def logit_width(self) -> int:
        """Bits of a logit in the accelerator: what all gains and scales of these formats can make,
        and an offset as large, so that a network that is trained anew fits."""
        head, last = self.network.head, self.network.layers[-1]
        largest = 2 ** (head.gain_bits - 1) * last.scaled_bound(self.network.scale_bits)
        return max(self.network.logit_width, min(signed_width(2 * largest), LOGIT_ROOM))

    @property
    def drop_codes(self) -> Sequence[int]:
        return [entry.layer.drop_code for entry in self.layers]

    @property
    def pool_words(self) -> int:
        """Words of the pooling memory, of one outcome; 0 without pooling."""
        pooled = (entry for entry in self.layers if entry.pool > 1)
        return max(
            (-(-entry.positions[1] // entry.pool) * entry.groups for entry in pooled), default=0
        )
