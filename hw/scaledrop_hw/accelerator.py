# SPDX-License-Identifier: Apache-2.0
"""The accelerator: images in, weighted sums of logits over stochastic networks out."""

from amaranth.hdl import Array, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.errors import UserError
from scaledrop.events import Event
from scaledrop.numbers import DROP_BITS
from scaledrop.schedule import PipelineTiming
from scaledrop.walk import MASS_BITS
from scaledrop_hw.checks import require_range
from scaledrop_hw.counters import EventCounters
from scaledrop_hw.datapath import DATAPATHS
from scaledrop_hw.dropout import DropoutController, SpinSignature, SpinTiming
from scaledrop_hw.output_pipeline import OutputPipeline
from scaledrop_hw.pass_accumulator import PassAccumulator
from scaledrop_hw.sum_pipeline import SumPipeline
from scaledrop_hw.walker import Walker

__all__ = ["Accelerator", "trace_signature"]


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


class Accelerator(wiring.Component):
    """A frozen network on a crossbar array.

    Parameters
    ----------
    mapping : scaledrop.mapping.NetworkMapping
        Every width and depth follows from it.
    timing : SpinTiming
    max_passes : int
        Largest T, 1 to 65535.
    datapath : str
        ``reference`` or ``folded``: equal results.
    depth : int
        Commands that the walk may be ahead of the crossbar.

    Members
    -------
    pixels : In(stream of {value, last})
        Raster positions, channel innermost; ``last`` with an image's last pixel.
    results : Out(stream of result_layout)
        Per image and class; see PassAccumulator.
    mode, passes, cutoff, min_votes, min_margin : In
        See Walker and PassAccumulator; sampled when an image's walk begins, and when it ends.
    spin : Out(SpinSignature)
        The one spin unit.
    counter_select : In; counter_value : Out
        See EventCounters; events in the order of scaledrop.events.Event.
    trace : Out(trace_signature)
    misframed : Out(1)
        An image of the wrong length was dropped.
    busy : Out(1)
        An image is held.

    Timing
    ------
    scaledrop.schedule.predict_cycles, exactly. Back-pressure on ``results`` or a late pixel stalls
    the pipeline and changes no result.

    Stochastic contract
    -------------------
    Bits are drawn image by image in the order of the visits of scaledrop.walk, one for each pass
    and layer; none in mode ``exact``.

    Reference
    ---------
    arXiv 2311.15816; docs/design/0003-accelerator.md.
    """

    def __init__(
        self, *, mapping, timing=SpinTiming(), max_passes=255, datapath="reference", depth=16
    ):
        if datapath not in DATAPATHS:
            raise UserError(f"datapath: must be {' or '.join(DATAPATHS)}, not {datapath!r}")
        self._mapping = mapping
        self._timing = timing
        self._max_passes = require_range("max_passes", max_passes, 1, 65535)
        self._datapath = datapath
        self._depth = depth
        network, array = mapping.network, mapping.array
        layers = len(mapping.layers)
        total_bits = max(MASS_BITS + 1, max_passes.bit_length())
        self._walker = Walker(layers=layers, max_passes=max_passes, depth=depth)
        self._sums = SumPipeline(mapping=mapping, weight_bits=total_bits)
        path = DATAPATHS[datapath](mapping=mapping, sum_width=self._sums.sum_width)
        self._outputs = OutputPipeline(sums=self._sums, datapath=path)
        self._accumulate = PassAccumulator(
            classes=network.classes,
            logit_width=network.logit_width,
            weight_bits=total_bits,
            total_bits=total_bits,
        )
        self._counters = EventCounters(
            events=list(Event),
            layers=layers,
            amount_bits=max(array.rows, array.columns).bit_length(),
        )
        trace = trace_signature(
            layers,
            self._walker.command.payload.shape(),
            self._outputs.hidden.shape(),
            self._outputs.logit.shape(),
        )
        super().__init__(
            {
                "pixels": In(self._sums.pixels.signature.flip()),
                "results": Out(stream.Signature(self._accumulate.results.payload.shape())),
                "mode": In(self._walker.mode.shape()),
                "passes": In(range(max_passes + 1)),
                "cutoff": In(self._walker.cutoff.shape()),
                "min_votes": In(self._accumulate.min_votes.shape()),
                "min_margin": In(self._accumulate.min_margin.shape()),
                "spin": Out(SpinSignature),
                "counter_select": In(self._counters.select.shape()),
                "counter_value": Out(self._counters.width),
                "trace": Out(trace),
                "misframed": Out(1),
                "busy": Out(1),
            }
        )

    @property
    def mapping(self):
        return self._mapping

    @property
    def timing(self):
        return self._timing

    @property
    def max_passes(self):
        return self._max_passes

    @property
    def datapath(self):
        return self._datapath

    @property
    def depth(self):
        return self._depth

    @property
    def pipeline_timing(self):
        """Latencies for :func:`scaledrop.schedule.predict_cycles`."""
        return PipelineTiming(
            spin=self._timing.cycles,
            front=SumPipeline.LATENCY,
            back=DATAPATHS[self._datapath].LATENCY,
            depth=self._depth,
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.walker = walker = self._walker
        m.submodules.sums = sums = self._sums
        m.submodules.outputs = outputs = self._outputs
        m.submodules.accumulate = accumulate = self._accumulate
        m.submodules.dropout = dropout = DropoutController(
            drive_codes=self._mapping.drop_codes, timing=self._timing
        )
        codes = Array(Const(code, DROP_BITS) for code in self._mapping.drop_codes)
        connect(m, flipped(self.pixels), sums.pixels)
        connect(m, walker.command, sums.command)
        connect(m, walker.request, dropout.request)
        connect(m, dropout.bits, walker.bits)
        connect(m, dropout.spin, flipped(self.spin))
        connect(m, sums.sums, outputs.sums)
        connect(m, outputs.store, sums.store)
        connect(m, accumulate.results, flipped(self.results))
        released = Signal()
        m.d.comb += [
            *[
                getattr(walker, name).eq(getattr(self, name))
                for name in ("mode", "passes", "cutoff")
            ],
            walker.held.eq(sums.held),
            walker.code.eq(codes[walker.asked]),
            released.eq(outputs.done & sums.current.last),
            walker.free.eq(released),
            sums.free.eq(released),
            sums.done.eq(outputs.done),
            outputs.current.eq(sums.current),
            outputs.descriptor.eq(sums.descriptor),
            accumulate.logit_valid.eq(outputs.logit_valid),
            accumulate.logit.eq(outputs.logit),
            accumulate.min_votes.eq(self.min_votes),
            accumulate.min_margin.eq(self.min_margin),
            outputs.drained.eq(accumulate.drained),
            self.misframed.eq(sums.misframed),
            self.busy.eq(sums.held != 0),
        ]
        self._trace(m)
        self._count(m, dropout)
        return m

    def _trace(self, m):
        trace, outputs, walker = self.trace, self._outputs, self._walker
        m.d.comb += [
            trace.visit_valid.eq(self._sums.taken),
            trace.visit.eq(walker.command.payload),
            trace.drawn_valid.eq(walker.drawn_valid),
            trace.drawn.eq(walker.drawn),
            trace.hidden_valid.eq(outputs.hidden_valid),
            trace.hidden.layer.eq(self._sums.current.layer),
            *[trace.hidden[name].eq(outputs.hidden[name]) for name in ("keep", "beat", "codes")],
            trace.logit_valid.eq(outputs.logit_valid),
            trace.logit.eq(outputs.logit),
        ]

    def _count(self, m, dropout):
        m.submodules.counters = counters = self._counters
        amounts, layer = counters.amounts, self._sums.current.layer
        m.d.comb += [
            counters.select.eq(self.counter_select),
            self.counter_value.eq(counters.value),
            amounts[Event.CYCLES].layer.eq(layer),
            amounts[Event.CYCLES].amount.eq(self._sums.active),
            amounts[Event.WAITING].amount.eq(self.busy & ~self._sums.active),
        ]
        for events in (self._sums.events, self._outputs.events):
            for name in events.shape().members:
                m.d.comb += [amounts[name].layer.eq(layer), amounts[name].amount.eq(events[name])]
        for name in ("reset", "write", "read"):
            pulse, before = getattr(dropout.spin, name), Signal(name=f"spin_{name}_before")
            m.d.sync += before.eq(pulse)
            m.d.comb += [
                amounts[f"spin_{name}s"].layer.eq(dropout.serving),
                amounts[f"spin_{name}s"].amount.eq(pulse & ~before),
            ]
