# SPDX-License-Identifier: Apache-2.0
"""The accelerator: images in, weighted sums of logits over stochastic networks out."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import DeviceSizes
from scaledrop.errors import UserError
from scaledrop.events import Event
from scaledrop.form import Form
from scaledrop.frozen_file import digest
from scaledrop.numbers import DROP_BITS
from scaledrop.schedule import PipelineTiming
from scaledrop.walk import Mode
from scaledrop_hw.bit_source import BitSource
from scaledrop_hw.checks import require_range
from scaledrop_hw.counters import EventCounters
from scaledrop_hw.datapath import DATAPATHS
from scaledrop_hw.dropout import SpinSignature, SpinTiming
from scaledrop_hw.host_window import host_signature
from scaledrop_hw.memory_host import MemoryHost
from scaledrop_hw.observation import count_events, drive_trace, trace_signature
from scaledrop_hw.output_pipeline import OutputPipeline
from scaledrop_hw.pass_accumulator import PassAccumulator
from scaledrop_hw.sum_pipeline import SumPipeline
from scaledrop_hw.supervision import Supervision
from scaledrop_hw.walker import Walker

__all__ = ["Accelerator"]


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
    patience : int
        Cycles without progress after which a visit is given up; see Guard.
    calibration : scaledrop.calibration.Calibration or None
        Of the calibrator of the spin unit; None leaves it out. See BitSource.
    form : scaledrop.form.Form
        What is built. The small form has no ``host``, ``counter_*``, ``monitor_*``, ``clear``,
        ``status`` and ``stop_enable``; ``record_enable``, ``cutoff`` and ``inject`` are not heeded.
    weights : str
        ``memory`` or ``baked``: equal results. See SumPipeline.

    Members
    -------
    pixels : In(stream of {value, last})
        Raster positions, channel innermost; ``last`` with an image's last pixel.
    results : Out(stream of result_layout)
        Per image and class; see PassAccumulator.
    records : Out(stream of record_layout); record_enable : In(1)
        Logits of every leaf on request; see RecordQueue.
    mode, passes, cutoff, min_votes, min_margin : In
        See Walker and PassAccumulator.
    drive_codes : In(ArrayLayout(16, layers))
        A layer's scale is dropped with probability code / 65536.
    spin : Out(SpinSignature)
        The one spin unit.
    calibrate, calibrate_start, code_select : In; searching, locked, lock_lost, code_value : Out
        See BitSource. ``calibrate_start`` is not heeded while ``busy``; images wait for the end of
        the search. Its pulses are not counted as events.
    host : In(host_signature); inject : In
        Loads and reads back the memories while ``busy`` is low; errors for the scale memory.
    abort : In(1)
        Forgets every image, command and bit; memories, counters and monitors keep theirs.
    busy : Out(1)
        An image is held or its result is on the way. No configuration may change.
    refused : Out(1); refusal, refused_layer : Out
        A descriptor made no sense; nothing moves until ``abort``. See Guard.
    clear, stop_enable, monitor_select : In; status, stop, monitor_count : Out
        See Monitors. While ``stop`` is high no further visit is begun.
    counter_select : In; counter_value : Out
        See EventCounters; events in the order of scaledrop.events.Event.
    trace : Out(trace_signature)

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
        self,
        *,
        mapping,
        timing=SpinTiming(),
        max_passes=255,
        datapath="reference",
        depth=16,
        patience=4096,
        calibration=None,
        form=Form.FULL,
        weights="memory",
    ):
        if datapath not in DATAPATHS:
            raise UserError(f"datapath: must be {' or '.join(DATAPATHS)}, not {datapath!r}")
        self._mapping = mapping
        self._timing = timing
        self._max_passes = require_range("max_passes", max_passes, 1, 65535)
        self._datapath = datapath
        self._depth = depth
        self._form = Form.named(form)
        full = self._form is Form.FULL
        network, layers = mapping.network, len(mapping.layers)
        self._walker = Walker(layers=layers, max_passes=max_passes, depth=depth, exact=full)
        total_bits = self._walker.weight_bits
        self._sums = SumPipeline(
            mapping=mapping,
            weight_bits=total_bits,
            patience=patience,
            guarded=full,
            weights=weights,
        )
        path = DATAPATHS[datapath](mapping=mapping, sum_width=self._sums.sum_width, ecc=full)
        self._outputs = OutputPipeline(sums=self._sums, datapath=path, recorded=full)
        self._accumulate = PassAccumulator(
            classes=network.classes,
            logit_width=mapping.logit_width,
            weight_bits=total_bits,
            total_bits=total_bits,
            squares=full,
        )
        self._bits = BitSource(layers=layers, timing=timing, calibration=calibration)
        trace = trace_signature(
            layers,
            self._walker.command.payload.shape(),
            self._outputs.hidden.shape(),
            self._outputs.logit.shape(),
        )
        self._counters = self._supervision = self._memories = None
        if full:
            self._add_full()
        super().__init__(
            {
                "pixels": In(self._sums.pixels.signature.flip()),
                "results": Out(stream.Signature(self._accumulate.results.payload.shape())),
                "records": Out(self._outputs.records.signature),
                "record_enable": In(1),
                "mode": In(self._walker.mode.shape()),
                "passes": In(range(max_passes + 1)),
                "cutoff": In(self._walker.cutoff.shape()),
                "min_votes": In(self._accumulate.min_votes.shape()),
                "min_margin": In(self._accumulate.min_margin.shape()),
                "drive_codes": In(data.ArrayLayout(DROP_BITS, layers)),
                "spin": Out(SpinSignature),
                "calibrate": In(1),
                "calibrate_start": In(1),
                "searching": Out(1),
                "locked": Out(layers),
                "lock_lost": Out(1),
                "code_select": In(self._bits.select.shape()),
                "code_value": Out(DROP_BITS),
                "inject": In(self._outputs.inject.shape()),
                "abort": In(1),
                "busy": Out(1),
                "refused": Out(1),
                "refusal": Out(self._sums.refusal.shape()),
                "refused_layer": Out(self._sums.refused_layer.shape()),
                "stop": Out(1),
                "trace": Out(trace),
                **(self._full_members() if full else {}),
            }
        )

    def _add_full(self):
        """Parts of the full form that nothing else needs."""
        array, layers = self._mapping.array, len(self._mapping.layers)
        self._counters = EventCounters(
            events=list(Event),
            layers=layers,
            amount_bits=max(array.rows, array.columns).bit_length(),
        )
        self._supervision = Supervision(
            drop_codes=self._mapping.drop_codes, max_passes=self._max_passes
        )
        self._memories = MemoryHost(
            shapes={memory: shape for memory, (_, _, shape) in self._hosts.items()}
        )

    def _full_members(self):
        supervision, counters = self._supervision, self._counters
        return {
            "host": In(host_signature()),
            "clear": In(supervision.clear.shape()),
            "status": Out(supervision.status.shape()),
            "stop_enable": In(supervision.stop_enable.shape()),
            "monitor_select": In(supervision.select.shape()),
            "monitor_count": Out(supervision.count.shape()),
            "counter_select": In(counters.select.shape()),
            "counter_value": Out(counters.width),
        }

    @property
    def _hosts(self):
        """Memory -> the part that has it, the name of its port, its size."""
        full = self._form is Form.FULL
        parts = (self._sums, self._outputs, self._supervision) if full else ()
        return {
            memory: (part, name, shape)
            for part in parts
            for memory, (name, shape) in part.hosts.items()
        }

    @property
    def contents(self):
        """Memory -> what it holds after power-up."""
        hosts = self._hosts
        return {memory: part.contents[memory] for memory, (part, _, _) in hosts.items()}

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
    def weights(self):
        return self._sums.weights

    @property
    def depth(self):
        return self._depth

    @property
    def patience(self):
        return self._sums.patience

    @property
    def form(self):
        return self._form

    @property
    def calibration(self):
        return self._bits.calibration

    @property
    def pipeline_timing(self):
        """Latencies for :func:`scaledrop.schedule.predict_cycles`."""
        return PipelineTiming(
            spin=self._timing.cycles,
            front=SumPipeline.LATENCY,
            back=DATAPATHS[self._datapath].LATENCY,
            depth=self._depth,
        )

    @property
    def sizes(self):
        """What a host must know of it."""
        network, array = self._mapping.network, self._mapping.array
        squares = self._accumulate.results.payload.shape()["squares"].width
        full = self._form is Form.FULL
        return DeviceSizes(
            layers=len(self._mapping.layers),
            classes=network.classes,
            rows=array.rows,
            columns=array.columns,
            lanes=array.lanes,
            input_bits=network.input_bits,
            pixels=network.input_size,
            max_passes=self._max_passes,
            weight_bits=self._walker.weight_bits,
            squares_words=-(-squares // 32) if full else 0,
            scale_parts=-(-len(self._outputs.inject) // 32) if full else 0,
            events=len(Event) if full else 0,
            memories={memory: shape for memory, (_, _, shape) in self._hosts.items()},
            drive_codes=tuple(self._mapping.drop_codes),
            digest=digest(network),
            form=self._form,
        )

    def elaborate(self, platform):
        m = Module()
        core = Module()
        m.submodules.core = ResetInserter(self.abort)(core)
        core.submodules.walker = self._walker
        core.submodules.sums = self._sums
        core.submodules.outputs = self._outputs
        core.submodules.accumulate = self._accumulate
        m.submodules.bits = bits = self._bits
        self._flow(core)
        self._draw(m, bits)
        self._configure(m, core)
        drive_trace(m, self.trace, self._walker, self._sums, self._outputs)
        if self._form is Form.FULL:
            self._load(m)
            self._supervise(m, core)
            self._count(m, bits)
        return m

    def _count(self, m, bits):
        m.submodules.counters = counters = self._counters
        count_events(m, counters, self._sums, self._outputs, bits, self._accumulate.results)
        m.d.comb += [
            counters.select.eq(self.counter_select),
            self.counter_value.eq(counters.value),
        ]

    def _flow(self, m):
        """From pixels to results."""
        walker, sums, outputs = self._walker, self._sums, self._outputs
        accumulate = self._accumulate
        connect(m, flipped(self.pixels), sums.pixels)
        connect(m, walker.command, sums.command)
        connect(m, sums.sums, outputs.sums)
        connect(m, outputs.store, sums.store)
        connect(m, accumulate.results, flipped(self.results))
        connect(m, outputs.records, flipped(self.records))
        released, unsent = Signal(), Signal()
        m.d.comb += [
            released.eq(outputs.done & sums.current.last),
            walker.held.eq(sums.held),
            walker.free.eq(released),
            sums.free.eq(released),
            sums.done.eq(outputs.done),
            sums.progress.eq(unsent | outputs.moves | (self.records.valid & ~self.records.ready)),
            outputs.current.eq(sums.current),
            outputs.descriptor.eq(sums.descriptor),
            outputs.drained.eq(accumulate.drained),
            accumulate.logit_valid.eq(outputs.logit_valid),
            accumulate.logit.eq(outputs.logit),
            self.busy.eq((sums.held != 0) | unsent),
        ]
        with m.If(accumulate.drained):
            m.d.sync += unsent.eq(0)
        with m.If(released):
            m.d.sync += unsent.eq(1)

    def _draw(self, m, bits):
        walker = self._walker
        connect(m, walker.request, bits.request)
        connect(m, bits.bits, walker.bits)
        connect(m, bits.spin, flipped(self.spin))
        m.d.comb += [
            walker.code.eq(self.drive_codes[walker.asked]),
            bits.targets.eq(self.drive_codes),
            bits.calibrate.eq(self.calibrate),
            bits.start.eq(self.calibrate_start & ~self.busy),
            bits.select.eq(self.code_select),
            bits.abort.eq(self.abort),
            self.searching.eq(bits.searching),
            self.locked.eq(bits.locked),
            self.lock_lost.eq(bits.lost),
            self.code_value.eq(bits.value),
        ]

    def _configure(self, m, core):
        core.d.comb += [
            self._walker.mode.eq(self.mode),
            self._walker.passes.eq(self.passes),
            self._walker.cutoff.eq(self.cutoff),
            self._accumulate.min_votes.eq(self.min_votes),
            self._accumulate.min_margin.eq(self.min_margin),
            self._outputs.record_enable.eq(self.record_enable),
            self._outputs.inject.eq(self.inject),
            self._sums.stop.eq(self.stop),
        ]
        m.d.comb += [
            self.refused.eq(self._sums.refused),
            self.refusal.eq(self._sums.refusal),
            self.refused_layer.eq(self._sums.refused_layer),
        ]

    def _load(self, m):
        m.submodules.memories = memories = self._memories
        connect(m, flipped(self.host), memories.host)
        m.d.comb += memories.idle.eq(~self.busy)
        for memory, (part, name, _) in self._hosts.items():
            connect(m, getattr(memories, memory.name.lower()), getattr(part, name))

    def _observe(self, core):
        """What the monitors see of the walk, a cycle later: their sums would follow on its own."""
        walker, supervision = self._walker, self._supervision
        write = Signal(name="observed_write")
        core.d.sync += write.eq(self.spin.write & ~self.searching)
        seen = {"write": write}
        for name in ("drawn_valid", "drawn", "formed_valid"):
            seen[name] = Signal.like(getattr(supervision, name), name=f"observed_{name}")
            core.d.sync += seen[name].eq(getattr(walker, name))
        seen["formed"] = formed = Signal.like(supervision.formed, name="observed_formed")
        core.d.sync += [formed[name].eq(walker.formed[name]) for name, _ in formed.shape()]
        return seen

    def _supervise(self, m, core):
        m.submodules.supervision = supervision = self._supervision
        outputs, sums = self._outputs, self._sums
        refused_before = Signal()
        m.d.comb += [
            getattr(supervision, name).eq(one) for name, one in self._observe(core).items()
        ]
        m.d.sync += refused_before.eq(sums.refused)
        m.d.comb += [
            supervision.restart.eq(self.abort),
            supervision.exact.eq(self.mode == list(Mode).index(Mode.EXACT)),
            supervision.passes.eq(self.passes),
            supervision.leaf_valid.eq(outputs.logit_valid & outputs.logit.ends_leaf),
            supervision.leaf.weight.eq(outputs.logit.weight),
            supervision.leaf.ends_image.eq(outputs.logit.ends_image),
            supervision.corrected.eq(outputs.corrected),
            supervision.uncorrected.eq(outputs.uncorrected),
            supervision.refused.eq(sums.refused & ~refused_before),
            supervision.misframed.eq(sums.misframed),
            supervision.clear.eq(self.clear),
            supervision.stop_enable.eq(self.stop_enable),
            supervision.select.eq(self.monitor_select),
            self.status.eq(supervision.status),
            self.stop.eq(supervision.stop),
            self.monitor_count.eq(supervision.count),
        ]
