# SPDX-License-Identifier: Apache-2.0
"""Sticky status: what has happened since it was last cleared, and how often."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["StickyStatus"]


class StickyStatus(wiring.Component):
    """One status bit and one saturating counter for each kind of event.

    Parameters
    ----------
    flags : int
        Kinds of events, 1 to 64.
    width : int
        A counter stays at ``2**width - 1``; 1 to 32.

    Members
    -------
    events : In(flags)
        Bit i is high in a cycle in which event i happens.
    clear : In(flags)
        Sets status bit i and counter i to 0; an event of the same cycle is kept.
    status : Out(flags)
    stop_enable : In(flags); stop : Out(1)
        High while any status bit of ``stop_enable`` is set.
    select : In(range(flags)); count : Out(width)
        Counter ``select``, one cycle later.

    Timing
    ------
    Status and counter change in the cycle after the event or ``clear``, ``stop`` with the status.
    All are 0 after reset.
    """

    def __init__(self, *, flags, width=16):
        self._flags = require_range("number of flags", flags, 1, 64)
        self._width = require_range("counter width", width, 1, 32)
        super().__init__(
            {
                "events": In(flags),
                "clear": In(flags),
                "status": Out(flags),
                "stop_enable": In(flags),
                "stop": Out(1),
                "select": In(range(max(flags, 2))),
                "count": Out(width),
            }
        )

    @property
    def flags(self):
        return self._flags

    @property
    def width(self):
        return self._width

    def twin(self, counts, events, clear):
        """The counters in the next cycle; a status bit is set where its counter is not 0."""
        kept = [0 if clear >> at & 1 else count for at, count in enumerate(counts)]
        return [
            min(count + (events >> at & 1), (1 << self._width) - 1) for at, count in enumerate(kept)
        ]

    def elaborate(self, platform):
        m = Module()
        counts = [Signal(self._width, name=f"count_{at}") for at in range(self._flags)]
        for at, count in enumerate(counts):
            kept = Signal(self._width, name=f"kept_{at}")
            m.d.comb += kept.eq(Mux(self.clear[at], 0, count))
            m.d.sync += count.eq(kept + (self.events[at] & ~kept.all()))
        m.d.sync += [
            self.status.eq((self.status & ~self.clear) | self.events),
            self.count.eq(Array(counts)[self.select]),
        ]
        m.d.comb += self.stop.eq((self.status & self.stop_enable).any())
        return m
