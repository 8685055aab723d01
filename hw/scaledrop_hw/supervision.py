# SPDX-License-Identifier: Apache-2.0
"""Supervision: health of the bits and the monitors, as one part of the accelerator."""

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, connect, flipped

from scaledrop.device_sizes import Memory, MemoryShape
from scaledrop.health import limits_of
from scaledrop_hw.bit_health import BitHealth, limits_layout
from scaledrop_hw.hosted_memory import Contents, HostedMemory
from scaledrop_hw.monitors import Monitors

__all__ = ["Supervision"]

OWN = ("alarms",)


class Supervision(wiring.Component):
    """Monitors with the health tests of every layer's bits behind them.

    Parameters
    ----------
    drop_codes : list of int
        Of the layers, for the limits after power-up.
    max_passes : int
    window : int
        Bits of a layer in a window of the health tests, 2 to 4096.

    Members
    -------
    restart : In(1)
        Health tests and monitors forget what they have seen, but no status; the health tests do
        so when limits are loaded as well.
    host_health_limits : In(host_part_signature)
        Loads and reads back the limits: a word a layer, fields as in limits_layout.
    others
        See Monitors.

    Timing
    ------
    Status comes one cycle after what it tells of, of health two cycles after the bit.
    """

    def __init__(self, *, drop_codes, max_passes, window=1024):
        self._drop_codes = list(drop_codes)
        self._health = BitHealth(layers=len(self._drop_codes), window=window)
        layout = limits_layout(window, self._health.run_bits)
        self._limits = HostedMemory(
            width=layout.size,
            depth=len(self._drop_codes),
            init=[
                layout.const(limits_of(code, window=window)._asdict()).as_bits()
                for code in self._drop_codes
            ],
        )
        self._monitors = Monitors(layers=len(self._drop_codes), max_passes=max_passes)
        self._shown = {
            name: member
            for name, member in self._monitors.signature.members.items()
            if name not in OWN
        }
        host = {"host_health_limits": In(self._limits.host.signature.flip())}
        super().__init__({**self._shown, **host})

    @property
    def drop_codes(self):
        return list(self._drop_codes)

    @property
    def max_passes(self):
        return self._monitors.max_passes

    @property
    def window(self):
        return self._health.window

    @property
    def hosts(self):
        """Ports and sizes of the memories that a host reaches."""
        shape = MemoryShape(self._limits.depth, self._limits.parts)
        return {Memory.HEALTH_LIMITS: ("host_health_limits", shape)}

    @property
    def contents(self):
        """What these memories hold after power-up."""
        return {Memory.HEALTH_LIMITS: Contents(self._health.limits.shape(), self._limits.words)}

    def elaborate(self, platform):
        m = Module()
        m.submodules.health = health = self._health
        m.submodules.limits = limits = self._limits
        m.submodules.monitors = monitors = self._monitors
        connect(m, flipped(self.host_health_limits), limits.host)
        for name, member in self._shown.items():
            inner, outer = getattr(monitors, name), getattr(self, name)
            m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)
        layout = health.limits.shape()
        m.d.comb += [
            health.valid.eq(self.drawn_valid),
            health.layer.eq(self.drawn.layer),
            health.keep.eq(self.drawn.keep),
            health.restart.eq(self.restart | (limits.host.select & limits.host.write)),
            limits.address.eq(self.drawn.layer),
            limits.read.eq(self.drawn_valid),
            health.limits.eq(data.View(layout, limits.word)),
            monitors.alarms.eq(health.alarms),
        ]
        return m
