# SPDX-License-Identifier: Apache-2.0
"""Accumulator-adder: partial sums over row tiles and over input bits."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["AccumulatorAdder"]


class AccumulatorAdder(wiring.Component):
    """Adds partial sums over the row tiles of a bit plane, and over bit planes by Horner's rule.

        plane_total = plane + partial
        total = 2 * earlier + plane_total

    ``plane`` is the sum of the current plane's row tiles before this one, ``earlier`` the total of
    the planes before, most significant first; both are 0 at the start. A row tile that ends its
    plane makes the total the next ``earlier``. Two plain adders take less than one that may double:
    there is nothing to choose in front of them.

    A layer of fan-in n and q planes stays within n in a plane and n * (2**q - 1) in all, so that
    ``plane_width = 1 + bit_length(n)`` and ``sum_width = 1 + bit_length(n * (2**q - 1))`` never
    overflow, intermediate values included (a prefix of Horner's rule is the sum of a smaller
    input).

    Parameters
    ----------
    columns : int
        Accumulators side by side, 1 to 1024.
    partial_width, plane_width, sum_width : int
        Signed widths, 2 <= partial_width <= plane_width <= sum_width <= 62. When the last two are
        equal, a sum has one plane and ``earlier`` is left out.

    Members
    -------
    enable : In(1)
        A partial sum is taken in this cycle.
    ends_plane, last : In(1)
        The partial sum is its plane's last; it is the last of all, and the next starts a new sum.
    partials : In(ArrayLayout(signed(partial_width), columns))
    totals : Out(ArrayLayout(signed(sum_width), columns))
        Of the partial sums taken before this cycle; it holds until the next one is taken.

    Timing
    ------
    ``totals`` follows one cycle after a partial sum; one partial sum per column per cycle. The
    register stands between the two adders.
    """

    LATENCY = 1

    def __init__(self, *, columns, partial_width, plane_width, sum_width):
        self._columns = require_range("columns", columns, 1, 1024)
        self._partial_width = require_range("partial_width", partial_width, 2, 62)
        self._plane_width = require_range("plane_width", plane_width, partial_width, 62)
        self._sum_width = require_range("sum_width", sum_width, plane_width, 62)
        super().__init__(
            {
                "enable": In(1),
                "ends_plane": In(1),
                "last": In(1),
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
    def plane_width(self):
        return self._plane_width

    @property
    def sum_width(self):
        return self._sum_width

    @staticmethod
    def twin(steps):
        """Total at the last of ``steps``, a list of (ends_plane, last, partial)."""
        earlier = plane = total = 0
        for ends_plane, last, partial in steps:
            plane += partial
            total = 2 * earlier + plane
            if ends_plane or last:
                earlier, plane = 0 if last else total, 0
        return total

    def elaborate(self, platform):
        m = Module()
        ends_plane, last = Signal(), Signal()
        with m.If(self.enable):
            m.d.sync += [ends_plane.eq(self.ends_plane), last.eq(self.last)]
        for column in range(self._columns):
            settled = self._plane(m, column)
            total = settled
            if self._sum_width > self._plane_width:
                earlier = Signal(signed(self._sum_width - 1), name=f"earlier_{column}")
                total = Cat(settled[0], earlier + (settled >> 1))
                with m.If(self.enable & last):
                    m.d.sync += earlier.eq(0)
                with m.Elif(self.enable & ends_plane):
                    m.d.sync += earlier.eq(self.totals[column])
            m.d.comb += self.totals[column].eq(total)
        return m

    def _plane(self, m, column):
        """The plane's total including the last partial sum that was taken."""
        plane = Signal(signed(self._plane_width), name=f"plane_{column}")
        plane_total = Signal.like(plane, name=f"plane_total_{column}")
        settled = Signal.like(plane, name=f"settled_{column}")
        m.d.comb += plane_total.eq(plane + self.partials[column])
        with m.If(self.enable):
            m.d.sync += [plane.eq(plane_total), settled.eq(plane_total)]
        with m.If(self.enable & (self.ends_plane | self.last)):
            m.d.sync += plane.eq(0)
        return settled
