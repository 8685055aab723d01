# SPDX-License-Identifier: Apache-2.0
"""Control port: the AXI4-Lite slave, the registers and their windows as one component."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.form import Form
from scaledrop.monitors import MonitorFlag
from scaledrop.registers import register_map
from scaledrop_hw.axi_lite import AxiLiteSlave, axi_lite_signature
from scaledrop_hw.host_window import HostWindow, host_signature
from scaledrop_hw.register_file import RegisterFile

__all__ = ["ControlPort"]

COUNTER_BITS, COUNT_BITS = 48, 16
OWN = ("bus", "locked", "refused", "counter_", "host_", "monitor_count", "errors")
"""Members of the register file that begin like this end here; the core sees the others."""


class ControlPort(wiring.Component):
    """Everything that a host does to the core, except for the streams.

    Parameters
    ----------
    sizes : scaledrop.device_sizes.DeviceSizes

    Members
    -------
    axi : In(axi_lite_signature(12))
    host : Out(host_signature)
        Memories. Offered only while ``status.busy`` is low.
    counter_select : Out(16); counter_value : In(48)
        Event counter ``counter_select``, one cycle later.
    monitor_select : Out(range(monitors)); monitor_count : In(16)
        Count of a monitor, one cycle later.
    control, status, refusal, monitors, monitors_clear, setup, passes, cutoff, min_votes,
    min_margin_low, min_margin_high, stop_enable, scale_xor, drive_code
        Of the registers of these names; see RegisterFile. ``status.busy`` locks.

    The small form has no registers, and so no members, for memories, counts and monitors.

    Timing
    ------
    See AxiLiteSlave; the bus answers at once, except that a count comes one cycle later and a
    memory in its own time.
    """

    def __init__(self, *, sizes):
        self._registers = RegisterFile(registers=register_map(sizes))
        self._sizes = sizes
        self._shown = {
            name: member
            for name, member in self._registers.signature.members.items()
            if not name.startswith(OWN)
        }
        super().__init__(
            {
                "axi": In(axi_lite_signature(self._registers.registers.address_bits)),
                **(self._windows() if sizes.form is Form.FULL else {}),
                **self._shown,
            }
        )

    @staticmethod
    def _windows():
        return {
            "host": Out(host_signature()),
            "counter_select": Out(16),
            "counter_value": In(COUNTER_BITS),
            "monitor_select": Out(range(len(MonitorFlag))),
            "monitor_count": In(COUNT_BITS),
        }

    @property
    def sizes(self):
        return self._sizes

    @property
    def registers(self):
        """The register map."""
        return self._registers.registers

    def elaborate(self, platform):
        m = Module()
        m.submodules.slave = slave = AxiLiteSlave(address_bits=self.registers.address_bits)
        m.submodules.registers = registers = self._registers
        connect(m, flipped(self.axi), slave.axi)
        connect(m, slave.bus, registers.bus)
        for name, member in self._shown.items():
            inner, outer = getattr(registers, name), getattr(self, name)
            m.d.comb += outer.eq(inner) if member.flow == Out else inner.eq(outer)
        m.d.comb += [
            registers.locked.eq(self.status.busy),
            registers.errors_set.config_refused.eq(registers.refused),
        ]
        if self._sizes.form is Form.FULL:
            self._memories(m, registers)
            self._counts(m, registers)
        return m

    def _memories(self, m, registers):
        """The window to the memories."""
        m.submodules.host_window = host = HostWindow(sizes=self._sizes, registers=self.registers)
        connect(m, registers.host_data, host.window)
        connect(m, host.host, flipped(self.host))
        m.d.comb += [
            registers.errors_set.host_refused.eq(host.refused),
            registers.errors_set.host_range.eq(host.outside),
            host.locked.eq(self.status.busy),
            host.memory.eq(registers.host_memory.memory),
            host.place.eq(registers.host_address),
            registers.host_address_update.eq(host.update),
            registers.host_address_next.eq(host.next),
        ]

    def _counts(self, m, registers):
        """The upper bits of an event counter are held while the lower ones are read."""
        low, count = registers.counter_low, registers.monitor_count
        settled, upper = Signal(), Signal(COUNTER_BITS - 32)
        m.d.comb += [
            self.counter_select.eq(registers.counter_select.value),
            low.word.eq(self.counter_value),
            low.ready.eq(1),
            self.monitor_select.eq(count.index),
            count.word.eq(self.monitor_count),
            count.ready.eq(settled),
            registers.counter_high.value.eq(upper),
        ]
        m.d.sync += settled.eq(count.valid & ~settled)
        with m.If(low.valid):
            m.d.sync += upper.eq(self.counter_value[32:])
