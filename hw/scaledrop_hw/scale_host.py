# SPDX-License-Identifier: Apache-2.0
"""Scale host: the scale memory's whole words as parts of 32 bits."""

from itertools import pairwise

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range
from scaledrop_hw.hosted_memory import PART_BITS, host_part_signature
from scaledrop_hw.scale_memory import ScaleMemory, host_signature

__all__ = ["ScaleHost"]


class ScaleHost(wiring.Component):
    """Gathers the parts of a word: its check bits need all of it.

    A word is stored with its last part; the parts before it are those written last, of whichever
    address. Part p is bits 32p to 32p + 31 of the word, lane 0 in the low bits.

    Parameters
    ----------
    lanes, scale_bits, depth : int
        Of the scale memory.

    Members
    -------
    host : In(host_part_signature(depth, parts))
    memory : Out(host_signature(lanes, scale_bits, depth))
        The scale path must not read while the host does.

    Timing
    ------
    A part that is read comes ScaleMemory.LATENCY cycles later and holds until the next read.
    """

    def __init__(self, *, lanes, scale_bits, depth):
        self._lanes = require_range("lanes", lanes, 1, 1024)
        self._scale_bits = require_range("scale_bits", scale_bits, 1, 16)
        self._depth = require_range("depth of the scale memory", depth, 1, 2**20)
        super().__init__(
            {
                "host": In(host_part_signature(depth, self.parts)),
                "memory": Out(host_signature(lanes, scale_bits, depth)),
            }
        )

    @property
    def lanes(self):
        return self._lanes

    @property
    def scale_bits(self):
        return self._scale_bits

    @property
    def depth(self):
        return self._depth

    @property
    def parts(self):
        return -(-self._lanes * self._scale_bits // PART_BITS)

    def elaborate(self, platform):
        m = Module()
        host, memory = self.host, self.memory
        width = PART_BITS * self.parts
        gathered = Signal(width)
        word = Signal(width)
        found = Signal(width)
        parts = [Signal(host.part.shape(), name=f"part_{at}") for at in range(ScaleMemory.LATENCY)]
        last = host.part == self.parts - 1
        m.d.comb += [
            word.eq(gathered),
            word.word_select(host.part, PART_BITS).eq(host.data),
            memory.valid.eq(host.select & (host.read | (host.write & last))),
            memory.write.eq(host.write),
            memory.address.eq(host.address),
            memory.data.eq(word),
            found.eq(memory.word.as_value()),
            host.word.eq(found.word_select(parts[-1], PART_BITS)),
        ]
        with m.If(host.select & host.write):
            m.d.sync += gathered.eq(word)
        with m.If(host.select & host.read):
            m.d.sync += parts[0].eq(host.part)
        m.d.sync += [after.eq(before) for before, after in pairwise(parts)]
        return m
