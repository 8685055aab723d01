# SPDX-License-Identifier: Apache-2.0
"""Window walk: the columns that a sliding window takes in, one after another."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop.nodes import Window
from scaledrop_hw.checks import require_range

__all__ = ["WindowWalk", "column_layout"]


def column_layout(depth, size):
    """A column of K cells, of which cell ky lies in row memory ``(phase + ky) mod K``.

    inside     cells that lie inside the map
    memories   row memories that hold these cells
    phase      row memory of cell 0
    lower      address of the cells in the memories before ``phase``, which are a line further
    upper      address of the cells in the others
    completes  the column is its window's last
    """
    return data.StructLayout(
        {
            "inside": size,
            "memories": size,
            "phase": range(max(size, 2)),
            "lower": range(depth),
            "upper": range(depth),
            "completes": 1,
        }
    )


class WindowWalk(wiring.Component):
    """Walks a window over a map, position by position, and addresses the columns that it takes in.

    Positions are in raster order. A window that begins a row of positions takes in K columns, any
    other one min(S, K): those that it does not share with the one before it. Columns between two
    windows (S > K) are left out. Map position (y, x) of bank b lies in row memory ``y mod K`` at

        address = (b * ceil(height / K) + y div K) * width + x

    Parameters
    ----------
    height, width : int
        Shape of the map.
    window : scaledrop.nodes.Window

    Members
    -------
    start : In(1); bank : In(1)
        Walk over the map in ``bank``; a walk in progress is dropped.
    column : Out(column_layout); valid : Out(1)
        The next column.
    fetch : In(1)
        It is fetched; only while ``valid``.

    Timing
    ------
    The first column one cycle after ``start``; one column per cycle. Idle after reset.
    """

    def __init__(self, *, height, width, window):
        self._height = require_range("height", height, 1, 1024)
        self._width = require_range("width", width, 1, 1024)
        if not isinstance(window, Window):
            raise UserError(f"window must be a scaledrop.nodes.Window, not {window!r}")
        self._window = window
        self._positions = window.outputs(height), window.outputs(width)
        if min(self._positions) < 1:
            raise UserError(f"window of size {window.size} must fit a map of {height} x {width}")
        self._bank_depth = -(-height // window.size) * width
        super().__init__(
            {
                "start": In(1),
                "bank": In(1),
                "column": Out(column_layout(2 * self._bank_depth, window.size)),
                "valid": Out(1),
                "fetch": In(1),
            }
        )

    @property
    def height(self):
        return self._height

    @property
    def width(self):
        return self._width

    @property
    def window(self):
        return self._window

    @property
    def bank_depth(self):
        """Words of a bank in each row memory."""
        return self._bank_depth

    @staticmethod
    def twin(height, width, window):
        """(y of cell 0, x, completes) of every column, in map coordinates."""
        columns = []
        for row in range(window.outputs(height)):
            for at in range(window.outputs(width)):
                need = min(window.stride, window.size) if at else window.size
                for kx in range(window.size - need, window.size):
                    y, x = (window.stride * i - window.padding for i in (row, at))
                    columns.append((y, x + kx, kx == window.size - 1))
        return columns

    def _lines(self):
        """What the columns of a row of positions have in common, for every such row."""
        size = self._window.size
        layout = data.StructLayout(
            {
                "inside": size,
                "memories": size,
                "phase": range(max(size, 2)),
                "lower": range(self._bank_depth + 1),
            }
        )
        for row in range(self._positions[0]):
            top = row * self._window.stride - self._window.padding
            cells = [ky for ky in range(size) if 0 <= top + ky < self._height]
            yield layout.const(
                {
                    "inside": sum(1 << ky for ky in cells),
                    "memories": sum(1 << (top + ky) % size for ky in cells),
                    "phase": top % size,
                    "lower": (top // size + 1) * self._width,
                }
            )

    def elaborate(self, platform):
        m = Module()
        size, stride, padding = self._window.size, self._window.stride, self._window.padding
        end = (self._positions[1] - 1) * stride + size - 1
        table = list(self._lines())
        line = Signal(table[0].shape())
        bank = Signal(name="bank_in_use")
        row = Signal(range(max(len(table), 2)))
        x = Signal(range(max(end + 1, 2)))
        left = Signal(range(max(size, 2)), init=size - 1)
        in_map = Signal()
        m.d.comb += [
            line.eq(Array(table)[row]),
            in_map.eq((x >= padding) & (x < padding + self._width)),
            self.column.inside.eq(line.inside & in_map.replicate(size)),
            self.column.memories.eq(line.memories & in_map.replicate(size)),
            self.column.phase.eq(line.phase),
            self.column.lower.eq(Mux(bank, self._bank_depth, 0) + line.lower + x - padding),
            self.column.upper.eq(self.column.lower - self._width),
            self.column.completes.eq(left == 0),
        ]
        with m.If(self.fetch):
            m.d.sync += [x.eq(x + 1), left.eq(left - 1)]
            with m.If(left == 0):
                m.d.sync += [x.eq(x + max(stride - size, 0) + 1), left.eq(min(stride, size) - 1)]
            with m.If(x == end):
                m.d.sync += [x.eq(0), left.eq(size - 1), row.eq(row + 1)]
                m.d.sync += self.valid.eq(row != len(table) - 1)
        with m.If(self.start):
            m.d.sync += [x.eq(0), left.eq(size - 1), row.eq(0)]
            m.d.sync += [bank.eq(self.bank), self.valid.eq(1)]
        return m
