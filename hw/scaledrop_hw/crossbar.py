# SPDX-License-Identifier: Apache-2.0
"""Digital crossbar tile."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import MemoryShape
from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.compressor import MatchCounter
from scaledrop_hw.hosted_memory import HostedMemory

__all__ = ["CellArray", "CrossbarTile"]


class CellArray(wiring.Component):
    """R x C cells of +-1 whose weights arrive from outside.

    For every column c, with r over the driven rows:

        partials[c] = sum_r (sign[r] == weight[r, c] ? +1 : -1)        in [-R, R]
                    = 2 * (#{driven r : sign[r] == weight[r, c]} - ceil(driven / 2)) + driven % 2

    The cells of undriven rows are cleared by the synchronous reset of their registers, against a
    sign of 1, and never match: being driven costs no logic in a cell.

    Parameters
    ----------
    rows, columns : int
        1 to 1024 each.

    Members
    -------
    enable : In(1)
        Pipeline advances. When low, nothing changes and the outputs hold.
    start : In(1)
        An activation begins in this cycle. Without it no row is driven.
    drive, sign : In(rows)
    word : In(rows * columns)
        Weights, one enabled cycle later: bit ``column * rows + row``, 1 for +1 and 0 for -1.
    partials : Out(ArrayLayout(signed, columns))
    driven : Out
        Number of driven rows, with the same latency as ``partials``.

    Timing
    ------
    Latency 6 enabled cycles from ``start``: rows and weights registered; cells of undriven rows
    cleared; 4 of MatchCounter. One activation per enabled cycle. Nothing is reset: validity travels
    beside the data.
    """

    LATENCY = 2 + MatchCounter.LATENCY

    def __init__(self, *, rows, columns):
        self._rows = require_range("rows", rows, 1, 1024)
        self._columns = require_range("columns", columns, 1, 1024)
        super().__init__(
            {
                "enable": In(1),
                "start": In(1),
                "drive": In(rows),
                "sign": In(rows),
                "word": In(rows * columns),
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

    @staticmethod
    def twin(word, drive, sign, rows, columns):
        """Partial sums of one activation in plain integers."""
        partials = []
        for column in range(columns):
            weights = word >> (column * rows)
            cells = [r for r in range(rows) if drive >> r & 1]
            partials.append(sum(1 if (sign ^ weights) >> r & 1 == 0 else -1 for r in cells))
        return partials

    def elaborate(self, platform):
        m = Module()
        driven = self._held(m, "driven_rows", Mux(self.start, self.drive, 0))
        signs = self._held(m, "signs", self.sign)
        minus_driven = self._minus_driven(m, driven)
        halves = self._count(m, driven, signs, minus_driven >> 1)
        odd = self._held(m, "odd", minus_driven[0])
        m.d.comb += self.driven.eq(self._held(m, "driven_count", (-minus_driven)[:-2]))
        for column in range(self._columns):
            m.d.comb += self.partials[column].eq(Cat(odd, halves[column]).as_signed())
        return m

    def _held(self, m, name, value):
        """``value`` one enabled cycle later."""
        held = Signal(len(value), name=name, reset_less=True)
        with m.If(self.enable):
            m.d.sync += held.eq(value)
        return held

    def _minus_driven(self, m, driven):
        """Idle rows less all rows: it is there when the activation's matches are summed."""
        m.submodules.idle = idle = MatchCounter(
            rows=self._rows, columns=1, width=self._rows.bit_length() + 1
        )
        m.d.comb += [
            idle.enable.eq(self.enable),
            idle.signs.eq(0),
            idle.pair_signs.eq(0),
            idle.weights.eq(driven),
            idle.offset.eq(-self._rows),
        ]
        return idle.totals[0]

    def _count(self, m, driven, signs, offset):
        """Clear undriven rows, then count matches."""
        rows, columns = self._rows, self._columns
        m.submodules.counter = counter = MatchCounter(
            rows=rows, columns=columns, width=rows.bit_length()
        )
        m.d.comb += [counter.enable.eq(self.enable), counter.offset.eq(offset)]
        for row in range(rows):
            weights = Cat(self.word[row::rows])
            cells = self._held(m, f"cells_{row}", Mux(driven[row], weights, 0))
            sign = self._held(m, f"sign_{row}", Mux(driven[row], signs[row], 1))
            m.d.comb += [counter.weights[row].eq(cells), counter.signs[row].eq(sign)]
        settled = signs | ~driven
        for index, (a, b) in enumerate(counter.pairs):
            differ = self._held(m, f"pair_sign_{index}", settled[a] ^ settled[b])
            m.d.comb += counter.pair_signs[index].eq(differ)
        return counter.totals


class CrossbarTile(wiring.Component):
    """Many R x C arrays of +-1 cells behind one port; the tile address selects one.

    See CellArray for what a tile computes. An 8-bit input is applied one bit plane at a time with
    ``drive`` equal to the plane and ``sign`` all ones; a +-1 input drives every row in use.

    Parameters
    ----------
    rows, columns : int
        Size of a tile, 1 to 1024 each.
    init : list of int
        One integer per tile: bit ``column * rows + row``, 1 for +1 and 0 for -1.

    Members
    -------
    enable : In(1)
        Pipeline advances. When low, nothing changes and the outputs hold.
    start : In(1)
        An activation begins in this cycle. Without it no weight is read and no row driven.
    tile : In(range(tiles))
    drive, sign : In(rows)
    partials : Out(ArrayLayout(signed, columns))
    driven : Out
        Number of driven rows, with the same latency as ``partials``.
    host : In(host_part_signature)
        Loads and reads back the tiles, a word each.

    Timing
    ------
    Latency 6 enabled cycles, that of CellArray; one activation per enabled cycle. Nothing is
    reset: validity travels beside the data.

    Platform overrides
    ------------------
    ``get_crossbar(tile)`` returns what stands in the place of the digital body, or None.

    Reference
    ---------
    arXiv 2311.15816, the binary crossbar; XNOR and AND are one cell with a drive line.
    """

    LATENCY = CellArray.LATENCY

    def __init__(self, *, rows, columns, init):
        self._array = CellArray(rows=rows, columns=columns)
        words = require_words("tile", ([word] for word in init), 1, 0, (1 << rows * columns) - 1)
        self._init = [word for (word,) in words]
        require_range("number of tiles", len(self._init), 1, 2**20)
        self._memory = HostedMemory(width=rows * columns, depth=len(self._init), init=self._init)
        super().__init__(
            {
                "enable": In(1),
                "start": In(1),
                "tile": In(range(max(len(self._init), 2))),
                "drive": In(rows),
                "sign": In(rows),
                "partials": Out(self._array.partials.shape()),
                "driven": Out(self._array.driven.shape()),
                "host": In(self._memory.host.signature.flip()),
            }
        )

    @property
    def rows(self):
        return self._array.rows

    @property
    def columns(self):
        return self._array.columns

    @property
    def tiles(self):
        return len(self._init)

    @property
    def shape(self):
        """Words and parts of the weights."""
        return MemoryShape(self.tiles, self._memory.parts)

    twin = staticmethod(CellArray.twin)

    def elaborate(self, platform):
        other = platform.get_crossbar(self) if hasattr(platform, "get_crossbar") else None
        if other is not None:
            return other
        m = Module()
        m.submodules.weights = weights = self._memory
        m.submodules.array = array = self._array
        connect(m, flipped(self.host), weights.host)
        m.d.comb += [
            weights.address.eq(self.tile),
            weights.read.eq(self.enable & self.start),
            array.enable.eq(self.enable),
            array.start.eq(self.start),
            array.drive.eq(self.drive),
            array.sign.eq(self.sign),
            array.word.eq(weights.word),
            self.partials.eq(array.partials),
            self.driven.eq(array.driven),
        ]
        return m
