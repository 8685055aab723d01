# SPDX-License-Identifier: Apache-2.0
"""Framing of the pixel stream: whole images in two banks, and what happens to broken ones."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["ImageFraming", "pixel_layout"]


def pixel_layout(planes):
    """One pixel; ``last`` marks an image's last."""
    return data.StructLayout({"value": unsigned(planes), "last": 1})


class ImageFraming(wiring.Component):
    """Admits pixels to two banks in turn and drops images whose ``last`` is misplaced.

    The owner keeps the position of the pixel inside its image and says when it is the last one.

    Parameters
    ----------
    planes : int
        Bits of a pixel.

    Members
    -------
    pixels : In(stream of pixel_layout(planes))
    at_end : In(1)
        The position is an image's last.
    take : Out(1); fill : Out(1)
        The pixel offered is taken in this cycle and belongs into bank ``fill``.
    close : Out(1)
        With ``take``: the position goes back to an image's first.
    held : Out(range(3)); bank : Out(1)
        Whole images held, and the bank of the oldest.
    free : In(1)
        The oldest image is no longer needed; only while one is held.
    misframed : Out(1)
        The pixel taken in this cycle has ``last`` where the image does not end, or ends the image
        without it. Either way the image is dropped and its bank used again from the start; after a
        missing ``last``, pixels are thrown away up to and including the next one with ``last``.

    Timing
    ------
    One pixel per cycle. ``held`` rises one cycle after an image's last pixel. While both banks are
    held no pixel is taken; ``free`` lets pixels in from the next cycle on. ``take``, ``close`` and
    ``misframed`` are combinational. Empty after reset.
    """

    def __init__(self, *, planes):
        self._planes = require_range("planes", planes, 1, 16)
        super().__init__(
            {
                "pixels": In(stream.Signature(pixel_layout(planes))),
                "at_end": In(1),
                "take": Out(1),
                "fill": Out(1),
                "close": Out(1),
                "held": Out(range(3)),
                "bank": Out(1),
                "free": In(1),
                "misframed": Out(1),
            }
        )

    @property
    def planes(self):
        return self._planes

    @staticmethod
    def twin(transfers, length):
        """Whole images of ``length`` pixels in (value, last) pairs, and ``misframed`` of each."""
        images, image, misframed, skipping = [], [], [], False
        for value, last in transfers:
            counts = not skipping
            if counts:
                image.append(value)
            at_end = counts and len(image) == length
            misframed.append(counts and at_end != bool(last))
            skipping = not last and (skipping or at_end)
            if at_end and last:
                images.append(image)
            if at_end or last:
                image = []
        return images, misframed

    def elaborate(self, platform):
        m = Module()
        skipping = Signal()
        transfer = Signal()
        complete = Signal()
        last = self.pixels.payload.last
        m.d.comb += [
            self.pixels.ready.eq(self.held != 2),
            self.fill.eq(self.bank ^ self.held[0]),
            transfer.eq(self.pixels.valid & self.pixels.ready),
            self.take.eq(transfer & ~skipping),
            self.close.eq(self.take & (self.at_end | last)),
            self.misframed.eq(self.take & (self.at_end ^ last)),
            complete.eq(self.take & self.at_end & last),
        ]
        with m.If(transfer):
            m.d.sync += skipping.eq(~last & (skipping | self.at_end))
        m.d.sync += [
            self.held.eq(self.held + complete - self.free),
            self.bank.eq(self.bank ^ self.free),
        ]
        return m
