# SPDX-License-Identifier: Apache-2.0
"""Memory host: one port to every memory that a host loads and reads back."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop.device_sizes import Memory
from scaledrop_hw.host_window import host_signature
from scaledrop_hw.hosted_memory import host_part_signature

__all__ = ["MemoryHost"]


class MemoryHost(wiring.Component):
    """Hands an access to the memory that it names.

    Parameters
    ----------
    shapes : dict of Memory -> MemoryShape
        Words and parts of the memories that there are.

    Members
    -------
    host : In(host_signature)
        See HostWindow. An access to a memory that is not there reads 0. A read is offered only
        after the one before it is answered.
    idle : In(1)
        No image is held: the memories are the host's. ``host.ready`` is low otherwise.
    weights, scales, ... : Out(host_part_signature)
        One for each memory.

    Timing
    ------
    Taken at once while ``idle``; a read is answered LATENCY cycles later: the memories take up to
    two, and hold what was read; the part passes through a register.
    """

    LATENCY = 3

    def __init__(self, *, shapes):
        self._shapes = {Memory(memory): shape for memory, shape in shapes.items()}
        ports = {
            memory.name.lower(): Out(host_part_signature(shape.words, shape.parts))
            for memory, shape in self._shapes.items()
        }
        super().__init__({"host": In(host_signature()), "idle": In(1), **ports})

    @property
    def shapes(self):
        return dict(self._shapes)

    def elaborate(self, platform):
        m = Module()
        host = self.host
        taken = Signal()
        memory = Signal(host.memory.shape())
        m.d.comb += [host.ready.eq(self.idle), taken.eq(host.valid & self.idle)]
        waits = Signal(self.LATENCY - 1)
        m.d.sync += [waits.eq(Cat(taken & ~host.write, waits)), host.reply_valid.eq(waits[-1])]
        m.d.sync += host.word.eq(0)
        with m.If(taken):
            m.d.sync += memory.eq(host.memory)
        for which in self._shapes:
            port, chosen = getattr(self, which.name.lower()), host.memory == which
            m.d.comb += [
                port.select.eq(self.idle & chosen),
                port.write.eq(taken & chosen & host.write),
                port.read.eq(taken & chosen & ~host.write),
                port.address.eq(host.address),
                port.part.eq(host.part),
                port.data.eq(host.data),
            ]
            with m.If(memory == which):
                m.d.sync += host.word.eq(port.word)
        return m
