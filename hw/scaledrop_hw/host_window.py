# SPDX-License-Identifier: Apache-2.0
"""Host window: loads and reads back every memory through one register, word after word."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop.device_sizes import WORD_ADDRESS_BITS, DeviceSizes
from scaledrop.errors import UserError
from scaledrop_hw.register_file import register_layout, window_signature

__all__ = ["HostWindow", "host_signature"]


def host_signature():
    """Access to the parts of a memory's words, from the host's side.

    An access is taken in a cycle in which ``valid`` and ``ready`` are high. A write is done then. A
    read is answered by ``word`` in a later cycle, in which ``reply_valid`` is high; no other access
    is offered before. ``valid`` may fall without ``ready`` when an image comes.

    memory          number of a scaledrop.device_sizes.Memory
    address, part   word, and 32 bits of it, the lowest first; always inside of the memory
    """
    return wiring.Signature(
        {
            "valid": Out(1),
            "ready": In(1),
            "write": Out(1),
            "memory": Out(4),
            "address": Out(WORD_ADDRESS_BITS),
            "part": Out(32 - WORD_ADDRESS_BITS),
            "data": Out(32),
            "reply_valid": In(1),
            "word": In(32),
        }
    )


class HostWindow(wiring.Component):
    """Answers HOST_DATA: passes accesses on and moves HOST_ADDRESS to the next part.

        part' = part + 1, or 0 with address' = address + 1 after the last part

    Parameters
    ----------
    sizes : scaledrop.device_sizes.DeviceSizes
    registers : scaledrop.register_types.RegisterMap

    Members
    -------
    window : In(window_signature of HOST_DATA)
        Errors: ``refused`` or ``outside``.
    memory : In(4); place : In(layout of HOST_ADDRESS)
    update : Out(1); next : Out(layout of HOST_ADDRESS)
        A part was read or written: where the next one is.
    locked : In(1)
        An image is held: new accesses are refused; one that was taken is finished.
    refused : Out(1)
        An access is refused in this cycle: ``locked``, or not all four bytes are written.
    outside : Out(1)
        An access is refused in this cycle: the memory has no such word or part.
    host : Out(host_signature)

    Timing
    ------
    Combinational: a refusal, a write when ``host.ready``, a read when ``host.reply_valid``.
    """

    def __init__(self, *, sizes, registers):
        if not isinstance(sizes, DeviceSizes):
            raise UserError(f"sizes must be DeviceSizes, not {sizes!r}")
        self._sizes = sizes
        place = register_layout(registers["HOST_ADDRESS"])
        super().__init__(
            {
                "window": In(window_signature(registers["HOST_DATA"])),
                "memory": In(4),
                "place": In(place),
                "update": Out(1),
                "next": Out(place),
                "locked": In(1),
                "refused": Out(1),
                "outside": Out(1),
                "host": Out(host_signature()),
            }
        )

    @property
    def sizes(self):
        return self._sizes

    @staticmethod
    def twin(address, part, parts):
        """(address, part) behind a part of a memory whose words have ``parts``."""
        return (address, part + 1) if part + 1 < parts else (address + 1, 0)

    def elaborate(self, platform):
        m = Module()
        window, host, place = self.window, self.host, self.place
        shapes = [*self._sizes.memory_shapes, *[(0, 0)] * (16 - len(self._sizes.memory_shapes))]
        words, parts = (Array(column)[self.memory] for column in zip(*shapes, strict=True))
        partial, waiting, done = Signal(), Signal(), Signal()
        last = place.part + 1 == parts
        m.d.comb += [
            partial.eq(window.write & ~window.strobe.all()),
            self.refused.eq(window.valid & ~waiting & (self.locked | partial)),
            self.outside.eq(
                window.valid
                & ~waiting
                & ~self.refused
                & ((place.address >= words) | (place.part >= parts))
            ),
            host.valid.eq(window.valid & ~waiting & ~self.refused & ~self.outside),
            host.write.eq(window.write),
            host.memory.eq(self.memory),
            host.address.eq(place.address),
            host.part.eq(place.part),
            host.data.eq(window.data),
            done.eq(Mux(waiting, self.host.reply_valid, host.valid & host.ready & window.write)),
            window.error.eq(self.refused | self.outside),
            window.ready.eq(window.error | done),
            window.word.eq(host.word),
            self.update.eq(done),
            self.next.part.eq(Mux(last, 0, place.part + 1)),
            self.next.address.eq(place.address + last),
        ]
        with m.If(host.valid & host.ready & ~window.write):
            m.d.sync += waiting.eq(1)
        with m.If(waiting & host.reply_valid):
            m.d.sync += waiting.eq(0)
        return m
