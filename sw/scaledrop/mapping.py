# SPDX-License-Identifier: Apache-2.0
"""How a frozen network lies on a crossbar array: tiles, words and addresses.

One tile holds ``rows`` x ``columns`` cells of +-1. A layer of N inputs and M outputs takes
``ceil(N / rows)`` row tiles for each of ``ceil(M / columns)`` column tiles. The scale and threshold
path handles ``lanes`` channels a cycle; a *beat* is one such group. Activations are stored in words
of ``rows`` bits, so that one word drives one row tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Threshold

__all__ = ["ArrayShape", "LayerMapping", "NetworkMapping"]


@dataclass(frozen=True)
class ArrayShape:
    """Size of one crossbar tile and width of the path behind it.

    Attributes:
        rows: Word lines of a tile, 1 to 1024.
        columns: Bit lines of a tile, 1 to 1024.
        lanes: Channels scaled and compared per cycle; divides rows and columns.

    Raises:
        UserError: an impossible size, with what to change.
    """

    rows: int = 64
    columns: int = 16
    lanes: int = 0

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            if not 1 <= getattr(self, name) <= 1024:
                raise UserError(f"{name}: must be 1 to 1024, not {getattr(self, name)}")
        if self.lanes == 0:
            object.__setattr__(self, "lanes", gcd(self.rows, self.columns))
        if self.lanes < 0 or self.rows % self.lanes or self.columns % self.lanes:
            raise UserError(
                f"lanes: must divide rows ({self.rows}) and columns ({self.columns}), "
                f"not {self.lanes}; {gcd(self.rows, self.columns)} is the widest"
            )


@dataclass(frozen=True)
class LayerMapping:
    """One dense layer on the array.

    Attributes:
        tile_base: First tile; tile ``tile_base + column_tile * row_tiles + row_tile``.
        beat_base: First word of scales and thresholds; one word a beat.
        in_base, out_base: First word read from and written to the activation buffer.
    """

    layer: FrozenLayer
    array: ArrayShape
    tile_base: int
    beat_base: int
    in_base: int
    out_base: int

    @property
    def row_tiles(self) -> int:
        return -(-self.layer.in_features // self.array.rows)

    @property
    def column_tiles(self) -> int:
        return -(-self.layer.out_features // self.array.columns)

    @property
    def last_rows(self) -> int:
        """Rows in use in the last row tile."""
        return self.layer.in_features - (self.row_tiles - 1) * self.array.rows

    @property
    def activations_per_tile(self) -> int:
        """Crossbar activations until one column tile is summed."""
        return self.layer.planes * self.row_tiles

    def columns_used(self, column_tile: int) -> int:
        left = self.layer.out_features - column_tile * self.array.columns
        return min(left, self.array.columns)

    def beats(self, column_tile: int) -> int:
        """Beats that take a column tile's sums away."""
        return -(-self.columns_used(column_tile) // self.array.lanes)

    @property
    def beat_count(self) -> int:
        return sum(self.beats(tile) for tile in range(self.column_tiles))

    @property
    def tile_count(self) -> int:
        return self.row_tiles * self.column_tiles

    @property
    def out_words(self) -> int:
        return -(-self.layer.out_features // self.array.rows)

    @property
    def is_head(self) -> bool:
        return isinstance(self.layer.output, Head)

    def tile_words(self) -> list[int]:
        """Weights of every tile as one integer: bit ``column * rows + row``; unused cells are 0."""
        rows, columns = self.array.rows, self.array.columns
        shape = (self.column_tiles * columns, self.row_tiles * rows)
        padded = np.zeros(shape, dtype=np.uint8)
        padded[: self.layer.out_features, : self.layer.in_features] = self.layer.weights
        tiles = padded.reshape(self.column_tiles, columns, self.row_tiles, rows)
        flat = tiles.transpose(0, 2, 1, 3).reshape(self.tile_count, columns * rows)
        return [_bits_to_int(tile) for tile in flat]

    def by_beat(self, values: npt.NDArray[np.int64], fill: int) -> npt.NDArray[np.int64]:
        """Per-channel values (M,) as (beat_count, lanes); unused lanes hold ``fill``."""
        padded = np.full(self.beat_count * self.array.lanes, fill, dtype=np.int64)
        padded[: len(values)] = values
        return padded.reshape(self.beat_count, self.array.lanes)


@dataclass(frozen=True)
class NetworkMapping:
    """Every layer of a network on one array.

    Raises:
        UserError: a node that the accelerator does not take.
    """

    network: FrozenNetwork
    array: ArrayShape

    def __post_init__(self) -> None:
        for node in self.network.nodes:
            if not isinstance(node, FrozenLayer) or node.window is not None or self._wide(node):
                raise UserError(
                    f"{self.network.name}: the accelerator takes dense layers of 1-bit activations "
                    f"so far, not {node.name!r}; give a network of such layers"
                )

    @staticmethod
    def _wide(layer: FrozenLayer) -> bool:
        return isinstance(layer.output, Threshold) and layer.output.planes > 1

    @cached_property
    def layers(self) -> tuple[LayerMapping, ...]:
        mapped: list[LayerMapping] = []
        tile = beat = in_base = out_base = 0
        for layer in self.network.layers:
            entry = LayerMapping(layer, self.array, tile, beat, in_base, out_base)
            mapped.append(entry)
            tile += entry.tile_count
            beat += entry.beat_count
            in_base = out_base
            out_base += 0 if entry.is_head else entry.out_words
        return tuple(mapped)

    @property
    def tile_count(self) -> int:
        return sum(layer.tile_count for layer in self.layers)

    @property
    def beat_count(self) -> int:
        return sum(layer.beat_count for layer in self.layers)

    @property
    def buffer_words(self) -> int:
        """Words of the activation buffer: every hidden layer keeps its own region."""
        return sum(layer.out_words for layer in self.layers if not layer.is_head)

    @property
    def image_words(self) -> int:
        """Words of one image: a word per bit plane and row tile."""
        return self.layers[0].layer.planes * self.layers[0].row_tiles


def _bits_to_int(bits: npt.NDArray[np.uint8]) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
