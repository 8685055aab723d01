# SPDX-License-Identifier: Apache-2.0
"""Image buffer: a stream of pixels turned into words of one bit plane."""

from amaranth.hdl import Array, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["ImageBuffer"]


class ImageBuffer(wiring.Component):
    """Turns a stream of pixels into words of one bit plane, for two images in turn.

    Word ``plane * row_tiles + row_tile`` of an image holds bit ``planes - 1 - plane`` (most
    significant plane first) of pixels ``row_tile * rows`` and on, pixel ``row_tile * rows + r`` in
    bit r. While one image is read, the next one is taken.

    Parameters
    ----------
    rows, planes : int
    pixels : int
        Pixels of an image.

    Members
    -------
    pixels : In(stream of unsigned(planes))
        Row-major, one pixel a transfer, image after image; the count alone delimits images.
    available : Out(1)
        A whole image is held.
    free : In(1)
        The oldest image is no longer needed.
    read : In(1); plane : In; row_tile : In; word : Out(rows)
        ``word`` of the oldest image, one cycle after ``read``; holds until the next read.

    Timing
    ------
    One pixel per cycle; ``available`` one cycle after the last pixel. Empty after reset. Words are
    written whole, as block memory wants it; rows past the last pixel are 0.
    """

    def __init__(self, *, rows, planes, pixels):
        self._rows = require_range("rows", rows, 1, 1024)
        self._planes = require_range("planes", planes, 1, 16)
        self._pixels = require_range("pixels", pixels, 1, 2**20)
        self._row_tiles = -(-pixels // rows)
        super().__init__(
            {
                "pixels": In(stream.Signature(unsigned(planes))),
                "available": Out(1),
                "free": In(1),
                "read": In(1),
                "plane": In(range(max(planes, 2))),
                "row_tile": In(range(max(self._row_tiles, 2))),
                "word": Out(rows),
            }
        )

    @property
    def rows(self):
        return self._rows

    @property
    def planes(self):
        return self._planes

    @property
    def pixel_count(self):
        return self._pixels

    @staticmethod
    def twin(pixels, planes, rows, plane, row_tile):
        """Word of an image in plain integers."""
        part = pixels[row_tile * rows : (row_tile + 1) * rows]
        return sum((int(p) >> (planes - 1 - plane) & 1) << r for r, p in enumerate(part))

    def elaborate(self, platform):
        m = Module()
        full = Array(Signal(name=f"full_{i}") for i in range(2))
        fill, use = Signal(), Signal()
        row = Signal(range(self._rows))
        tile = Signal(self.row_tile.shape())
        left = Signal(range(self._pixels), init=self._pixels - 1)
        push, word_full = Signal(), Signal()
        m.d.comb += [
            self.pixels.ready.eq(~full[fill]),
            push.eq(self.pixels.valid & self.pixels.ready),
            word_full.eq(push & ((row == self._rows - 1) | (left == 0))),
            self.available.eq(full[use]),
        ]
        with m.If(push):
            m.d.sync += [row.eq(row + 1), left.eq(left - 1)]
        with m.If(word_full):
            m.d.sync += [row.eq(0), tile.eq(tile + 1)]
            with m.If(left == 0):
                m.d.sync += [tile.eq(0), left.eq(self._pixels - 1)]
                m.d.sync += [full[fill].eq(1), fill.eq(~fill)]
        with m.If(self.free):
            m.d.sync += [full[use].eq(0), use.eq(~use)]
        address = Mux(fill, self._row_tiles, 0) + tile
        self._elaborate_planes(m, push, row, word_full, address, use)
        return m

    def _elaborate_planes(self, m, push, row, word_full, address, use):
        """Collect a word of every plane, store it whole; read the plane that was asked for."""
        plane = Signal(self.plane.shape())
        words = []
        with m.If(self.read):
            m.d.sync += plane.eq(self.plane)
        for index in range(self._planes):
            memory = Memory(shape=unsigned(self._rows), depth=2 * self._row_tiles, init=[])
            m.submodules[f"plane_{index}"] = memory
            read, write = memory.read_port(), memory.write_port()
            bit = self.pixels.payload[self._planes - 1 - index]
            held = Signal(self._rows, name=f"held_{index}")
            collected = Signal(self._rows, name=f"collected_{index}")
            m.d.comb += [
                collected.eq(held | (bit << row)),
                read.addr.eq(Mux(use, self._row_tiles, 0) + self.row_tile),
                read.en.eq(self.read & (self.plane == index)),
                write.addr.eq(address),
                write.data.eq(collected),
                write.en.eq(word_full),
            ]
            with m.If(push):
                m.d.sync += held.eq(Mux(word_full, 0, collected))
            words.append(read.data)
        m.d.comb += self.word.eq(Array(words)[plane])
