# SPDX-License-Identifier: Apache-2.0
"""Digital crossbar tile."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import MemoryShape
from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.compressor import MatchCounter
from scaledrop_hw.hosted_memory import Contents, HostedMemory

__all__ = ["CrossbarTile"]


class CrossbarTile(wiring.Component):
    """Many R x C arrays of +-1 cells behind one port; the tile address selects one.

    For every column c, with r over the driven rows:

        partials[c] = sum_r (sign[r] == weight[r, c] ? +1 : -1)        in [-R, R]

                    = 2 * #{driven r : sign[r] == weight[r, c]} - driven

    An undriven row adds nothing. An 8-bit input is applied one bit plane at a time with ``drive``
    equal to the plane and ``sign`` all ones; a +-1 input drives every row in use.

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
    Latency 5 enabled cycles: weights read; cells of undriven rows cleared; 3 of MatchCounter. One
    activation per enabled cycle. Nothing is reset: validity travels beside the data.

    Reference
    ---------
    arXiv 2311.15816, the binary crossbar; XNOR and AND are one cell with a drive line.
    """

    LATENCY = 2 + MatchCounter.LATENCY

    def __init__(self, *, rows, columns, init):
        self._rows = require_range("rows", rows, 1, 1024)
        self._columns = require_range("columns", columns, 1, 1024)
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
                "partials": Out(data.ArrayLayout(signed(rows.bit_length() + 1), columns)),
                "driven": Out(range(rows + 1)),
                "host": In(self._memory.host.signature.flip()),
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
    def shape(self):
        """Words and parts of the weights."""
        return MemoryShape(self.tiles, self._memory.parts)

    @property
    def contents(self):
        """The weights, column by column."""
        return Contents(data.ArrayLayout(self._rows, self._columns), self._memory.words)

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
        m.submodules.weights = weights = self._memory
        connect(m, flipped(self.host), weights.host)
        driven = Signal(self._rows, name="driven_rows", reset_less=True)
        signs = Signal(self._rows, name="signs", reset_less=True)
        m.d.comb += [weights.address.eq(self.tile), weights.read.eq(self.enable & self.start)]
        with m.If(self.enable):
            m.d.sync += [driven.eq(Mux(self.start, self.drive, 0)), signs.eq(self.sign)]
        minus_driven = self._minus_driven(m, driven)
        totals = self._count(m, driven, signs, minus_driven)
        odd = Signal(reset_less=True)
        count = Signal(range(self._rows + 1), name="driven_count", reset_less=True)
        with m.If(self.enable):
            m.d.sync += [odd.eq(minus_driven[0]), count.eq(-minus_driven)]
        m.d.comb += self.driven.eq(count)
        for column in range(self._columns):
            m.d.comb += self.partials[column].eq(Cat(odd, totals[column]).as_signed())
        return m

    def _minus_driven(self, m, driven):
        """Idle rows less all rows, when ``totals`` of the same activation are summed."""
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

    def _count(self, m, driven, signs, minus_driven):
        """Clear the cells of undriven rows against a sign of 1: they never match. Then count."""
        rows, columns, word = self._rows, self._columns, self._memory.word
        m.submodules.counter = counter = MatchCounter(
            rows=rows, columns=columns, width=rows.bit_length()
        )
        m.d.comb += [counter.enable.eq(self.enable), counter.offset.eq(minus_driven >> 1)]
        for row in range(rows):
            cells = Signal(columns, name=f"cells_{row}", reset_less=True)
            sign = Signal(name=f"sign_{row}", reset_less=True)
            with m.If(self.enable):
                m.d.sync += [
                    cells.eq(Mux(driven[row], Cat(word[row::rows]), 0)),
                    sign.eq(Mux(driven[row], signs[row], 1)),
                ]
            m.d.comb += [counter.weights[row].eq(cells), counter.signs[row].eq(sign)]
        settled = signs | ~driven
        for index, (a, b) in enumerate(counter.pairs):
            differ = Signal(name=f"pair_sign_{index}", reset_less=True)
            with m.If(self.enable):
                m.d.sync += differ.eq(settled[a] ^ settled[b])
            m.d.comb += counter.pair_signs[index].eq(differ)
        return counter.totals
