# SPDX-License-Identifier: Apache-2.0
"""Column drain: hands the sums of a finished column tile to the scale path, lanes at a time."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_divides, require_range

__all__ = ["ColumnDrain"]


class ColumnDrain(wiring.Component):
    """Holds one column tile's sums, so that the crossbar starts the next tile at once.

    Parameters
    ----------
    columns, lanes : int
        ``lanes`` divides ``columns``.
    sum_width : int

    Members
    -------
    load : In(1)
        Take ``totals`` in this cycle; allowed only while ``ready``.
    ready : Out(1)
        Empty, or the last beat leaves in this cycle.
    totals : In(ArrayLayout(signed(sum_width), columns))
    beats : In(range(columns // lanes + 1))
        Beats of the tile being loaded, at least 1.
    ends_position, ends_layer : In(1)
        The tile being loaded is the last of its position, and of its layer.
    output : Out(stream of {sums: lanes x signed(sum_width), ends_position: 1, ends_layer: 1})
        The flags mark the last beat of the tile. Lane j of beat b is column ``b * lanes + j``.

    Timing
    ------
    First beat one cycle after ``load``; one beat per transfer. Empty after reset.
    """

    def __init__(self, *, columns, lanes, sum_width):
        self._columns = require_range("columns", columns, 1, 1024)
        self._lanes = require_divides("lanes", lanes, "columns", columns)
        self._sum_width = require_range("sum_width", sum_width, 2, 62)
        self._groups = columns // lanes
        sums = data.ArrayLayout(signed(sum_width), lanes)
        beat = data.StructLayout({"sums": sums, "ends_position": 1, "ends_layer": 1})
        super().__init__(
            {
                "load": In(1),
                "ready": Out(1),
                "totals": In(data.ArrayLayout(signed(sum_width), columns)),
                "beats": In(range(self._groups + 1)),
                "ends_position": In(1),
                "ends_layer": In(1),
                "output": Out(stream.Signature(beat)),
            }
        )

    @property
    def columns(self):
        return self._columns

    @property
    def lanes(self):
        return self._lanes

    @property
    def sum_width(self):
        return self._sum_width

    def elaborate(self, platform):
        m = Module()
        held = Signal(self._columns * self._sum_width)
        left = Signal(range(self._groups + 1))
        ending, final = Signal(), Signal()
        beat = self.output.payload
        m.d.comb += [
            self.output.valid.eq(left != 0),
            beat.sums.eq(held[: self._lanes * self._sum_width]),
            beat.ends_position.eq(ending & (left == 1)),
            beat.ends_layer.eq(final & (left == 1)),
            self.ready.eq((left == 0) | ((left == 1) & self.output.ready)),
        ]
        with m.If(self.output.valid & self.output.ready):
            m.d.sync += [left.eq(left - 1), held.eq(held >> (self._lanes * self._sum_width))]
        with m.If(self.load & self.ready):
            m.d.sync += [
                held.eq(self.totals.as_value()),
                left.eq(self.beats),
                ending.eq(self.ends_position),
                final.eq(self.ends_layer),
            ]
        return m
