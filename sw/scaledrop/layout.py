# SPDX-License-Identifier: Apache-2.0
"""How a network lies on a crossbar array: tiles, words and addresses of every layer.

The scale and threshold path handles ``lanes`` channels a cycle; such a group at one position is a
*beat*. What a layer stores goes where its users want it:

* a *vector* of words of ``rows`` bits per plane, one word for one row tile, beats side by side; for
  a convolution tap by tap every position begins a word of its own;
* the *window* buffer of an unrolled convolution, addressed by position.

A layout needs shapes, widths and drop codes, never a weight: networks that the accelerator does not
run yet have one too (docs/design/0015-counts-from-shapes.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Stream
from scaledrop.graph import Layer
from scaledrop.layer_mapping import Bases, LayerMapping, Method
from scaledrop.numbers import scaled_bound, signed_width
from scaledrop.tails import tails

__all__ = ["WINDOW_BITS", "NetworkLayout"]

LOGIT_ROOM = 36
"""Widest logit for which room is left: sums of 2**28 of them still fit 64 bits."""

WINDOW_BITS = 4096
"""Largest unrolled window that is kept in registers; above it a convolution goes tap by tap."""


@dataclass(frozen=True)
class NetworkLayout:
    """Every layer of a network on one array.

    Attributes:
        convolution: ``unrolled``, ``taps``, or ``auto``: unrolled, which takes the fewest crossbar
            activations, unless the window is larger than ``WINDOW_BITS``.

    Raises:
        UserError: an unknown mapping.
    """

    network: FrozenNetwork
    array: ArrayShape
    convolution: str = "auto"

    def __post_init__(self) -> None:
        known = ("auto", *(str(method) for method in (Method.UNROLLED, Method.TAPS)))
        if self.convolution not in known:
            raise UserError(
                f"convolution: must be {', '.join(known[:-1])} or {known[-1]}, "
                f"not {self.convolution!r}"
            )

    def _method(self, layer: FrozenLayer) -> Method:
        if layer.window is None:
            return Method.DENSE
        small = layer.in_features * layer.planes <= WINDOW_BITS
        if self.convolution == "auto":
            return Method.UNROLLED if small else Method.TAPS
        return Method(self.convolution)

    @cached_property
    def layers(self) -> tuple[LayerMapping, ...]:
        graph = self.network.graph
        behind = tails(graph, self._method_of)
        mapped: list[LayerMapping] = []
        bases = Bases()
        for index, layer in enumerate(self.network.layers):
            entry = LayerMapping(
                index=index,
                layer=layer,
                array=self.array,
                method=self._method(layer),
                tail=behind[layer.name],
                source=graph.input_of(layer.node),
                result=graph.values[layer.name],
                bases=bases,
            )
            mapped.append(entry)
            bases = entry.following
        return tuple(mapped)

    def _method_of(self, node: Layer) -> Method:
        return self._method(next(one for one in self.network.layers if one.name == node.name))

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
    def partial_width(self) -> int:
        """Bits of one column sum behind its converter."""
        rows, converter = self.array.rows, self.array.converter
        if converter is None:
            return rows.bit_length() + 1
        return max(signed_width(converter.reach(rows)), 2)

    @property
    def plane_width(self) -> int:
        """Bits of the sum of one plane over a whole fan-in."""
        bound = max(entry.plane_bound for entry in self.layers)
        return max(signed_width(bound), self.partial_width)

    @property
    def running_width(self) -> int:
        """Bits of a running sum in the accelerator."""
        # Equal widths would mean that no sum has more than one plane.
        several = any(entry.planes > 1 for entry in self.layers)
        return max(self.sum_width, self.plane_width + several)

    @property
    def logit_width(self) -> int:
        """Bits of a logit in the accelerator: what all gains and scales of these formats can make,
        and an offset as large, so that a network that is trained anew fits."""
        head = self.network.head
        bound = scaled_bound(self.layers[-1].sum_bound, self.network.scale_bits)
        largest = 2 ** (head.gain_bits - 1) * bound
        least = max(self.network.logit_width, signed_width(head.bound(bound)))
        return max(least, min(signed_width(2 * largest), LOGIT_ROOM))

    @property
    def sum_width(self) -> int:
        """Bits of the widest sum as it is read, exact or converted: thresholds are of both."""
        read = max(signed_width(entry.sum_bound) for entry in self.layers)
        return max(self.network.sum_width, read)

    @property
    def scaled_width(self) -> int:
        """Bits of the widest scaled sum."""
        bits = self.network.scale_bits
        read = max(signed_width(scaled_bound(entry.sum_bound, bits)) for entry in self.layers)
        return max(self.network.scaled_width, read)

    @property
    def results(self) -> int:
        """Results of an image: one a class, at every position that has a prediction."""
        return self.network.classes * math.prod(self.network.positions)

    @property
    def has_graph_events(self) -> bool:
        """It has streams or sum pools; see :class:`scaledrop.events.GraphEvent`."""
        return any(isinstance(one.output, Stream) or one.addends > 1 for one in self.network.layers)

    @property
    def drop_codes(self) -> Sequence[int]:
        return [entry.layer.drop_code for entry in self.layers]

    @property
    def pool_words(self) -> int:
        """Words of the pooling memory, of one outcome; 0 without pooling."""
        pooled = (
            -(-one.columns // one.pool) * entry.beats_of(one.channels)
            for entry in self.layers
            for one in entry.tail.deliveries
            if one.pool > 1
        )
        return max(pooled, default=0)
