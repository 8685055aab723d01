# SPDX-License-Identifier: Apache-2.0
"""Mask register: the bit of the layer that is being scaled, and of no other."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["MaskRegister"]


class MaskRegister(wiring.Component):
    """Takes one bit for a layer, holds it for all of the layer's channels, then forgets it.

    Members
    -------
    bits : In(stream of 1 bit)
        Mask bits m in the order in which layers run.
    valid : Out(1)
        The bit of the running layer is held; the scale path waits while low.
    keep : Out(1)
        1 keeps the scale, 0 drops it to one.
    free : In(1)
        The layer's last beat leaves in this cycle.

    Timing
    ------
    ``valid`` one cycle after the transfer on ``bits``; low in the cycle after ``free``.

    Stochastic contract
    -------------------
    One transfer on ``bits`` per layer and pass; a bit is never used for a second layer.
    """

    def __init__(self):
        super().__init__(
            {
                "bits": In(stream.Signature(1)),
                "valid": Out(1),
                "keep": Out(1),
                "free": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.bits.ready.eq(~self.valid)
        with m.If(self.bits.valid & self.bits.ready):
            m.d.sync += [self.valid.eq(1), self.keep.eq(self.bits.payload)]
        with m.If(self.free):
            m.d.sync += self.valid.eq(0)
        return m
