# SPDX-License-Identifier: Apache-2.0
"""The array of one chip: which current every tile makes of every drive."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from scaledrop.analog.cells import CellModel
from scaledrop.analog.readout import ReadoutModel
from scaledrop.analog.wires import WireModel, transfer
from scaledrop.array_shape import ArrayShape
from scaledrop.layer_mapping import LayerMapping

__all__ = ["GRID", "AnalogArray", "AnalogTiles"]

Floats = npt.NDArray[np.float64]

GRID = 2.0**-16
"""Sums are made of multiples of it, so that float64 adds them exactly in any order and a run
repeats bit for bit on every machine. Far below any converter's step."""

CELLS, READOUT = 0, 1
"""Streams of a tile's random numbers."""


@dataclass(frozen=True, eq=False)
class AnalogTiles:
    """A layer on the array, in units of one ideal cell.

    Attributes:
        gains: (taps, row tiles, rows, channels): what a row driven with +1 adds to a column sum;
            +-1 where nothing is wrong, 0 in rows out of use. Multiples of :data:`GRID`.
        offsets: (taps, row tiles, channels), multiples of :data:`GRID`.
    """

    gains: Floats
    offsets: Floats

    @property
    def exact(self) -> bool:
        """All gains are +-1 or 0 and no converter has an offset."""
        return bool((self.gains == np.rint(self.gains)).all()) and not self.offsets.any()


@dataclass(frozen=True)
class AnalogArray:
    """One chip.

    Attributes:
        shape: of a tile; ``columns`` are weights, two bit lines each.
        cells, wires, readout: its parts; no wires where None.
        trim: the reference of each layer's converters is set so that the mean cell is worth 1.
        seed: of everything that differs from chip to chip, and of read noise.
    """

    shape: ArrayShape = field(default_factory=ArrayShape)
    cells: CellModel = field(default_factory=CellModel)
    wires: WireModel | None = None
    readout: ReadoutModel = field(default_factory=ReadoutModel)
    trim: bool = False
    seed: int = 0

    def tiles(self, mapped: LayerMapping) -> AnalogTiles:
        """The cells of a layer as its converters see them.

        Rows and columns out of use hold -1, and load the wires. A weight's two bit lines lie side
        by side.
        """
        weights = _padded(mapped)
        cells, lines = np.empty(weights.shape), np.empty((*weights.shape[:3], weights.shape[-1]))
        for at in np.ndindex(*weights.shape[:3]):
            cells[at], lines[at] = self._tile(weights[at], (mapped.index, *at))
        shape, channels = mapped.row_index.shape, mapped.layer.out_features
        used = mapped.row_index >= 0
        gains = cells.transpose(0, 1, 3, 2, 4).reshape(*shape, -1)[..., :channels]
        gains = gains * used[..., None]
        if self.trim:
            ideal = 2.0 * mapped.layer.weights.T[mapped.row_index] - 1
            gains /= (gains * ideal).sum() / (used.sum() * channels)
        offsets = lines.reshape(*shape[:2], -1)[..., :channels]
        return AnalogTiles(_on_grid(gains), _on_grid(offsets))

    def _tile(
        self, weights: npt.NDArray[np.uint8], place: tuple[int, ...]
    ) -> tuple[Floats, Floats]:
        """Gains (rows, columns) and offsets (columns,) of one tile."""
        rows, columns = weights.shape
        pairs = self.cells.conductances(weights, self._rng(CELLS, place))
        if self.wires is not None:
            lines = transfer(pairs.reshape(rows, 2 * columns), self.wires)
            pairs = lines.reshape(rows, columns, 2)
        gains = (pairs[..., 0] - pairs[..., 1]) / self.cells.unit_s
        draws = self._rng(READOUT, place).standard_normal((2, columns))
        gains = gains * (1.0 + self.readout.gain_spread * draws[0])
        return gains, self.readout.offset_spread * draws[1]

    def _rng(self, stream: int, place: tuple[int, ...]) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream, *place])


def _padded(mapped: LayerMapping) -> npt.NDArray[np.uint8]:
    """(taps, row tiles, column tiles, rows, columns) weight bits; 0 where no cell is in use."""
    used = mapped.row_index >= 0
    cells = mapped.layer.weights[:, np.where(used, mapped.row_index, 0)] * used
    columns = mapped.array.columns
    padded = np.zeros((mapped.column_tiles * columns, *used.shape), dtype=np.uint8)
    padded[: len(cells)] = cells
    tiles = padded.reshape(mapped.column_tiles, columns, *used.shape)
    return tiles.transpose(2, 3, 0, 4, 1)


def _on_grid(values: Floats) -> Floats:
    return np.asarray(np.rint(values / GRID) * GRID)
