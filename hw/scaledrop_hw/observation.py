# SPDX-License-Identifier: Apache-2.0
"""What an accelerator shows of its inside: the observation port and the event counters."""

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from scaledrop.events import Event

__all__ = ["count_events", "drive_trace", "trace_signature"]


def trace_signature(layers, command, hidden, logit):
    """Observation port: what the accelerator computes, as it computes it. Leave open in silicon.

    visit   a visit begins: its layer, the path of bits that leads to it, the weight of each outcome
    drawn   a bit is taken for a layer
    hidden  a beat of codes is finished, before pooling (beat counts within the visit)
    logit   a class of a leaf is done
    """
    layer = range(max(layers, 2))
    layouts = {
        "visit": command,
        "drawn": data.StructLayout({"layer": layer, "keep": 1}),
        "hidden": data.StructLayout({"layer": layer, **dict(_fields(hidden))}),
        "logit": logit,
    }
    valids = {f"{name}_valid": Out(1) for name in layouts}
    return wiring.Signature({**valids, **{name: Out(of) for name, of in layouts.items()}})


def _fields(layout):
    return ((name, field.shape) for name, field in layout)


def drive_trace(m, trace, walker, sums, outputs):
    """Connect the observation port."""
    m.d.comb += [
        trace.visit_valid.eq(sums.taken),
        trace.visit.eq(walker.command.payload),
        trace.drawn_valid.eq(walker.drawn_valid),
        trace.drawn.eq(walker.drawn),
        trace.hidden_valid.eq(outputs.hidden_valid),
        trace.hidden.layer.eq(sums.current.layer),
        *[trace.hidden[name].eq(outputs.hidden[name]) for name in ("keep", "beat", "codes")],
        trace.logit_valid.eq(outputs.logit_valid),
        trace.logit.eq(outputs.logit),
    ]


def count_events(m, counters, sums, outputs, bits, results):
    """Connect the increments of every event, booked to the running layer or to the bit's; pixels
    to the first layer and results to the last."""
    amounts, layer = counters.amounts, sums.current.layer
    m.d.comb += [
        amounts[Event.CYCLES].layer.eq(layer),
        amounts[Event.CYCLES].amount.eq(sums.active),
        amounts[Event.WAITING].amount.eq((sums.held != 0) & ~sums.active),
        amounts[Event.PIXELS].amount.eq(sums.pixels.valid & sums.pixels.ready),
        amounts[Event.RESULTS].layer.eq(counters.layers - 1),
        amounts[Event.RESULTS].amount.eq(results.valid & results.ready),
    ]
    for events in (sums.events, outputs.events):
        for name in events.shape().members:
            m.d.comb += [amounts[name].layer.eq(layer), amounts[name].amount.eq(events[name])]
    for name in ("reset", "write", "read"):
        pulse, before = getattr(bits.spin, name), Signal(name=f"spin_{name}_before")
        m.d.sync += before.eq(pulse)
        m.d.comb += [
            amounts[f"spin_{name}s"].layer.eq(bits.serving),
            amounts[f"spin_{name}s"].amount.eq(pulse & ~before & ~bits.searching),
        ]
