# SPDX-License-Identifier: Apache-2.0
"""Activation buffer: bits of the hidden layers, a word line's worth a word."""

from amaranth.hdl import Module, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_divides, require_range

__all__ = ["ActivationBuffer"]


class ActivationBuffer(wiring.Component):
    """Words of ``rows`` activation bits, written ``lanes`` bits at a time.

    Parameters
    ----------
    rows, lanes : int
        ``lanes`` divides ``rows``.
    depth : int

    Members
    -------
    read : In(1); address : In(range(depth)); word : Out(rows)
        ``word`` one cycle after ``read``; holds until the next read.
    write : In(1); write_address : In(range(depth))
    slot : In(range(rows // lanes)); bits : In(lanes)
        Slot k is bits ``k * lanes`` to ``(k + 1) * lanes - 1`` of the word.

    Timing
    ------
    Read latency 1; a written bit is seen by reads from the next cycle on. Every word that is read
    has been written before: a layer's rows in use are exactly the channels of the layer before it.
    """

    def __init__(self, *, rows, lanes, depth):
        self._rows = require_range("rows", rows, 1, 1024)
        self._lanes = require_divides("lanes", lanes, "rows", rows)
        self._depth = require_range("depth of the activation buffer", depth, 1, 2**20)
        address = range(max(depth, 2))
        super().__init__(
            {
                "read": In(1),
                "address": In(address),
                "word": Out(rows),
                "write": In(1),
                "write_address": In(address),
                "slot": In(range(max(rows // lanes, 2))),
                "bits": In(lanes),
            }
        )

    @property
    def rows(self):
        return self._rows

    @property
    def lanes(self):
        return self._lanes

    @property
    def depth(self):
        return self._depth

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=unsigned(self._rows), depth=max(self._depth, 2), init=[]
        )
        read, write = memory.read_port(), memory.write_port(granularity=self._lanes)
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(self.read),
            self.word.eq(read.data),
            write.addr.eq(self.write_address),
            write.data.eq(self.bits.replicate(self._rows // self._lanes)),
            write.en.eq(self.write << self.slot),
        ]
        return m
