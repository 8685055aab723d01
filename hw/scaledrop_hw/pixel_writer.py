# SPDX-License-Identifier: Apache-2.0
"""Pixel writer: a stream of pixels turned into writes of an input map."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop_hw.checks import require_range
from scaledrop_hw.framing import ImageFraming, pixel_layout

__all__ = ["PixelWriter"]


class PixelWriter(wiring.Component):
    """Writes images into a WindowBuffer of one lane, two banks in turn.

    Pixel i of an image is channel ``i mod C`` of position ``i div C`` in raster order.

    Parameters
    ----------
    channels, height, width : int
        Shape of an image.
    planes : int
        Bits of a pixel.

    Members
    -------
    pixels : In(stream of pixel_layout(planes))
    write : Out(1); write_bank : Out(1); write_y, write_x : Out(range)
    write_group : Out(range(channels)); value : Out(unsigned(planes))
        One pixel to be stored; the group of one lane is the channel.
    held : Out(range(3)); bank : Out(1)
        Whole images held, and the bank of the oldest.
    free : In(1)
        The oldest image is no longer needed; only while one is held.
    misframed : Out(1)
        An image is dropped, see ImageFraming.

    Timing
    ------
    One pixel per cycle, written in the cycle in which it is taken; ``held`` rises one cycle after
    an image's last pixel. While both banks are held no pixel is taken; ``free`` lets pixels in
    from the next cycle on. Empty after reset.
    """

    def __init__(self, *, channels, height, width, planes):
        self._channels = require_range("channels", channels, 1, 4096)
        self._height = require_range("height", height, 1, 1024)
        self._width = require_range("width", width, 1, 1024)
        self._planes = require_range("planes", planes, 1, 16)
        super().__init__(
            {
                "pixels": In(stream.Signature(pixel_layout(planes))),
                "write": Out(1),
                "write_bank": Out(1),
                "write_y": Out(range(max(height, 2))),
                "write_x": Out(range(max(width, 2))),
                "write_group": Out(range(max(channels, 2))),
                "value": Out(unsigned(planes)),
                "held": Out(range(3)),
                "bank": Out(1),
                "free": In(1),
                "misframed": Out(1),
            }
        )

    @property
    def channels(self):
        return self._channels

    @property
    def height(self):
        return self._height

    @property
    def width(self):
        return self._width

    @property
    def planes(self):
        return self._planes

    @staticmethod
    def twin(index, channels, width):
        """(y, x, channel) of pixel ``index`` of an image."""
        position, channel = divmod(index, channels)
        return (*divmod(position, width), channel)

    def elaborate(self, platform):
        m = Module()
        m.submodules.framing = framing = ImageFraming(planes=self._planes)
        connect(m, flipped(self.pixels), framing.pixels)
        last_channel = Signal()
        last_x = Signal()
        last_y = Signal()
        m.d.comb += [
            last_channel.eq(self.write_group == self._channels - 1),
            last_x.eq(self.write_x == self._width - 1),
            last_y.eq(self.write_y == self._height - 1),
            framing.at_end.eq(last_channel & last_x & last_y),
            framing.free.eq(self.free),
            self.write.eq(framing.take),
            self.write_bank.eq(framing.fill),
            self.value.eq(self.pixels.payload.value),
            self.held.eq(framing.held),
            self.bank.eq(framing.bank),
            self.misframed.eq(framing.misframed),
        ]
        with m.If(framing.take):
            m.d.sync += self.write_group.eq(self.write_group + 1)
            with m.If(last_channel):
                m.d.sync += [self.write_group.eq(0), self.write_x.eq(self.write_x + 1)]
                with m.If(last_x):
                    m.d.sync += [self.write_x.eq(0), self.write_y.eq(self.write_y + 1)]
        with m.If(framing.close):
            m.d.sync += [self.write_group.eq(0), self.write_x.eq(0), self.write_y.eq(0)]
        return m
