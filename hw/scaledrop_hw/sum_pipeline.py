# SPDX-License-Identifier: Apache-2.0
"""Sum pipeline: from layer commands to finished column sums."""

from itertools import pairwise

from amaranth.hdl import Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop_hw.accumulator import AccumulatorAdder
from scaledrop_hw.activation_buffer import ActivationBuffer
from scaledrop_hw.crossbar import CrossbarTile
from scaledrop_hw.descriptors import descriptor_layout, descriptor_of
from scaledrop_hw.drain import ColumnDrain
from scaledrop_hw.image_buffer import ImageBuffer
from scaledrop_hw.sequencer import LayerSequencer

__all__ = ["SumPipeline"]


class SumPipeline(wiring.Component):
    """Buffers, crossbar, accumulator-adder and drain under the layer sequencer.

    Parameters
    ----------
    mapping : scaledrop.mapping.NetworkMapping
        Every width, depth and weight follows from it.

    Members
    -------
    pixels : In(stream of unsigned(input_bits)); available : Out(1); free : In(1)
        See ImageBuffer.
    command : In(stream of command_layout); done : In(1)
        See LayerSequencer.
    current, descriptor, active : Out
        The layer being run.
    write, write_address, slot, bits : In
        Activation bits coming back; see ActivationBuffer.
    sums : Out(stream of {sums, last})
        Beats of finished sums; see ColumnDrain.
    events : Out({activations, row_drives, conversions, additions, buffer_reads})
        Increments of this cycle's event counters.

    Timing
    ------
    A step is summed 3 cycles after it is issued and its beat offered in the fourth. One step a
    cycle; when a tile is summed while the drain is full, the whole pipeline holds.
    """

    LATENCY = 1 + CrossbarTile.LATENCY

    def __init__(self, *, mapping):
        self._mapping = mapping
        network, array = mapping.network, mapping.array
        self._layout = descriptor_layout(
            rows=array.rows,
            columns=array.columns,
            lanes=array.lanes,
            tiles=mapping.tile_count,
            beats=mapping.beat_count,
            words=mapping.buffer_words + 1,
            planes=network.input_bits,
        )
        self._sequencer = LayerSequencer(
            layout=self._layout, descriptors=[descriptor_of(mapped) for mapped in mapping.layers]
        )
        partial_width = array.rows.bit_length() + 1
        self._sum_width = max(network.sum_width, partial_width)
        self._drain = ColumnDrain(
            columns=array.columns, lanes=array.lanes, sum_width=self._sum_width
        )
        self._activations = ActivationBuffer(
            rows=array.rows, lanes=array.lanes, depth=max(mapping.buffer_words, 1)
        )
        amount = unsigned(max(array.rows, array.columns).bit_length())
        names = ("activations", "row_drives", "conversions", "additions", "buffer_reads")
        command = self._sequencer.command.payload.shape()
        super().__init__(
            {
                "pixels": In(stream.Signature(unsigned(network.input_bits))),
                "available": Out(1),
                "free": In(1),
                "command": In(stream.Signature(command)),
                "done": In(1),
                "current": Out(command),
                "descriptor": Out(self._layout),
                "active": Out(1),
                "write": In(1),
                "write_address": In(self._activations.write_address.shape()),
                "slot": In(self._activations.slot.shape()),
                "bits": In(array.lanes),
                "sums": Out(stream.Signature(self._drain.output.payload.shape())),
                "events": Out(data.StructLayout({name: amount for name in names})),
            }
        )

    @property
    def mapping(self):
        return self._mapping

    @property
    def sum_width(self):
        return self._sum_width

    def elaborate(self, platform):
        m = Module()
        enable = Signal()
        m.submodules.sequencer = self._sequencer
        self._connect_sequencer(m, enable)
        word = self._fetch(m, enable)
        partials, tag = self._crossbar(m, enable, word)
        self._accumulate(m, enable, partials, tag)
        return m

    def _connect_sequencer(self, m, enable):
        sequencer = self._sequencer
        connect(m, flipped(self.command), sequencer.command)
        m.d.comb += [
            sequencer.enable.eq(enable),
            sequencer.done.eq(self.done),
            self.current.eq(sequencer.current),
            self.descriptor.eq(sequencer.descriptor),
            self.active.eq(sequencer.active),
        ]

    def _fetch(self, m, enable):
        """Stage 0: address a word of the image or of the activation buffer."""
        network, array, sequencer = self._mapping.network, self._mapping.array, self._sequencer
        m.submodules.image = image = ImageBuffer(
            rows=array.rows, planes=network.input_bits, pixels=network.input_size
        )
        m.submodules.activations = activations = self._activations
        connect(m, flipped(self.pixels), image.pixels)
        step, from_image = sequencer.step, sequencer.descriptor.image
        fetch = Signal()
        m.d.comb += [
            fetch.eq(sequencer.step_valid & enable),
            self.available.eq(image.available),
            image.free.eq(self.free),
            image.read.eq(fetch & from_image),
            image.plane.eq(step.plane),
            image.row_tile.eq(step.row_tile),
            activations.read.eq(fetch & ~from_image),
            activations.address.eq(step.word),
            activations.write.eq(self.write),
            activations.write_address.eq(self.write_address),
            activations.slot.eq(self.slot),
            activations.bits.eq(self.bits),
            self.events.buffer_reads.eq(image.read + activations.read),
        ]
        return Mux(from_image, image.word, activations.word)

    def _crossbar(self, m, enable, word):
        """Stages 1 and 2: drive the word lines; the step's tag travels beside the data."""
        mapping, sequencer = self._mapping, self._sequencer
        m.submodules.crossbar = crossbar = CrossbarTile(
            rows=mapping.array.rows,
            columns=mapping.array.columns,
            init=[tile for mapped in mapping.layers for tile in mapped.tile_words()],
        )
        tag_layout = data.StructLayout({"valid": 1, "step": sequencer.step.shape()})
        tags = [Signal(tag_layout, name=f"tag_{stage + 1}") for stage in range(self.LATENCY)]
        with m.If(enable):
            m.d.sync += [tags[0].valid.eq(sequencer.step_valid), tags[0].step.eq(sequencer.step)]
            m.d.sync += [after.eq(before) for before, after in pairwise(tags)]
        now, full = sequencer.descriptor, Const(-1, mapping.array.rows)
        in_use = Mux(tags[0].step.last_row, now.last_row_mask, full)
        m.d.comb += [
            crossbar.enable.eq(enable),
            crossbar.start.eq(tags[0].valid),
            crossbar.tile.eq(tags[0].step.tile),
            crossbar.drive.eq(in_use & (word | ~now.image.replicate(mapping.array.rows))),
            crossbar.sign.eq(word),
        ]
        return crossbar, tags[-1]

    def _accumulate(self, m, enable, crossbar, tag):
        """Stage 3: add; a finished tile goes to the drain, or holds the pipeline."""
        array, now, step = self._mapping.array, self._sequencer.descriptor, tag.step
        m.submodules.accumulator = adder = AccumulatorAdder(
            columns=array.columns,
            partial_width=signed(array.rows.bit_length() + 1).width,
            sum_width=self._sum_width,
        )
        m.submodules.drain = drain = self._drain
        connect(m, drain.output, flipped(self.sums))
        taken, columns = Signal(), Signal(range(array.columns + 1))
        m.d.comb += [
            enable.eq(~(tag.valid & step.last) | drain.ready),
            taken.eq(tag.valid & enable),
            adder.enable.eq(taken),
            adder.first.eq(step.first),
            adder.double.eq(step.double),
            adder.partials.eq(crossbar.partials),
            drain.load.eq(taken & step.last),
            drain.totals.eq(adder.totals),
            drain.ends_layer.eq(step.ends_layer),
            drain.beats.eq(Mux(step.ends_layer, now.last_beats, array.columns // array.lanes)),
            columns.eq(Mux(step.ends_layer, now.last_columns, array.columns)),
        ]
        with m.If(taken):
            m.d.comb += [
                self.events.activations.eq(1),
                self.events.row_drives.eq(crossbar.driven),
                self.events.conversions.eq(columns),
                self.events.additions.eq(Mux(step.first, 0, columns)),
            ]
