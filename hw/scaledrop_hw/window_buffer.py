# SPDX-License-Identifier: Apache-2.0
"""Window buffer: the input maps of an unrolled convolution, read window by window."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range
from scaledrop_hw.window_walk import WindowWalk

__all__ = ["WindowBuffer"]


class WindowBuffer(wiring.Component):
    """Two banks of a (C, H, W) map of codes, and the window of it that the word lines see.

    With kernel K, stride S and padding P, cell (ky, kx) of output position (oy, ox) is map position
    ``(oy*S - P + ky, ox*S - P + kx)``. Row r of the crossbar belongs to channel c of that cell:

        r = (kx*K + ky)*C + c,        row tile t holds rows t*R .. t*R + R-1

    A row is driven if its cell lies inside the map; its bit is bit ``planes - 1 - plane`` of the
    code (plane 0 is the most significant), and 0 where it is not driven.

    Map row y lies in row memory ``y mod K`` at (bank, ``y div K``, x): a column of the window is
    one read of every memory. A word holds all channels.

    Parameters
    ----------
    channels, height, width : int
        Shape of the map.
    planes : int
        Bits of a code.
    window : scaledrop.nodes.Window
    rows : int
        Word lines R of the crossbar.
    lanes : int
        Channels per write; those past ``channels`` are not stored.

    Members
    -------
    write, write_bank : In(1); write_y, write_x : In(range); write_group : In(range(groups))
    codes : In(ArrayLayout(unsigned(planes), lanes))
        Lane j of group g is channel ``g*lanes + j``.
    start : In(1); bank : In(1)
        Walk over the output positions of the map in ``bank``, in raster order. A walk in progress
        is dropped; the window in use, that of an ``advance`` in the same cycle included, stays.
    ready : Out(1)
        The next window is complete.
    advance : In(1)
        It becomes the window in use; only while ``ready``.
    read : In(1); plane : In(range(planes)); row_tile : In(range(row_tiles))
    word, drive : Out(rows)
        Bits and driven rows of the window in use before an ``advance`` in the same cycle.
    loaded : Out(1)
        A column of the window is shifted in, padding included.

    Timing
    ------
    After ``start`` in cycle c columns are shifted in from c+2 on, and ``ready`` rises in c+2+K.
    After ``advance`` in cycle a the columns of the following window are shifted in from a on, one a
    cycle: K of them when it begins a row of positions, min(S, K) otherwise, and ``ready`` is high
    from that many cycles after a. It stays low after the last position. The new window is seen by a
    ``read`` from a+1 on; ``word`` and ``drive`` follow a ``read`` by one cycle and hold until the
    next. A map is written before its ``start``. After reset nothing is walked.
    """

    def __init__(self, *, channels, height, width, planes, window, rows, lanes):
        self._channels = require_range("channels", channels, 1, 4096)
        self._walk = WindowWalk(height=height, width=width, window=window)
        self._planes = require_range("planes", planes, 1, 16)
        self._rows = require_range("rows", rows, 1, 1024)
        self._lanes = require_range("lanes", lanes, 1, 1024)
        self._fan_in = window.size**2 * channels
        self._row_tiles = -(-self._fan_in // rows)
        self._groups = -(-channels // lanes)
        super().__init__(
            {
                "write": In(1),
                "write_bank": In(1),
                "write_y": In(range(max(height, 2))),
                "write_x": In(range(max(width, 2))),
                "write_group": In(range(max(self._groups, 2))),
                "codes": In(data.ArrayLayout(unsigned(planes), lanes)),
                "start": In(1),
                "bank": In(1),
                "ready": Out(1),
                "advance": In(1),
                "read": In(1),
                "plane": In(range(max(planes, 2))),
                "row_tile": In(range(max(self._row_tiles, 2))),
                "word": Out(rows),
                "drive": Out(rows),
                "loaded": Out(1),
            }
        )

    @property
    def channels(self):
        return self._channels

    @property
    def height(self):
        return self._walk.height

    @property
    def width(self):
        return self._walk.width

    @property
    def planes(self):
        return self._planes

    @property
    def window(self):
        return self._walk.window

    @property
    def rows(self):
        return self._rows

    @property
    def lanes(self):
        return self._lanes

    @property
    def groups(self):
        """Writes that fill one map position."""
        return self._groups

    @property
    def row_tiles(self):
        return self._row_tiles

    @staticmethod
    def twin(codes, planes, window, rows, position, plane, row_tile):
        """(word, drive) of output ``position`` of a (C, H, W) map in plain integers."""
        channels, height, width = len(codes), len(codes[0]), len(codes[0][0])
        top, left = divmod(position, window.outputs(width))
        word = drive = 0
        for bit in range(min(rows, window.size**2 * channels - row_tile * rows)):
            cell, channel = divmod(row_tile * rows + bit, channels)
            kx, ky = divmod(cell, window.size)
            y = top * window.stride - window.padding + ky
            x = left * window.stride - window.padding + kx
            if 0 <= y < height and 0 <= x < width:
                drive |= 1 << bit
                word |= (int(codes[channel][y][x]) >> (planes - 1 - plane) & 1) << bit
        return word, drive

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk = walk = self._walk
        fetch = Signal()
        waiting = Signal()
        completes = Signal()
        # The column that comes next always waits at the outputs of the row memories, so that it
        # can be shifted in during the very cycle of an advance.
        m.d.comb += [
            self.loaded.eq(waiting & (~self.ready | self.advance)),
            fetch.eq(walk.valid & (~waiting | self.loaded)),
            walk.start.eq(self.start),
            walk.bank.eq(self.bank),
            walk.fetch.eq(fetch),
        ]
        with m.If(fetch):
            m.d.sync += completes.eq(walk.column.completes)
        with m.If(self.loaded | fetch):
            m.d.sync += waiting.eq(fetch)
        with m.If(self.loaded | self.advance):
            m.d.sync += self.ready.eq(waiting & completes)
        with m.If(self.start):
            m.d.sync += [waiting.eq(0), self.ready.eq(0)]
        self._elaborate_window(m, *self._elaborate_memories(m, fetch))
        return m

    def _elaborate_memories(self, m, fetch):
        """Row memories; returns codes and ``inside`` of the fetched column, cell by cell."""
        size, stored = self.window.size, min(self._lanes, self._channels)
        column = self._walk.column
        phase = Signal(column.phase.shape())
        inside = Signal(size)
        with m.If(fetch):
            m.d.sync += [phase.eq(column.phase), inside.eq(column.inside)]
        home, written = self._elaborate_write_address(m)
        part = self.codes.as_value()[: stored * self._planes]
        cells = []
        for index in range(size):
            shape = unsigned(self._groups * len(part))
            memory = Memory(shape=shape, depth=2 * self._walk.bank_depth, init=[])
            m.submodules[f"row_{index}"] = memory
            read, write = memory.read_port(), memory.write_port(granularity=len(part))
            m.d.comb += [
                read.addr.eq(Mux(column.phase > index, column.lower, column.upper)),
                read.en.eq(fetch & column.memories[index]),
                write.addr.eq(written),
                write.data.eq(part.replicate(self._groups)),
                write.en.eq((self.write & (home == index)) << self.write_group),
            ]
            cells.append(read.data[: self._channels * self._planes])
        turns = (Array(cells[ky:] + cells[:ky]) for ky in range(size))
        return Cat(*(turn[phase] for turn in turns)), inside

    def _elaborate_write_address(self, m):
        """Memory that holds ``write_y``, and the address in it."""
        size = self.window.size
        home = Signal(range(max(size, 2)))
        line = Signal(range(max(self._walk.bank_depth, 2)))
        address = Signal(range(2 * self._walk.bank_depth), name="write_address")
        base = Mux(self.write_bank, self._walk.bank_depth, 0)
        m.d.comb += [
            home.eq(Array(y % size for y in range(self.height))[self.write_y]),
            line.eq(Array(y // size * self.width for y in range(self.height))[self.write_y]),
            address.eq(base + line + self.write_x),
        ]
        return home, address

    def _elaborate_window(self, m, codes, inside):
        """Shift a column in, take the window over, pick a word of it."""
        size, fan_in, planes = self.window.size, self._fan_in, self._planes
        next_codes = Signal(fan_in * planes)
        next_inside = Signal(size**2)
        codes_in_use = Signal(fan_in * planes)
        inside_in_use = Signal(size**2)
        bits = Signal(fan_in)
        driven = Signal(self._rows)
        with m.If(self.loaded):
            m.d.sync += [
                next_codes.eq(Cat(next_codes, codes)[len(codes) :]),
                next_inside.eq(Cat(next_inside, inside)[size:]),
            ]
        with m.If(self.advance):
            m.d.sync += [codes_in_use.eq(next_codes), inside_in_use.eq(next_inside)]
        cuts = [slice(at, min(at + self._rows, fan_in)) for at in range(0, fan_in, self._rows)]
        drive = Cat(cell.replicate(self._channels) for cell in inside_in_use)
        m.d.comb += [
            bits.eq(
                Array(codes_in_use[bit::planes] for bit in reversed(range(planes)))[self.plane]
            ),
            driven.eq(Array(drive[cut] for cut in cuts)[self.row_tile]),
        ]
        with m.If(self.read):
            m.d.sync += [
                self.word.eq(Array(bits[cut] for cut in cuts)[self.row_tile] & driven),
                self.drive.eq(driven),
            ]
