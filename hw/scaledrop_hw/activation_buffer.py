# SPDX-License-Identifier: Apache-2.0
"""Activation buffer: codes of the hidden layers, a word line's worth a word."""

from amaranth.hdl import Array, Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_divides, require_range
from scaledrop_hw.sram import NO_COLLISIONS

__all__ = ["ActivationBuffer"]


class ActivationBuffer(wiring.Component):
    """Words of ``rows`` activation codes, written ``lanes`` codes at a time, read bit by bit.

    Parameters
    ----------
    rows, lanes : int
        ``lanes`` divides ``rows``.
    depth : int
    planes : int
        Bits of a code, 1 to 8.

    Members
    -------
    read : In(1); address : In(range(depth)); bit : In(range(planes)); word : Out(rows)
        Bit ``bit`` of every code of the word (0 is the least significant) one cycle after
        ``read``; holds until the next read.
    write : In(1); write_address : In(range(depth)); slot : In(range(rows // lanes))
    codes : In(ArrayLayout(unsigned(planes), lanes))
        Slot k is codes ``k * lanes`` to ``(k + 1) * lanes - 1`` of the word.

    Timing
    ------
    Read latency 1; a written code is seen by reads from the next cycle on, and no word is read in
    the cycle in which it is written: layers have words of their own. Every code that is used
    has been written before: a layer's rows in use are exactly what the layer before it wrote.
    """

    def __init__(self, *, rows, lanes, depth, planes=1):
        self._rows = require_range("rows", rows, 1, 1024)
        self._lanes = require_divides("lanes", lanes, "rows", rows)
        self._depth = require_range("depth of the activation buffer", depth, 1, 2**20)
        self._planes = require_range("planes", planes, 1, 8)
        address = range(max(depth, 2))
        super().__init__(
            {
                "read": In(1),
                "address": In(address),
                "bit": In(range(max(planes, 2))),
                "word": Out(rows),
                "write": In(1),
                "write_address": In(address),
                "slot": In(range(max(rows // lanes, 2))),
                "codes": In(data.ArrayLayout(unsigned(planes), lanes)),
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

    @property
    def planes(self):
        return self._planes

    def elaborate(self, platform):
        m = Module()
        chosen = Signal(self.bit.shape())
        words = []
        with m.If(self.read):
            m.d.sync += chosen.eq(self.bit)
        for bit in range(self._planes):
            memory = Memory(
                shape=unsigned(self._rows),
                depth=max(self._depth, 2),
                init=[],
                attrs=NO_COLLISIONS,
            )
            m.submodules[f"bit_{bit}"] = memory
            read, write = memory.read_port(), memory.write_port(granularity=self._lanes)
            beat = Signal(self._lanes, name=f"beat_{bit}")
            m.d.comb += [
                *[beat[lane].eq(self.codes[lane][bit]) for lane in range(self._lanes)],
                read.addr.eq(self.address),
                read.en.eq(self.read & (self.bit == bit)),
                write.addr.eq(self.write_address),
                write.data.eq(beat.replicate(self._rows // self._lanes)),
                write.en.eq(self.write << self.slot),
            ]
            words.append(read.data)
        m.d.comb += self.word.eq(Array(words)[chosen])
        return m
