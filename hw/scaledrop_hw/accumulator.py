# SPDX-License-Identifier: Apache-2.0
"""Accumulator-adder: partial sums over row tiles and over input bits."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["AccumulatorAdder"]


class AccumulatorAdder(wiring.Component):
    """Adds partial sums over the row tiles of a bit plane, and over bit planes by Horner's rule.

        total = (0 if first else 2 * sum if double else sum) + partial

    Planes come most significant first: ``double`` is set on the first row tile of every plane but
    the first. The sum of a layer of fan-in n and q planes stays within n * (2**q - 1), so
    ``sum_width = 1 + bit_length(n * (2**q - 1))`` never overflows, intermediate values included
    (a prefix of Horner's rule is the sum of a smaller input).

    Parameters
    ----------
    columns : int
        Accumulators side by side, 1 to 1024.
    partial_width, sum_width : int
        Signed widths, partial_width <= sum_width <= 62.

    Members
    -------
    enable : In(1)
        A partial sum is taken in this cycle.
    first, double : In(1)
    partials : In(ArrayLayout(signed(partial_width), columns))
    totals : Out(ArrayLayout(signed(sum_width), columns))
        Combinational: the sum including this cycle's partials; registered when ``enable``.

    Timing
    ------
    Latency 0 for ``totals``; one partial sum per column per cycle.
    """

    def __init__(self, *, columns, partial_width, sum_width):
        self._columns = require_range("columns", columns, 1, 1024)
        self._partial_width = require_range("partial_width", partial_width, 2, 62)
        self._sum_width = require_range("sum_width", sum_width, partial_width, 62)
        super().__init__(
            {
                "enable": In(1),
                "first": In(1),
                "double": In(1),
                "partials": In(data.ArrayLayout(signed(partial_width), columns)),
                "totals": Out(data.ArrayLayout(signed(sum_width), columns)),
            }
        )

    @property
    def columns(self):
        return self._columns

    @property
    def partial_width(self):
        return self._partial_width

    @property
    def sum_width(self):
        return self._sum_width

    @staticmethod
    def twin(steps):
        """Sum after ``steps``, a list of (first, double, partial)."""
        total = 0
        for first, double, partial in steps:
            total = (0 if first else 2 * total if double else total) + partial
        return total

    def elaborate(self, platform):
        m = Module()
        for column in range(self._columns):
            kept = Signal(signed(self._sum_width), name=f"sum_{column}")
            base = Signal(signed(self._sum_width), name=f"base_{column}")
            m.d.comb += [
                base.eq(Mux(self.first, 0, Mux(self.double, kept << 1, kept))),
                self.totals[column].eq(base + self.partials[column]),
            ]
            with m.If(self.enable):
                m.d.sync += kept.eq(self.totals[column])
        return m
