# SPDX-License-Identifier: Apache-2.0
"""Crossbar tile whose weights are constants in the logic."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.baked_counter import BakedCounter
from scaledrop_hw.checks import require_choice, require_range
from scaledrop_hw.crossbar import CellArray

__all__ = ["LINES", "BakedArray"]


LINES = ("signs", "planes", "any")


class BakedArray(wiring.Component):
    """R x C cells of +-1 whose weights never change; a CellArray without ``word``.

    For every column c, with r over the driven rows:

        partials[c] = sum_r (sign[r] == weight[r, c] ? +1 : -1)        in [-R, R]

    With plus = drive & sign, minus = drive & ~sign, U rows in use, Z[c] of them with a weight of
    -1, and M[c] a count of inputs that equal their constant (see BakedCounter):

        signs     partials[c] = 2 * M[c] - U,  plus against weight; 0 where no row is driven
        planes    partials[c] = M[c] - Z[c],   plus against weight
        any       partials[c] = M[c] - U,      plus against weight, minus against -weight

    Parameters
    ----------
    rows, columns : int
        1 to 1024 each.
    word : int
        Weights: bit ``column * rows + row``, 1 for +1 and 0 for -1.
    lines : str
        What ``drive`` and ``sign`` are known to be. ``signs``: every row in use is driven, or none,
        as with inputs of +-1. ``planes``: the sign of every driven row is 1, as with the bit planes
        of an unsigned input. ``any``: anything, in twice the logic.
    mask : int
        Rows in use: no other is ever driven. All rows unless given.

    Members
    -------
    enable : In(1)
        Pipeline advances. When low, nothing changes and the outputs hold.
    start : In(1)
        An activation begins in this cycle. Without it no row is driven.
    drive, sign : In(rows)
    partials : Out(ArrayLayout(signed, columns))
    driven : Out
        Number of driven rows, with the same latency as ``partials``.

    Timing
    ------
    Latency that of CellArray. One activation per enabled cycle. Nothing is reset: validity travels
    beside the data.

    Raises
    ------
    UserError
        A parameter outside its range, or no row in use.
    """

    LATENCY = CellArray.LATENCY

    def __init__(self, *, rows, columns, word, lines="any", mask=None):
        self._rows = require_range("rows", rows, 1, 1024)
        self._columns = require_range("columns", columns, 1, 1024)
        self._word = require_range("word", word, 0, (1 << rows * columns) - 1)
        self._lines = require_choice("lines", lines, LINES)
        full = (1 << rows) - 1
        self._mask = require_range("mask", full if mask is None else mask, 1, full)
        super().__init__(
            {
                "enable": In(1),
                "start": In(1),
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
    def word(self):
        return self._word

    @property
    def lines(self):
        return self._lines

    @property
    def mask(self):
        return self._mask

    twin = staticmethod(CellArray.twin)

    @property
    def _used(self):
        return [row for row in range(self._rows) if self._mask >> row & 1]

    def _weights(self, row):
        """Weights of a row, one bit a column."""
        word = self._word >> row
        bits = (word >> column * self._rows & 1 for column in range(self._columns))
        return sum(bit << column for column, bit in enumerate(bits))

    def elaborate(self, platform):
        m = Module()
        build = {"signs": self._of_signs, "planes": self._of_planes, "any": self._of_any}
        build[self._lines](m)
        return m

    def _counter(self, m, patterns, offsets, width):
        m.submodules.counter = counter = BakedCounter(
            patterns=patterns, offsets=offsets, width=width, latency=self.LATENCY
        )
        m.d.comb += counter.enable.eq(self.enable)
        return counter

    def _of_signs(self, m):
        """All rows or none: an activation of none is cleared at the end."""
        used = self._used
        weights = [self._weights(row) for row in used]
        offsets = [-len(used) // 2] * self._columns
        counter = self._counter(m, weights, offsets, self._rows.bit_length())
        alive = [Signal(name=f"alive_{stage}", reset_less=True) for stage in range(self.LATENCY)]
        with m.If(self.enable):
            m.d.sync += Cat(*alive).eq(Cat(self.start & self.drive[used[0]], *alive))
        m.d.comb += [
            counter.inputs.eq(Cat(self.sign[row] for row in used)),
            counter.keep.eq(alive[-2]),
            self.driven.eq(Mux(alive[-1], len(used), 0)),
        ]
        odd = alive[-1] if len(used) % 2 else Const(0)
        for column in range(self._columns):
            m.d.comb += self.partials[column].eq(Cat(odd, counter.totals[column]).as_signed())

    def _of_planes(self, m):
        """Plus against the weights; a column more counts the driven rows."""
        used, more = self._used, 1 << self._columns
        weights = [self._weights(row) for row in used]
        minus = [sum(~bits >> column & 1 for bits in weights) for column in range(self._columns)]
        self._finish(
            m,
            [bits | more for bits in weights],
            [*(-z for z in minus), 0],
            [self.drive[row] for row in used],
        )

    def _of_any(self, m):
        """Plus against the weights, minus against their opposites; a column more counts."""
        used, more = self._used, 1 << self._columns
        weights = [self._weights(row) for row in used]
        both = [*weights, *(bits ^ (more - 1) for bits in weights)]
        offsets = [*[-len(used)] * self._columns, 0]
        plus = [self.drive[row] & self.sign[row] for row in used]
        minus = [self.drive[row] & ~self.sign[row] for row in used]
        self._finish(m, [bits | more for bits in both], offsets, [*plus, *minus])

    def _finish(self, m, patterns, offsets, inputs):
        counter = self._counter(m, patterns, offsets, self._rows.bit_length() + 1)
        *partials, driven = counter.totals
        m.d.comb += [
            counter.inputs.eq(Cat(*inputs)),
            counter.clear.eq(~self.start),
            counter.keep.eq(1),
            self.driven.eq(driven),
        ]
        m.d.comb += [self.partials[at].eq(partial) for at, partial in enumerate(partials)]
