# SPDX-License-Identifier: Apache-2.0
"""Register file: a register map in hardware."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop.register_types import Access, Keeper, RegisterMap
from scaledrop_hw.axi_lite import bus_signature

__all__ = ["RegisterFile", "register_layout", "window_signature"]


def register_layout(register):
    """Fields of a register side by side, without the gaps between them; a list of an array's."""
    fields = data.StructLayout({field.name: field.width for field in register.fields})
    return data.ArrayLayout(fields, register.count) if register.is_array else fields


def window_signature(register):
    """Accesses of a register that somebody else answers, from the register file's side.

    As in :func:`scaledrop_hw.axi_lite.bus_signature`; ``index`` is the word of an array.
    """
    return wiring.Signature(
        {
            "valid": Out(1),
            "ready": In(1),
            "write": Out(1),
            "index": Out(range(max(register.count, 2))),
            "data": Out(32),
            "strobe": Out(4),
            "word": In(32),
            "error": In(1),
        }
    )


def _resets(register):
    """Initial value of a register's member."""
    words = [register.decode(register.reset(index)) for index in range(register.count)]
    return words if register.is_array else words[0]


def _members(register):
    """Members of a register; see :class:`RegisterFile`."""
    name, layout = register.name.lower(), register_layout(register)
    if register.keeper is Keeper.CONSTANT:
        return {}
    if register.keeper is Keeper.WINDOW:
        return {name: Out(window_signature(register))}
    if register.keeper is Keeper.CORE:
        members = {name: In(layout)}
    elif register.access is Access.RW:
        members = {name: Out(layout, init=_resets(register))}
    else:
        members = {name: Out(layout)}
    if register.access is Access.W1C:
        members[f"{name}_clear"] = Out(layout)
        if register.keeper is Keeper.FILE:
            members[f"{name}_set"] = In(layout)
    if register.updated:
        members.update({f"{name}_update": In(1), f"{name}_next": In(layout)})
    return members


class RegisterFile(wiring.Component):
    """Holds, reads and writes the registers of a map.

        rw    value' = value & ~mask | data & mask            when written
        w1c   value' = value & ~(data & mask when written) | set
        wo    output = data & mask in the cycle of the write, else 0

    ``mask`` covers the bytes of ``bus.strobe``. Bits outside of fields read as 0.

    Parameters
    ----------
    registers : scaledrop.register_types.RegisterMap

    Members
    -------
    bus : In(bus_signature)
        Errors: nothing is mapped there, a read-only register is written, a locked one is written
        while ``locked``, or a window says so.
    locked : In(1)
        Writes to locked registers are refused.
    refused : Out(1)
        Such a write is refused in this cycle.
    <rw> : Out(register_layout)
        With <rw>_update : In(1) and <rw>_next : In(register_layout), if the hardware writes it too:
        it takes ``next`` unless the bus writes in the same cycle.
    <ro> : In(register_layout)
    <w1c> : Out(register_layout), <w1c>_set : In(register_layout)
        Kept here: set bits stay; an event in the cycle of its clearing is not lost. Kept by the
        core: <w1c> : In(register_layout). Both with <w1c>_clear : Out(register_layout), high in
        the cycle in which a bit is cleared.
    <wo> : Out(register_layout)
    <window> : Out(window_signature)
        Names are those of the map in lower case.

    Timing
    ------
    The bus is answered in the same cycle, by a window in its own time. A written value stands from
    the next cycle on. After reset every register holds its reset value.
    """

    def __init__(self, *, registers):
        if not isinstance(registers, RegisterMap):
            raise UserError(f"registers must be a RegisterMap, not {registers!r}")
        self._registers = registers
        members = {
            "bus": In(bus_signature(registers.address_bits)),
            "locked": In(1),
            "refused": Out(1),
        }
        for register in registers:
            members.update(_members(register))
        super().__init__(members)

    @property
    def registers(self):
        return self._registers

    @staticmethod
    def twin(access, value, data, strobe, events=0):
        """Word of a register kept here in the cycle after it was written."""
        mask = sum(0xFF << 8 * at for at in range(4) if strobe >> at & 1)
        if access is Access.W1C:
            return value & ~(data & mask) | events
        return value & ~mask | data & mask

    def elaborate(self, platform):
        m = Module()
        bus, mask = self.bus, Signal(32)
        m.d.comb += mask.eq(Cat(bit.replicate(8) for bit in bus.strobe))
        for register in self._registers:
            self._keep(m, register)
        with m.Switch(bus.address):
            for register in self._registers:
                for index in range(register.count):
                    with m.Case(register.address(index) // 4):
                        self._answer(m, register, index, mask)
            with m.Default():
                m.d.comb += [bus.ready.eq(1), bus.error.eq(1)]
        return m

    def _port(self, register, index, suffix=""):
        port = getattr(self, f"{register.name.lower()}{suffix}")
        return port[index] if register.is_array else port

    def _keep(self, m, register):
        """What happens to a register without the bus."""
        name = register.name.lower()
        if register.access is Access.W1C and register.keeper is Keeper.FILE:
            value, clear, happened = (
                getattr(self, f"{name}{suffix}") for suffix in ("", "_clear", "_set")
            )
            m.d.sync += value.eq((value.as_value() & ~clear.as_value()) | happened.as_value())
        if register.updated:
            with m.If(getattr(self, f"{name}_update")):
                m.d.sync += getattr(self, name).eq(getattr(self, f"{name}_next"))

    def _answer(self, m, register, index, mask):
        """An access to a word of a register."""
        bus = self.bus
        if register.keeper is Keeper.WINDOW:
            self._pass_on(m, register, index)
            return
        m.d.comb += bus.ready.eq(1)
        if register.keeper is Keeper.CONSTANT:
            m.d.comb += bus.word.eq(register.reset(index))
        elif register.access is not Access.WO:
            port = self._port(register, index)
            for field in register.fields:
                m.d.comb += bus.word[field.offset :][: field.width].eq(port[field.name])
        with m.If(bus.valid & bus.write):
            if register.access is Access.RO:
                m.d.comb += bus.error.eq(1)
            elif register.locked:
                m.d.comb += [bus.error.eq(self.locked), self.refused.eq(self.locked)]
                with m.If(~self.locked):
                    self._write(m, register, index, mask)
            else:
                self._write(m, register, index, mask)

    def _write(self, m, register, index, mask):
        written = self.bus.data & mask
        suffix = "_clear" if register.access is Access.W1C else ""
        port = self._port(register, index, suffix)
        for field in register.fields:
            start, end = field.offset, field.offset + field.width
            if register.access is not Access.RW:
                m.d.comb += port[field.name].eq(written[start:end])
                continue
            # A byte at a time: flip-flops have an enable, and need no logic to keep their value.
            for byte in range(start // 8, -(-end // 8)):
                low, high = max(start, 8 * byte), min(end, 8 * byte + 8)
                with m.If(self.bus.strobe[byte]):
                    part = port[field.name][low - start : high - start]
                    m.d.sync += part.eq(self.bus.data[low:high])

    def _pass_on(self, m, register, index):
        bus, window = self.bus, getattr(self, register.name.lower())
        refused = bus.write if register.access is Access.RO else 0
        m.d.comb += [
            window.valid.eq(bus.valid & ~refused),
            window.write.eq(bus.write),
            window.index.eq(index),
            window.data.eq(bus.data),
            window.strobe.eq(bus.strobe),
            bus.ready.eq(window.ready | refused),
            bus.word.eq(window.word),
            bus.error.eq(window.error | refused),
        ]
