# SPDX-License-Identifier: Apache-2.0
"""Crossbar tile whose weights, those of every tile, are constants in the logic."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop.layer_mapping import Method
from scaledrop_hw.baked_array import BakedArray
from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.crossbar import CellArray

__all__ = ["BakedTile", "lines_of"]

COLUMNS = 1024
"""Most columns of one array."""


def lines_of(mapped):
    """(lines, mask) of every tile of a mapped layer, in their order.

    Parameters
    ----------
    mapped : scaledrop.layer_mapping.LayerMapping
    """
    masks = [
        sum(1 << row for row, place in enumerate(tile) if place >= 0)
        for tile in mapped.row_index.reshape(-1, mapped.array.rows).tolist()
    ]
    if mapped.reads_image:
        lines = "planes"
    else:
        padded = mapped.method is Method.UNROLLED and mapped.window.padding
        lines = "any" if padded else "signs"
    return [(lines, mask) for mask in masks] * mapped.column_tiles


class BakedTile(wiring.Component):
    """Many R x C arrays of +-1 cells whose weights never change; the tile address selects one.

    A CrossbarTile without a memory, and without a host that could load one. Tiles whose word lines
    carry the same share the tables of a BakedArray.

    Parameters
    ----------
    rows, columns : int
        Size of a tile, 1 to 1024 each.
    init : list of int
        One integer per tile: bit ``column * rows + row``, 1 for +1 and 0 for -1.
    lines : list of (str, int)
        One pair per tile: ``lines`` and ``mask`` of a BakedArray.

    Members
    -------
    enable : In(1)
        Pipeline advances. When low, nothing changes and the outputs hold.
    start : In(1)
        An activation begins in this cycle. Without it no row is driven.
    tile : In(range(tiles))
    drive, sign : In(rows)
    partials : Out(ArrayLayout(signed, columns))
    driven : Out
        Number of driven rows, with the same latency as ``partials``.

    Timing
    ------
    Latency that of CellArray; one activation per enabled cycle. The choice between tiles is behind
    the last register. Nothing is reset: validity travels beside the data.

    Raises
    ------
    UserError
        A parameter outside its range; not one pair of ``lines`` a tile.
    """

    LATENCY = CellArray.LATENCY

    def __init__(self, *, rows, columns, init, lines):
        self._rows = require_range("rows", rows, 1, 1024)
        self._columns = require_range("columns", columns, 1, 1024)
        words = require_words("tile", ([word] for word in init), 1, 0, (1 << rows * columns) - 1)
        self._init = [word for (word,) in words]
        require_range("number of tiles", len(self._init), 1, 2**20)
        self._lines = [tuple(pair) for pair in lines]
        if len(self._lines) != len(self._init):
            raise UserError(f"lines must hold {len(self._init)} pairs, not {len(self._lines)}")
        self._arrays = [(tiles, self._array(tiles)) for tiles in self._groups()]
        super().__init__(
            {
                "enable": In(1),
                "start": In(1),
                "tile": In(range(max(len(self._init), 2))),
                "drive": In(rows),
                "sign": In(rows),
                "partials": Out(data.ArrayLayout(signed(rows.bit_length() + 1), columns)),
                "driven": Out(range(rows + 1)),
            }
        )

    @property
    def rows(self):
        return self._rows

    @property
    def columns(self):
        return self._columns

    @property
    def tiles(self):
        return len(self._init)

    @property
    def lines(self):
        return self._lines

    twin = staticmethod(CellArray.twin)

    def _groups(self):
        """Tiles side by side in one array: those whose lines are the same, as many as it takes."""
        known = {}
        for tile, pair in enumerate(self._lines):
            known.setdefault(pair, []).append(tile)
        most = COLUMNS // self._columns
        return [
            tiles[at : at + most] for tiles in known.values() for at in range(0, len(tiles), most)
        ]

    def _array(self, tiles):
        lines, mask = self._lines[tiles[0]]
        size = self._rows * self._columns
        return BakedArray(
            rows=self._rows,
            columns=self._columns * len(tiles),
            word=sum(self._init[tile] << place * size for place, tile in enumerate(tiles)),
            lines=lines,
            mask=mask,
        )

    def elaborate(self, platform):
        m = Module()
        for index, (_, array) in enumerate(self._arrays):
            m.submodules[f"array_{index}"] = array
            m.d.comb += [
                array.enable.eq(self.enable),
                array.start.eq(self.start),
                array.drive.eq(self.drive),
                array.sign.eq(self.sign),
            ]
        with m.Switch(self._delayed(m)):
            for array, place, tile in self._places():
                with m.Case(tile) if tile else m.Default():
                    first = place * self._columns
                    m.d.comb += self.driven.eq(array.driven)
                    m.d.comb += [
                        self.partials[column].eq(array.partials[first + column])
                        for column in range(self._columns)
                    ]
        return m

    def _places(self):
        """(array, place in it, tile), the first tile last: it is taken for want of another."""
        found = [
            (array, place, tile)
            for tiles, array in self._arrays
            for place, tile in enumerate(tiles)
        ]
        return sorted(found, key=lambda one: -one[2])

    def _delayed(self, m):
        """The tile's address beside its partial sums."""
        tile = self.tile
        for stage in range(self.LATENCY):
            before, tile = tile, Signal.like(self.tile, name=f"tile_{stage}", reset_less=True)
            with m.If(self.enable):
                m.d.sync += tile.eq(before)
        return tile
