# SPDX-License-Identifier: Apache-2.0
"""Memory of wide words that a host fills and reads back in parts of 32 bits."""

from typing import Any, NamedTuple

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.sram import NO_COLLISIONS

__all__ = ["PART_BITS", "Contents", "HostedMemory", "host_part_signature"]

PART_BITS = 32
"""Bits that the host reads or writes at once."""


def host_part_signature(depth, parts):
    """Port through which a host reaches the parts of ``depth`` words, from the host's side.

    The memory belongs to the host while ``select`` is high. A cycle then reads, writes or does
    neither; ``word`` is the part read, one cycle later, and holds until the next read of the host
    or of the memory's owner.
    """
    return wiring.Signature(
        {
            "select": Out(1),
            "write": Out(1),
            "read": Out(1),
            "address": Out(range(max(depth, 2))),
            "part": Out(range(max(parts, 2))),
            "data": Out(PART_BITS),
            "word": In(PART_BITS),
        }
    )


class Contents(NamedTuple):
    """Every word of a memory after power-up, as a host loads it, and what its bits mean."""

    layout: Any
    words: list


class HostedMemory(wiring.Component):
    """Words of ``width`` bits with one read port, and a host that may take that port over.

    Part p of a word is its bits 32p to 32p + 31. Bits above ``width`` in the last part read as 0,
    whatever is written there.

    Parameters
    ----------
    width, depth : int
    init : list of int
        The first words after power-up, at most ``depth``; the others are 0.
    registered : bool
        True: synchronous read (block RAM). False: combinational read (distributed RAM).

    Members
    -------
    read : In(1)
        Fetch the word at ``address``. Only where ``registered``.
    address : In(range(depth))
    word : Out(width)
        Registered: the fetched word, one cycle after ``read``; holds until the next read, of
        either side. Else the word at ``address``; at the host's while ``host.select`` is high.
    host : In(host_part_signature(depth, parts))
        While ``host.select`` is high, ``read`` and ``address`` are not heeded.

    Timing
    ------
    Read latency 1, or 0 for the functional side where not ``registered``; one access a cycle, and
    none waits. What is written is seen by reads from the next cycle on. The words are not reset.
    """

    def __init__(self, *, width, depth, init=(), registered=True):
        self._width = require_range("width", width, 1, 2**20)
        self._depth = require_range("depth", depth, 1, 2**20)
        words = require_words("init", ([word] for word in init), 1, 0, (1 << width) - 1)
        require_range("number of words in init", len(words), 0, depth)
        self._init = [word for (word,) in words]
        self._registered = bool(registered)
        members = {
            "address": In(range(max(depth, 2))),
            "word": Out(width),
            "host": In(host_part_signature(depth, self.parts)),
        }
        super().__init__({"read": In(1), **members} if registered else members)

    @property
    def width(self):
        return self._width

    @property
    def depth(self):
        return self._depth

    @property
    def parts(self):
        return -(-self._width // PART_BITS)

    @property
    def init(self):
        return list(self._init)

    @property
    def words(self):
        """Every word after power-up."""
        return self._init + [0] * (self._depth - len(self._init))

    @property
    def registered(self):
        return self._registered

    @staticmethod
    def twin(word, part, data, width):
        """A word of ``width`` bits after the host has written ``data`` to one part of it."""
        at = part * PART_BITS
        kept = word & ~(((1 << PART_BITS) - 1) << at)
        return (kept | data << at) & ((1 << width) - 1)

    def elaborate(self, platform):
        m = Module()
        host = self.host
        m.submodules.memory = memory = Memory(
            shape=PART_BITS * self.parts,
            depth=max(self._depth, 2),
            init=self._init,
            attrs=NO_COLLISIONS,
        )
        write = memory.write_port(granularity=PART_BITS)
        read = memory.read_port(domain="sync" if self._registered else "comb")
        m.d.comb += [
            write.addr.eq(host.address),
            write.data.eq(host.data.replicate(self.parts)),
            write.en.eq(Mux(host.select & host.write, 1 << host.part, 0)),
            read.addr.eq(Mux(host.select, host.address, self.address)),
            self.word.eq(read.data),
        ]
        self._answer(m, read)
        return m

    def _answer(self, m, read):
        """The part that the host reads, one cycle after it asked."""
        host = self.host
        padded = Signal(PART_BITS * self.parts)
        m.d.comb += padded.eq(self.word)
        asked = host.select & host.read
        if self._registered:
            part = Signal(host.part.shape())
            m.d.comb += read.en.eq(Mux(host.select, host.read, self.read))
            m.d.comb += host.word.eq(self._part(padded, part))
            with m.If(asked):
                m.d.sync += part.eq(host.part)
        else:
            with m.If(asked):
                m.d.sync += host.word.eq(self._part(padded, host.part))

    def _part(self, padded, part):
        return padded.word_select(part, PART_BITS) if self.parts > 1 else padded
