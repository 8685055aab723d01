# SPDX-License-Identifier: Apache-2.0
"""Event counters per layer: what the energy estimator reads."""

from amaranth.hdl import Array, Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop_hw.checks import require_range

__all__ = ["EventCounters"]


class EventCounters(wiring.Component):
    """One counter for each event and layer.

    Parameters
    ----------
    events : list of str
        Names, in the order of their addresses.
    layers : int
    amount_bits : int
        Largest increment is ``2**amount_bits - 1``.
    width : int
        A counter wraps after ``2**width`` events.

    Members
    -------
    amounts : In(layout of event -> {layer, amount})
        Added in this cycle; 0 for no event.
    select : In(range(events * layers)); value : Out(width)
        Counter ``event * layers + layer``, one cycle later.

    Timing
    ------
    Counts in the cycle after the next, as the amounts pass through a register first; every counter
    is 0 after reset.
    """

    def __init__(self, *, events, layers, amount_bits, width=48):
        self._events = [str(name) for name in events]
        require_range("number of events", len(self._events), 1, 256)
        if len(set(self._events)) != len(self._events):
            raise UserError(f"events must have different names, not {self._events}")
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._width = require_range("counter width", width, 8, 64)
        self._amount_bits = require_range("amount_bits", amount_bits, 1, width)
        entry = data.StructLayout({"layer": range(max(layers, 2)), "amount": unsigned(amount_bits)})
        super().__init__(
            {
                "amounts": In(data.StructLayout({name: entry for name in self._events})),
                "select": In(range(max(len(self._events) * layers, 2))),
                "value": Out(width),
            }
        )

    @property
    def events(self):
        return list(self._events)

    @property
    def layers(self):
        return self._layers

    @property
    def amount_bits(self):
        return self._amount_bits

    @property
    def width(self):
        return self._width

    def elaborate(self, platform):
        m = Module()
        counts, amounts = [], Signal(self.amounts.shape())
        m.d.sync += amounts.eq(self.amounts)
        for name in self._events:
            event = amounts[name]
            for layer in range(self._layers):
                count = Signal(self._width, name=f"{name}_{layer}")
                with m.If((event.amount != 0) & (event.layer == layer)):
                    m.d.sync += count.eq(count + event.amount)
                counts.append(count)
        m.d.sync += self.value.eq(Array(counts)[self.select])
        return m
