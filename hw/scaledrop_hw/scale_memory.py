# SPDX-License-Identifier: Apache-2.0
"""Scale SRAM interface: one word of scales per beat, one cycle later."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range, require_words

__all__ = ["ScaleMemory", "host_signature"]


def host_signature(lanes, scale_bits, depth):
    """Port through which a host loads scales and reads them back, from the host's side.

    An access happens in a cycle in which ``valid`` and ``ready`` are high; ``word`` holds what was
    read one cycle later.
    """
    word = data.ArrayLayout(unsigned(scale_bits), lanes)
    return wiring.Signature(
        {
            "valid": Out(1),
            "ready": In(1),
            "write": Out(1),
            "address": Out(range(max(depth, 2))),
            "data": Out(word),
            "word": In(word),
        }
    )


class ScaleMemory(wiring.Component):
    """Synchronous single-port memory of scales with a host side for loading and reading back.

    A word holds ``lanes`` scales, lane 0 in the low bits. One access a cycle: the host is served
    only in cycles in which the scale path does not read.

    Parameters
    ----------
    lanes, scale_bits : int
    init : list of list of int
        ``lanes`` scales per word: the contents after power-up where the memory can be initialised.
        A compiled SRAM macro has none and is loaded through the host side.

    Members
    -------
    read : In(1)
        Fetch the word at ``address``.
    address : In(range(depth))
    scales : Out(ArrayLayout(scale_bits, lanes))
        The fetched word, one cycle after ``read``; holds until the next access.
    host : In(host_signature)

    Timing
    ------
    Latency 1; one access per cycle; the scale path always wins.
    """

    def __init__(self, *, lanes, scale_bits, init):
        self._lanes = require_range("lanes", lanes, 1, 1024)
        self._scale_bits = require_range("scale_bits", scale_bits, 1, 16)
        self._init = require_words("init", init, lanes, 0, (1 << scale_bits) - 1)
        depth = require_range("depth of the scale memory", len(self._init), 1, 2**20)
        self._word = data.ArrayLayout(unsigned(scale_bits), lanes)
        super().__init__(
            {
                "read": In(1),
                "address": In(range(max(depth, 2))),
                "scales": Out(self._word),
                "host": In(host_signature(lanes, scale_bits, depth)),
            }
        )

    @property
    def lanes(self):
        return self._lanes

    @property
    def scale_bits(self):
        return self._scale_bits

    @property
    def init(self):
        return [list(word) for word in self._init]

    @property
    def depth(self):
        return len(self._init)

    def elaborate(self, platform):
        m = Module()
        m.submodules.sram = sram = Memory(shape=self._word, depth=self.depth, init=self._init)
        read, write = sram.read_port(), sram.write_port()
        granted = Signal()
        m.d.comb += [
            self.host.ready.eq(~self.read),
            granted.eq(self.host.valid & self.host.ready),
            read.addr.eq(Mux(self.read, self.address, self.host.address)),
            read.en.eq(self.read | (granted & ~self.host.write)),
            write.addr.eq(self.host.address),
            write.data.eq(self.host.data),
            write.en.eq(granted & self.host.write),
            self.scales.eq(read.data),
            self.host.word.eq(read.data),
        ]
        return m
