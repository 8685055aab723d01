# SPDX-License-Identifier: Apache-2.0
"""AXI4-Stream: pixels come in, several to a word; words of results go out."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop_hw.checks import require_range
from scaledrop_hw.framing import pixel_layout

__all__ = ["PixelInput", "axi_stream_signature"]

WIDTHS = (8, 16, 32)


def axi_stream_signature(data_bits, keep=False):
    """AXI4-Stream from the sender's side; with ``keep``, TKEEP tells which bytes count."""
    members = {"tdata": Out(data_bits), "tlast": Out(1), "tvalid": Out(1), "tready": In(1)}
    return wiring.Signature({**members, "tkeep": Out(data_bits // 8)} if keep else members)


class PixelInput(wiring.Component):
    """Turns words of pixels into single pixels.

    A pixel takes one byte, or two (the lower one first) if it has more than 8 bits; bits above
    ``input_bits`` are not heeded. The first pixel of a word is in its lowest bytes. A pixel counts
    if TKEEP has all its bytes. ``last`` stands on the last pixel that counts of a word with TLAST;
    such a word has one.

    Parameters
    ----------
    data_bits : int
        8, 16 or 32; not less than a pixel takes.
    input_bits : int
        Bits of a pixel, 1 to 16.

    Members
    -------
    axi : In(axi_stream_signature(data_bits, keep=True))
    pixels : Out(stream of {value: unsigned(input_bits), last: 1})
    abort : In(1)
        Throws away what is held, and the rest of a frame that has begun, up to its TLAST. Nothing
        is taken or offered in this cycle; whoever takes ``pixels`` forgets the frame too.

    Timing
    ------
    A pixel is offered one cycle after its word was taken; one pixel a cycle, with no gap between
    words. ``tready`` depends on ``pixels.ready``. A word without any pixel takes one cycle. Empty
    after reset.
    """

    def __init__(self, *, data_bits, input_bits):
        if data_bits not in WIDTHS:
            raise UserError(f"data_bits must be 8, 16 or 32, not {data_bits!r}")
        self._data_bits = data_bits
        self._input_bits = require_range("input_bits", input_bits, 1, min(16, data_bits))
        super().__init__(
            {
                "axi": In(axi_stream_signature(data_bits, keep=True)),
                "pixels": Out(stream.Signature(pixel_layout(input_bits))),
                "abort": In(1),
            }
        )

    @property
    def data_bits(self):
        return self._data_bits

    @property
    def input_bits(self):
        return self._input_bits

    @property
    def pixel_bytes(self):
        """Bytes that a pixel takes."""
        return 1 if self._input_bits <= 8 else 2

    def twin(self, words):
        """(value, last) of the pixels in (tdata, tkeep, tlast) words."""
        size, pixels = self.pixel_bytes, []
        whole, mask = (1 << size) - 1, (1 << self._input_bits) - 1
        for word, keep, last in words:
            found = [
                word >> 8 * at & mask
                for at in range(0, self._data_bits // 8, size)
                if keep >> at & whole == whole
            ]
            pixels += [(value, int(last and at == len(found))) for at, value in enumerate(found, 1)]
        return pixels

    def elaborate(self, platform):
        m = Module()
        axi, pixels, size = self.axi, self.pixels, self.pixel_bytes
        lanes = self._data_bits // 8 // size
        held = Signal(data.ArrayLayout(8 * size, lanes))
        left, arriving = Signal(lanes), Signal(lanes)
        ends_frame, inside, discarding = Signal(), Signal(), Signal()
        lane, rest = Signal(range(max(lanes, 2))), Signal(lanes)
        for at in reversed(range(lanes)):
            with m.If(left[at]):
                m.d.comb += lane.eq(at)
        m.d.comb += [
            arriving.eq(Cat(axi.tkeep.word_select(at, size).all() for at in range(lanes))),
            rest.eq(left & (left - 1)),
            pixels.valid.eq((left != 0) & ~self.abort),
            pixels.payload.value.eq(Array(held[at] for at in range(lanes))[lane]),
            pixels.payload.last.eq(ends_frame & (rest == 0)),
            axi.tready.eq(((left == 0) | ((rest == 0) & pixels.ready)) & ~self.abort),
        ]
        with m.If(pixels.valid & pixels.ready):
            m.d.sync += left.eq(rest)
        with m.If(axi.tvalid & axi.tready):
            m.d.sync += [
                held.eq(axi.tdata),
                left.eq(Mux(discarding, 0, arriving)),
                ends_frame.eq(axi.tlast),
                inside.eq(~axi.tlast),
                discarding.eq(discarding & ~axi.tlast),
            ]
        with m.If(self.abort):
            m.d.sync += [left.eq(0), discarding.eq(inside)]
        return m
