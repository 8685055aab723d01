# SPDX-License-Identifier: Apache-2.0
"""Sum pipeline: from commands to finished column sums."""

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import Memory
from scaledrop_hw.accumulator import AccumulatorAdder
from scaledrop_hw.baked_tile import BakedTile, lines_of
from scaledrop_hw.checks import require_choice, require_range
from scaledrop_hw.column_converter import ColumnConverter
from scaledrop_hw.crossbar import CrossbarTile
from scaledrop_hw.descriptors import descriptor_layout, descriptor_of
from scaledrop_hw.drain import ColumnDrain
from scaledrop_hw.guard import REFUSAL_BITS, Guard
from scaledrop_hw.hosted_memory import Contents
from scaledrop_hw.sequencer import LayerSequencer
from scaledrop_hw.sources import Sources
from scaledrop_hw.walker import command_layout

__all__ = ["WEIGHTS", "SumPipeline"]

WEIGHTS = ("memory", "baked")

EVENTS = ("activations", "row_drives", "conversions", "additions", "buffer_reads")


class SumPipeline(wiring.Component):
    """Sources, crossbar, converters, accumulator-adder and drain under the layer sequencer.

    Parameters
    ----------
    mapping : scaledrop.mapping.NetworkMapping
        Every width, depth and weight follows from it.
    weight_bits : int
        Width of a command's weights.
    patience : int
        See Guard.
    guarded : bool
        Without it there is no Guard: nobody loads a descriptor that makes no sense.
    weights : str
        ``memory``, which a host may load, or ``baked``: constants in the logic of a BakedTile.

    Members
    -------
    pixels : In(stream of {value, last}); held : Out(range(3)); misframed : Out(1); free : In(1)
        See PixelWriter and ImageBuffer.
    command : In(stream of command_layout); taken : Out(1); done : In(1)
        See LayerSequencer.
    current, descriptor, active : Out
        The visit being made.
    stop : In(1)
        No further visit is begun.
    progress : In(1); refused : Out(1); refusal, refused_layer : Out
        See Guard; progress of what is behind the sums.
    store : In(store_signature)
        Codes coming back.
    sums : Out(stream of {sums, ends_position, ends_layer})
        Beats of finished sums; see ColumnDrain.
    events : Out
        Increments of this cycle's event counters.
    host_weights, host_row_masks, host_descriptors : In(host_part_signature)
        Load and read back the memories. No ``host_weights`` where they are baked.

    Timing
    ------
    A step is summed ``LATENCY`` cycles after it is issued and its beat offered in the next. One
    step a cycle; when a tile is summed while the drain is full, the whole pipeline holds. A command
    is checked in the cycle in which it is first offered, and taken in a later one.
    """

    LATENCY = 1 + CrossbarTile.LATENCY + AccumulatorAdder.LATENCY

    def __init__(self, *, mapping, weight_bits, patience=4096, guarded=True, weights="memory"):
        self._mapping = mapping
        self._weight_bits = weight_bits
        array = mapping.array
        self._layout = descriptor_layout(mapping)
        command = command_layout(len(mapping.layers), weight_bits)
        self._sequencer = LayerSequencer(
            layout=self._layout,
            descriptors=[descriptor_of(mapped, mapping) for mapped in mapping.layers],
            command=command,
            tiles=mapping.end.tile,
            masks=mapping.end.mask,
        )
        self._converter = None
        if array.converter is not None:
            self._converter = ColumnConverter(
                rows=array.rows, columns=array.columns, converter=array.converter
            )
        self._partial_width = mapping.partial_width
        self._plane_width, self._sum_width = mapping.plane_width, mapping.running_width
        self._weights = [tile for mapped in mapping.layers for tile in mapped.tile_words()]
        self._kept = require_choice("weights", weights, WEIGHTS)
        self._tile = self._crossbar_tile(array)
        self._drain = ColumnDrain(
            columns=array.columns, lanes=array.lanes, sum_width=self._sum_width
        )
        self._sources = Sources(mapping=mapping, layout=self._layout)
        self._patience = require_range("patience", patience, 1, 2**20)
        self._guarded = bool(guarded)
        amount = unsigned(max(array.rows, array.columns).bit_length())
        super().__init__(
            {
                "pixels": In(self._sources.pixels.signature.flip()),
                "held": Out(range(3)),
                "misframed": Out(1),
                "free": In(1),
                "command": In(stream.Signature(command)),
                "taken": Out(1),
                "done": In(1),
                "current": Out(command),
                "descriptor": Out(self._layout),
                "active": Out(1),
                "stop": In(1),
                "progress": In(1),
                "refused": Out(1),
                "refusal": Out(REFUSAL_BITS),
                "refused_layer": Out(command["layer"].shape),
                "store": In(self._sources.store.signature.flip()),
                "sums": Out(stream.Signature(self._drain.output.payload.shape())),
                "events": Out(data.StructLayout(dict.fromkeys(EVENTS, amount))),
                **self._host_weights(),
                "host_row_masks": In(self._sources.host_row_masks.signature.flip()),
                "host_descriptors": In(self._sequencer.host.signature.flip()),
            }
        )

    def _crossbar_tile(self, array):
        size = {"rows": array.rows, "columns": array.columns}
        if self._kept == "memory":
            return CrossbarTile(**size, init=self._weights)
        lines = [pair for mapped in self._mapping.layers for pair in lines_of(mapped)]
        return BakedTile(**size, init=self._weights, lines=lines)

    def _host_weights(self):
        if self._kept == "baked":
            return {}
        return {"host_weights": In(self._tile.host.signature.flip())}

    @property
    def mapping(self):
        return self._mapping

    @property
    def weights(self):
        return self._kept

    @property
    def weight_bits(self):
        return self._weight_bits

    @property
    def patience(self):
        return self._patience

    @property
    def guarded(self):
        return self._guarded

    @property
    def hosts(self):
        """Ports and sizes of the memories that a host reaches."""
        others = {
            Memory.ROW_MASKS: ("host_row_masks", self._sources.row_masks_shape),
            Memory.DESCRIPTORS: ("host_descriptors", self._sequencer.shape),
        }
        if self._kept == "baked":
            return others
        return {Memory.WEIGHTS: ("host_weights", self._tile.shape), **others}

    @property
    def contents(self):
        """What these memories hold after power-up."""
        return {
            Memory.WEIGHTS: Contents(
                data.ArrayLayout(self._tile.rows, self._tile.columns), self._weights
            ),
            Memory.ROW_MASKS: self._sources.row_masks_contents,
            Memory.DESCRIPTORS: self._sequencer.contents,
        }

    @property
    def sum_width(self):
        return self._sum_width

    def elaborate(self, platform):
        m = Module()
        enable, offered, wrong = Signal(), Signal(), Signal()
        m.submodules.sequencer = self._sequencer
        m.submodules.sources = self._sources
        self._connect_sequencer(m, enable, offered, wrong)
        self._connect_sources(m, enable)
        if self._guarded:
            self._connect_guard(m, enable, offered, wrong)
        crossbar, summed, settled = self._crossbar(m, enable)
        self._accumulate(m, enable, crossbar, summed, settled)
        return m

    def _connect_sequencer(self, m, enable, offered, wrong):
        """A command that was on offer in the cycle before as well is checked and may be taken."""
        sequencer = self._sequencer
        m.d.sync += offered.eq(sequencer.command.valid & ~sequencer.taken)
        m.d.comb += [
            sequencer.command.payload.eq(self.command.payload),
            sequencer.command.valid.eq(self.command.valid & ~self.stop),
            self.command.ready.eq(sequencer.command.ready & ~self.stop),
            sequencer.refuse.eq(wrong | ~offered),
        ]
        connect(m, flipped(self.host_descriptors), sequencer.host)
        m.d.comb += [
            sequencer.enable.eq(enable),
            sequencer.done.eq(self.done),
            self.taken.eq(sequencer.taken),
            self.current.eq(sequencer.current),
            self.descriptor.eq(sequencer.descriptor),
            self.active.eq(sequencer.active),
        ]

    def _connect_guard(self, m, enable, offered, wrong):
        sequencer = self._sequencer
        m.submodules.guard = guard = Guard(
            mapping=self._mapping, layout=self._layout, patience=self._patience
        )
        m.d.sync += [
            guard.layer.eq(sequencer.command.payload.layer),
            guard.descriptor.eq(sequencer.offered),
        ]
        m.d.comb += [
            guard.offered.eq(offered),
            guard.running.eq(sequencer.active),
            guard.current.eq(sequencer.current.layer),
            guard.place.eq(sequencer.descriptor.source),
            guard.stepping.eq(sequencer.step_valid & enable),
            guard.step.eq(sequencer.step),
            guard.progress.eq(self.progress | guard.stepping),
            wrong.eq(guard.refuse),
            sequencer.hold.eq(guard.refused),
            self.refused.eq(guard.refused),
            self.refusal.eq(guard.code),
            self.refused_layer.eq(guard.refused_layer),
        ]

    def _connect_sources(self, m, enable):
        """Stage 0: address a word."""
        sequencer, sources = self._sequencer, self._sources
        connect(m, flipped(self.pixels), sources.pixels)
        connect(m, flipped(self.store), sources.store)
        connect(m, flipped(self.host_row_masks), sources.host_row_masks)
        kept_before = (sequencer.current.path << 1).bit_select(sequencer.current.layer, 1)
        m.d.comb += [
            self.held.eq(sources.held),
            self.misframed.eq(sources.misframed),
            sources.free.eq(self.free),
            sources.descriptor.eq(sequencer.descriptor),
            sources.kept_before.eq(kept_before),
            sources.start_window.eq(sequencer.start_window),
            sources.advance_window.eq(sequencer.advance_window),
            sequencer.window_ready.eq(sources.window_ready),
            sources.read.eq(sequencer.step_valid & enable),
            sources.step.eq(sequencer.step),
            self.events.buffer_reads.eq(sources.reads),
        ]

    def _crossbar(self, m, enable):
        """Stage 1 on: drive the word lines; the step's tag travels beside the data."""
        sequencer, sources = self._sequencer, self._sources
        m.submodules.crossbar = crossbar = self._tile
        if self._kept == "memory":
            connect(m, flipped(self.host_weights), crossbar.host)
        tag_layout = data.StructLayout({"valid": 1, "step": sequencer.step.shape()})
        tags = [Signal(tag_layout, name=f"tag_{stage + 1}") for stage in range(self.LATENCY)]
        with m.If(enable):
            m.d.sync += [tags[0].valid.eq(sequencer.step_valid), tags[0].step.eq(sequencer.step)]
            m.d.sync += [after.eq(before) for before, after in pairwise(tags)]
        m.d.comb += [
            crossbar.enable.eq(enable),
            crossbar.start.eq(tags[0].valid),
            crossbar.tile.eq(tags[0].step.tile),
            crossbar.drive.eq(sources.drive),
            crossbar.sign.eq(sources.word),
        ]
        return crossbar, tags[-1 - AccumulatorAdder.LATENCY], tags[-1]

    def _accumulate(self, m, enable, crossbar, tag, settled):
        """Last stages: add; a finished tile goes to the drain, or holds the pipeline."""
        array, now = self._mapping.array, self._sequencer.descriptor
        step, done = tag.step, settled.step
        m.submodules.accumulator = adder = AccumulatorAdder(
            columns=array.columns,
            partial_width=self._partial_width,
            plane_width=self._plane_width,
            sum_width=self._sum_width,
        )
        partials = crossbar.partials
        if self._converter is not None:
            m.submodules.converter = converter = self._converter
            m.d.comb += converter.sums.eq(crossbar.partials)
            partials = converter.values
        m.submodules.drain = drain = self._drain
        connect(m, drain.output, flipped(self.sums))
        taken = Signal()
        columns = Signal(range(array.columns + 1))
        m.d.comb += [
            enable.eq(~(settled.valid & done.last) | drain.ready),
            taken.eq(tag.valid & enable),
            adder.enable.eq(taken),
            adder.ends_plane.eq(step.ends_plane),
            adder.last.eq(step.last),
            adder.partials.eq(partials),
            drain.load.eq(settled.valid & enable & done.last),
            drain.totals.eq(adder.totals),
            drain.ends_position.eq(done.ends_position),
            drain.ends_layer.eq(done.ends_layer),
            drain.beats.eq(Mux(done.ends_position, now.last_beats, array.columns // array.lanes)),
            columns.eq(Mux(step.ends_position, now.last_columns, array.columns)),
        ]
        with m.If(taken):
            m.d.comb += [
                self.events.activations.eq(1),
                self.events.row_drives.eq(crossbar.driven),
                self.events.conversions.eq(columns),
                self.events.additions.eq(Mux(step.first, 0, columns)),
            ]
