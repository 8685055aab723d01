# SPDX-License-Identifier: Apache-2.0
"""The accelerator: images in, logits summed over stochastic passes out."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.events import Event
from scaledrop.schedule import PipelineTiming
from scaledrop_hw.checks import require_range
from scaledrop_hw.counters import EventCounters
from scaledrop_hw.dropout import DropoutController, SpinSignature, SpinTiming
from scaledrop_hw.output_pipeline import OutputPipeline
from scaledrop_hw.pass_accumulator import PassAccumulator
from scaledrop_hw.passes import PassControl
from scaledrop_hw.sum_pipeline import SumPipeline

__all__ = ["Accelerator", "trace_signature"]


def trace_signature(layers, beat, lanes, logit):
    """Observation port: what the accelerator computes, as it computes it. Leave open in silicon.

    hidden  a beat of activation bits is stored (beat counts within the layer)
    mask    a layer uses its mask bit for the first time
    logit   a class of a pass is done
    """
    layer = range(max(layers, 2))
    layouts = {
        "hidden": data.StructLayout({"layer": layer, "beat": beat, "bits": lanes}),
        "mask": data.StructLayout({"layer": layer, "keep": 1}),
        "logit": logit,
    }
    valids = {f"{name}_valid": Out(1) for name in layouts}
    return wiring.Signature({**valids, **{name: Out(of) for name, of in layouts.items()}})


class Accelerator(wiring.Component):
    """A frozen network on a crossbar array, contents baked in, mode ``passes``.

    Parameters
    ----------
    mapping : scaledrop.mapping.NetworkMapping
        Every width and depth follows from it.
    timing : SpinTiming
    max_passes : int
        Largest T, 1 to 65535.

    Members
    -------
    pixels : In(stream of unsigned(input_bits))
        See ImageBuffer.
    results : Out(stream of result_layout)
        Per image and class: sum of logits over the passes, votes.
    passes : In
        T, 1 to max_passes; sampled when an image starts. 0 is taken as 1.
    spin : Out(SpinSignature)
        The one spin unit.
    counter_select : In; counter_value : Out
        See EventCounters; events in the order of scaledrop.events.Event.
    scale_host : In(host_signature)
        Loads and reads back the scale memory; see ScaleMemory.
    trace : Out(trace_signature)
    busy : Out(1)
        An image is held.

    Timing
    ------
    scaledrop.schedule.predict_cycles, exactly. Back-pressure on ``results`` or a late pixel stalls
    the pipeline and changes no result.

    Stochastic contract
    -------------------
    Mask bits are drawn image by image, pass by pass, layer by layer, one each.

    Reference
    ---------
    arXiv 2311.15816; docs/design/0003-accelerator.md.
    """

    def __init__(self, *, mapping, timing=SpinTiming(), max_passes=255):
        self._mapping = mapping
        self._timing = timing
        self._max_passes = require_range("max_passes", max_passes, 1, 65535)
        network, array = mapping.network, mapping.array
        layers = len(mapping.layers)
        self._sums = SumPipeline(mapping=mapping)
        self._outputs = OutputPipeline(sums=self._sums)
        self._accumulate = PassAccumulator(
            classes=network.classes, logit_width=network.logit_width, max_passes=max_passes
        )
        self._counters = EventCounters(
            events=list(Event),
            layers=layers,
            amount_bits=max(array.rows, array.columns).bit_length(),
        )
        trace = trace_signature(
            layers, self._outputs.beat.shape(), array.lanes, self._outputs.logit.shape()
        )
        super().__init__(
            {
                "pixels": In(stream.Signature(unsigned(network.input_bits))),
                "results": Out(stream.Signature(self._accumulate.results.payload.shape())),
                "passes": In(range(max_passes + 1)),
                "spin": Out(SpinSignature),
                "counter_select": In(self._counters.select.shape()),
                "counter_value": Out(self._counters.width),
                "scale_host": In(self._outputs.scale_host.signature.flip()),
                "trace": Out(trace),
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
    def pipeline_timing(self):
        """Latencies for :func:`scaledrop.schedule.predict_cycles`."""
        return PipelineTiming(
            spin=self._timing.cycles, front=SumPipeline.LATENCY, back=OutputPipeline.LATENCY
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.sums = sums = self._sums
        m.submodules.outputs = outputs = self._outputs
        m.submodules.accumulate = accumulate = self._accumulate
        m.submodules.pass_control = passes = PassControl(
            layers=len(self._mapping.layers), max_passes=self._max_passes
        )
        m.submodules.dropout = dropout = DropoutController(
            drive_codes=[layer.drop_code for layer in self._mapping.network.layers],
            timing=self._timing,
        )
        connect(m, flipped(self.pixels), sums.pixels)
        connect(m, passes.command, sums.command)
        connect(m, passes.request, dropout.request)
        connect(m, dropout.bits, passes.drawn_bits)
        connect(m, passes.mask_bits, outputs.mask_bits)
        connect(m, dropout.spin, flipped(self.spin))
        connect(m, sums.sums, outputs.sums)
        connect(m, accumulate.results, flipped(self.results))
        connect(m, flipped(self.scale_host), outputs.scale_host)
        m.d.comb += [
            passes.passes.eq(self.passes),
            passes.available.eq(sums.available),
            passes.done.eq(outputs.done),
            sums.free.eq(passes.free),
            sums.done.eq(outputs.done),
            outputs.current.eq(sums.current),
            outputs.descriptor.eq(sums.descriptor),
            *[
                getattr(sums, name).eq(getattr(outputs, name))
                for name in ("write", "write_address", "slot", "bits")
            ],
            accumulate.logit_valid.eq(outputs.logit_valid),
            accumulate.logit.eq(outputs.logit),
            outputs.drained.eq(accumulate.drained),
            self.busy.eq(sums.available),
        ]
        self._trace(m)
        self._count(m, dropout)
        return m

    def _trace(self, m):
        trace, outputs, layer = self.trace, self._outputs, self._sums.current.layer
        m.d.comb += [
            trace.hidden_valid.eq(outputs.write),
            trace.hidden.layer.eq(layer),
            trace.hidden.beat.eq(outputs.beat),
            trace.hidden.bits.eq(outputs.bits),
            trace.mask_valid.eq(outputs.keep_taken),
            trace.mask.layer.eq(layer),
            trace.mask.keep.eq(outputs.keep),
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
