# SPDX-License-Identifier: Apache-2.0
"""One layer on the crossbar array."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scaledrop.array_shape import ArrayShape
from scaledrop.bases import Bases
from scaledrop.frozen_layer import FrozenLayer, Head, Threshold
from scaledrop.graph import Kind, Value, Window
from scaledrop.tails import Delivery, Method, Tail

__all__ = ["Bases", "LayerMapping", "Method"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LayerMapping:
    """One layer on the array; tile ``(column_tile * taps + tap) * row_tiles + row_tile``.

    Attributes:
        index: of the layer, and of its mask bit.
        method: how it is laid out.
        tail: what becomes of its results.
        source: what it takes.
        result: what it gives, before pooling.
        bases: where it begins in every memory; those of the activation vector are addresses in a
            chain, and only add up to a capacity where results have several readers.
    """

    index: int
    layer: FrozenLayer
    array: ArrayShape
    method: Method
    tail: Tail
    source: Value
    result: Value
    bases: Bases

    @property
    def user(self) -> Method | None:
        """How the one layer that takes its codes is laid out; None where there is none."""
        return self.tail.deliveries[0].method if self.tail.deliveries else None

    @property
    def pool(self) -> int:
        """Size of the max pool in front of that layer; 1 for none."""
        return self.tail.deliveries[0].pool if self.tail.deliveries else 1

    @property
    def window(self) -> Window:
        """The kernel; a dense layer is one position of a 1 x 1 kernel."""
        return self.layer.window or Window(1)

    @property
    def is_head(self) -> bool:
        return isinstance(self.layer.output, Head)

    @property
    def is_compared(self) -> bool:
        """Its results become codes at once; else it is the head, or feeds a stream."""
        return isinstance(self.layer.output, Threshold)

    @property
    def reads_image(self) -> bool:
        return self.source.kind is Kind.PIXELS

    @property
    def positions(self) -> tuple[int, int]:
        """Rows and columns of output positions; (1, 1) for a dense layer."""
        return (1, 1) if self.layer.window is None else (self.result.shape[1], self.result.shape[2])

    @property
    def position_count(self) -> int:
        return self.positions[0] * self.positions[1]

    @property
    def taps(self) -> int:
        return self.window.size**2 if self.method is Method.TAPS else 1

    @cached_property
    def row_index(self) -> Integers:
        """(taps, row_tiles, rows) place in the fan-in of every word line; -1 where none is."""
        order = self._order()
        rows, taps = self.array.rows, len(order)
        tiles = -(-order.shape[1] // rows)
        padded = np.full((taps, tiles * rows), -1, dtype=np.int64)
        padded[:, : order.shape[1]] = order
        return padded.reshape(taps, tiles, rows)

    def _order(self) -> Integers:
        """(taps, word lines) place in the fan-in."""
        index = np.arange(self.layer.in_features, dtype=np.int64)
        size = self.window.size
        if self.method is Method.UNROLLED:
            return index.reshape(-1, size, size).transpose(2, 1, 0).reshape(1, -1)
        if self.method is Method.TAPS:
            return index.reshape(-1, size * size).T
        if len(self.source.shape) == 1:
            return index[None]
        channels = self.source.shape[0]
        by_position = index.reshape(channels, -1).T
        if self.reads_image:
            return by_position.reshape(1, -1)
        lanes = self.array.lanes
        padded = np.full((len(by_position), -(-channels // lanes) * lanes), -1, dtype=np.int64)
        padded[:, :channels] = by_position
        return padded.reshape(1, -1)

    @property
    def plane_bound(self) -> int:
        """Largest magnitude of a bit plane's sum as it is read."""
        converter = self.array.converter
        if converter is None:
            return self.layer.in_features
        used = (self.row_index >= 0).sum(axis=-1).ravel().tolist()
        return sum(converter.reach(rows) for rows in used)

    @property
    def sum_bound(self) -> int:
        """Largest magnitude of a sum as it is read; that of the layer without loss."""
        return self.layer.sum_bound // self.layer.in_features * self.plane_bound

    @property
    def row_tiles(self) -> int:
        """Row tiles of a tap."""
        return int(self.row_index.shape[1])

    @property
    def column_tiles(self) -> int:
        return -(-self.layer.out_features // self.array.columns)

    @property
    def tile_count(self) -> int:
        return self.taps * self.row_tiles * self.column_tiles

    @property
    def planes(self) -> int:
        """Bits of an input element on the word lines. A sum of n codes of k bits is driven as the
        planes of a number up to n * (2**k - 1); the constant between the two codings is the
        threshold's or the offset's."""
        return (self.layer.addends * ((1 << self.layer.planes) - 1)).bit_length()

    @property
    def steps(self) -> int:
        """Crossbar activations until one column tile of a position is summed."""
        return self.planes * self.taps * self.row_tiles

    @property
    def macs(self) -> int:
        """Multiply-adds of one visit; those of padding are counted, as usual."""
        return self.layer.weights.size * self.position_count

    @property
    def activations(self) -> int:
        """Crossbar activations of one visit."""
        return self.position_count * self.column_tiles * self.steps

    def columns_used(self, column_tile: int) -> int:
        left = self.layer.out_features - column_tile * self.array.columns
        return min(left, self.array.columns)

    def beats(self, column_tile: int) -> int:
        """Beats that take a column tile's sums away."""
        return -(-self.columns_used(column_tile) // self.array.lanes)

    @property
    def groups(self) -> int:
        """Beats of one position."""
        return -(-self.layer.out_features // self.array.lanes)

    @property
    def beat_count(self) -> int:
        """Beats of one visit and outcome."""
        return self.groups * self.position_count

    @property
    def levels(self) -> int:
        """Thresholds of a channel."""
        output = self.layer.output
        return (1 << output.planes) - 1 if isinstance(output, Threshold) else 1

    @property
    def pooled(self) -> tuple[int, int]:
        """Rows and columns of positions behind the pool; what is left over is dropped."""
        height, width = self.positions
        return height // self.pool, width // self.pool

    def beats_of(self, channels: int) -> int:
        """Beats of one position of so many channels."""
        return -(-channels // self.array.lanes)

    @property
    def position_words(self) -> int:
        """Words of the vector that a position takes, for a user that goes tap by tap."""
        return -(-self.groups * self.array.lanes // self.array.rows)

    def words_of(self, delivery: Delivery) -> int:
        """Words of the vector that one outcome takes; 0 where the codes go elsewhere."""
        if delivery.method is Method.UNROLLED or delivery.value.addends > 1:
            return 0
        width = self.beats_of(delivery.channels) * self.array.lanes
        if delivery.method is Method.TAPS:
            return delivery.positions * -(-width // self.array.rows)
        return -(-delivery.positions * width // self.array.rows)

    @property
    def out_words(self) -> int:
        """Words of the vector that one outcome takes, for all who read it."""
        return sum(map(self.words_of, self.tail.deliveries))

    @property
    def following(self) -> Bases:
        """Bases of the layer behind it."""
        masks = 0 if self.method is Method.UNROLLED else self.row_tiles
        at = self.bases
        return Bases(
            tile=at.tile + self.tile_count,
            mask=at.mask + masks,
            scale=at.scale + self.groups,
            level=at.level + (self.groups * self.levels if self.is_compared else 0),
            source=at.target,
            target=at.target + 2 * self.out_words,
        )

    @property
    def last_tile(self) -> int:
        return self.column_tiles - 1

    def tile_words(self) -> list[int]:
        """Weights of every tile as one integer: bit ``column * rows + row``; unused cells are 0."""
        rows, columns = self.array.rows, self.array.columns
        used = self.row_index >= 0
        cells = self.layer.weights[:, np.where(used, self.row_index, 0)] * used
        padded = np.zeros((self.column_tiles * columns, *used.shape), dtype=np.uint8)
        padded[: len(cells)] = cells
        tiles = padded.reshape(self.column_tiles, columns, -1, rows).transpose(0, 2, 1, 3)
        return [_bits_to_int(tile) for tile in tiles.reshape(self.tile_count, columns * rows)]

    def mask_words(self) -> list[int]:
        """Rows in use of every row tile; bit r for word line r."""
        if self.method is Method.UNROLLED:
            return []
        return [_bits_to_int(tile) for tile in (self.row_index[0] >= 0).astype(np.uint8)]

    def by_group(self, values: Integers) -> Integers:
        """Per-channel values (C, ...) as (groups, lanes, ...); unused lanes hold 0."""
        padded = np.zeros((self.groups * self.array.lanes, *values.shape[1:]), dtype=np.int64)
        padded[: len(values)] = values
        return padded.reshape(self.groups, self.array.lanes, *values.shape[1:])


def _bits_to_int(bits: npt.NDArray[np.uint8]) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
