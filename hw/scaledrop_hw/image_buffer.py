# SPDX-License-Identifier: Apache-2.0
"""Image buffer: a stream of pixels turned into words of one bit plane."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop_hw.checks import require_divides, require_range
from scaledrop_hw.framing import ImageFraming, pixel_layout
from scaledrop_hw.sram import NO_COLLISIONS

__all__ = ["ImageBuffer"]


class ImageBuffer(wiring.Component):
    """Turns a stream of pixels into words of one bit plane, for two images in turn.

    Every run of ``group`` pixels fills ``ceil(group / rows)`` words. Word ``plane, row_tile`` with
    ``row_tile = run * ceil(group / rows) + part`` holds bit ``planes - 1 - plane`` (plane 0 is the
    most significant) of pixels ``run * group + part * rows`` and on, the r-th of them in bit r; it
    is 0 past the run's end. While one image is read, the next one is taken.

    Parameters
    ----------
    rows, planes : int
    pixels : int
        Pixels of an image.
    group : int
        Pixels after which a new word begins; divides ``pixels``. All pixels by default.

    Members
    -------
    pixels : In(stream of pixel_layout(planes))
        Raster order, channel innermost, one pixel a transfer.
    held : Out(range(3))
        Whole images held.
    free : In(1)
        The oldest image is no longer needed; only while one is held.
    misframed : Out(1)
        An image is dropped, see ImageFraming.
    read : In(1); plane : In(range(planes)); row_tile : In(range(row_tiles)); word : Out(rows)
        ``word`` of the oldest image, one cycle after ``read``; holds until the next read.

    Timing
    ------
    One pixel per cycle; ``held`` rises one cycle after an image's last pixel. While both banks are
    held no pixel is taken; ``free`` lets pixels in from the next cycle on. Empty after reset. Words
    are written whole, as block memory wants it; one bank is read while the other is written.
    """

    def __init__(self, *, rows, planes, pixels, group=None):
        self._rows = require_range("rows", rows, 1, 1024)
        self._planes = require_range("planes", planes, 1, 16)
        self._pixels = require_range("pixels", pixels, 1, 2**20)
        group = pixels if group is None else group
        self._group = require_divides("group", group, "pixels", pixels)
        self._row_tiles = pixels // group * -(-group // rows)
        super().__init__(
            {
                "pixels": In(stream.Signature(pixel_layout(planes))),
                "held": Out(range(3)),
                "free": In(1),
                "misframed": Out(1),
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

    @property
    def group(self):
        return self._group

    @property
    def row_tiles(self):
        """Words of one plane of an image."""
        return self._row_tiles

    @staticmethod
    def twin(pixels, planes, rows, plane, row_tile, group=None):
        """Word of an image in plain integers."""
        group = group or len(pixels)
        run, part = divmod(row_tile, -(-group // rows))
        cells = pixels[run * group : (run + 1) * group][part * rows : (part + 1) * rows]
        return sum((int(p) >> (planes - 1 - plane) & 1) << r for r, p in enumerate(cells))

    def elaborate(self, platform):
        m = Module()
        m.submodules.framing = framing = ImageFraming(planes=self._planes)
        connect(m, flipped(self.pixels), framing.pixels)
        row = Signal(range(max(self._rows, 2)))
        tile = Signal(self.row_tile.shape())
        left = Signal(range(max(self._group, 2)), init=self._group - 1)
        word_full = Signal()
        m.d.comb += [
            framing.at_end.eq((left == 0) & (tile == self._row_tiles - 1)),
            framing.free.eq(self.free),
            self.held.eq(framing.held),
            self.misframed.eq(framing.misframed),
            word_full.eq(framing.take & ((row == self._rows - 1) | (left == 0))),
        ]
        with m.If(framing.take):
            m.d.sync += [row.eq(row + 1), left.eq(Mux(left == 0, self._group - 1, left - 1))]
        with m.If(word_full):
            m.d.sync += [row.eq(0), tile.eq(tile + 1)]
        with m.If(framing.close):
            m.d.sync += [row.eq(0), tile.eq(0), left.eq(self._group - 1)]
        self._elaborate_planes(m, framing, row, tile, word_full)
        return m

    def _elaborate_planes(self, m, framing, row, tile, word_full):
        """Collect a word of every plane, store it whole; read the plane that was asked for."""
        plane = Signal(self.plane.shape())
        words, done = [], word_full | framing.close
        with m.If(self.read):
            m.d.sync += plane.eq(self.plane)
        for index in range(self._planes):
            memory = Memory(
                shape=unsigned(self._rows),
                depth=2 * self._row_tiles,
                init=[],
                attrs=NO_COLLISIONS,
            )
            m.submodules[f"plane_{index}"] = memory
            read, write = memory.read_port(), memory.write_port()
            bit = self.pixels.payload.value[self._planes - 1 - index]
            partial = Signal(self._rows, name=f"partial_{index}")
            collected = Signal(self._rows, name=f"collected_{index}")
            m.d.comb += [
                collected.eq(self._with(partial, bit, row)),
                read.addr.eq(Mux(framing.bank, self._row_tiles, 0) + self.row_tile),
                read.en.eq(self.read & (self.plane == index)),
                write.addr.eq(Mux(framing.fill, self._row_tiles, 0) + tile),
                write.data.eq(collected),
                write.en.eq(word_full),
            ]
            with m.If(framing.take):
                m.d.sync += partial.eq(collected if self._shifts else Mux(done, 0, collected))
            words.append(read.data)
        m.d.comb += self.word.eq(Array(words)[plane])

    @property
    def _shifts(self):
        """Whether every word is full: then it is shifted in, and what was before shifted out."""
        return self._group % self._rows == 0

    def _with(self, partial, bit, row):
        """A word with one more bit."""
        return Cat(partial[1:], bit) if self._shifts else partial | (bit << row)
