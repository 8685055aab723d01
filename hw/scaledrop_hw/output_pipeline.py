# SPDX-License-Identifier: Apache-2.0
"""Output pipeline: from finished sums to activation bits or logits."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.frozen import Threshold
from scaledrop_hw.head import Head
from scaledrop_hw.mask import MaskRegister
from scaledrop_hw.scale_memory import ScaleMemory, host_signature
from scaledrop_hw.scale_stage import ScaleStage
from scaledrop_hw.threshold import ThresholdStage

__all__ = ["OutputPipeline"]


class OutputPipeline(wiring.Component):
    """Mask, scale, threshold and head: the reference datapath.

    Parameters
    ----------
    sums : SumPipeline
        Gives the mapping and the shapes of what arrives.

    Members
    -------
    sums : In(stream of {sums, last}); current, descriptor : In
        From the sum pipeline.
    mask_bits : In(stream of 1 bit)
        One mask bit per layer and pass.
    write, write_address, slot, bits : Out
        To the activation buffer.
    done : Out(1)
        The layer's last result is stored in this cycle.
    logit_valid : Out(1); logit : Out(logit_layout); drained : In(1)
        To and from the pass accumulator.
    scale_host : In(host_signature)
    beat : Out
        Index within the layer of the beat being written.
    keep : Out(1); keep_taken : Out(1)
        The running layer's mask bit, and the cycle of its first use.
    events : Out({scale_reads, multiplies, comparisons, logit_macs, buffer_writes})

    Timing
    ------
    A beat waits until its layer's mask bit is held and, in the last layer, until the head is free;
    its result is stored 2 cycles after it leaves. One beat a cycle.
    """

    LATENCY = ScaleStage.LATENCY

    def __init__(self, *, sums):
        self._mapping = mapping = sums.mapping
        network, array = mapping.network, mapping.array
        self._scaled_width = max(network.scaled_width, sums.sum_width)
        self._memory = ScaleMemory(
            lanes=array.lanes, scale_bits=network.scale_bits, init=self._scale_words()
        )
        self._scale = ScaleStage(
            sum_width=sums.sum_width,
            scaled_width=self._scaled_width,
            scale_frac_bits=network.scale_frac_bits,
            memory=self._memory,
        )
        head = network.head
        self._head = Head(
            lanes=array.lanes,
            scaled_width=self._scaled_width,
            logit_width=network.logit_width,
            gain_bits=head.gain_bits,
            init=zip(head.gain.tolist(), head.offset.tolist(), strict=True),
        )
        amount = unsigned(max(array.rows, array.columns).bit_length())
        names = ("scale_reads", "multiplies", "comparisons", "logit_macs", "buffer_writes")
        super().__init__(
            {
                "sums": In(stream.Signature(sums.sums.payload.shape())),
                "current": In(sums.current.shape()),
                "descriptor": In(sums.descriptor.shape()),
                "mask_bits": In(stream.Signature(1)),
                "write": Out(1),
                "write_address": Out(sums.write_address.shape()),
                "slot": Out(sums.slot.shape()),
                "bits": Out(array.lanes),
                "done": Out(1),
                "logit_valid": Out(1),
                "logit": Out(self._head.logit.shape()),
                "drained": In(1),
                "scale_host": In(
                    host_signature(array.lanes, network.scale_bits, self._memory.depth)
                ),
                "beat": Out(self._memory.address.shape()),
                "keep": Out(1),
                "keep_taken": Out(1),
                "events": Out(data.StructLayout({name: amount for name in names})),
            }
        )

    @property
    def mapping(self):
        return self._mapping

    @property
    def scaled_width(self):
        return self._scaled_width

    def _scale_words(self):
        layers = self._mapping.layers
        return [
            word for mapped in layers for word in mapped.by_beat(mapped.layer.scale, 0).tolist()
        ]

    def _threshold_words(self):
        words = []
        for mapped in self._mapping.layers:
            output = mapped.layer.output
            if isinstance(output, Threshold):
                pairs = zip(
                    mapped.by_beat(output.threshold, 0), mapped.by_beat(output.flip, 0), strict=True
                )
                words += [list(zip(t.tolist(), f.tolist(), strict=True)) for t, f in pairs]
            else:
                words += [[(0, 0)] * self._mapping.array.lanes] * mapped.beat_count
        return words

    def elaborate(self, platform):
        m = Module()
        m.submodules.mask = mask = MaskRegister()
        m.submodules.scale = self._scale
        m.submodules.head = self._head
        connect(m, flipped(self.mask_bits), mask.bits)
        connect(m, flipped(self.scale_host), self._scale.host)
        sent, stored = self._start_beats(m, mask)
        self._threshold(m, sent, stored)
        self._drive_head(m, stored)
        return m

    def _tag(self, name):
        fields = {"valid": 1, "last": 1, "beat": self.beat.shape()}
        return Signal(data.StructLayout(fields), name=name)

    def _start_beats(self, m, mask):
        """Stage 0: let a beat go when its bit and, for logits, the head are there."""
        scale, now = self._scale, self.descriptor
        started, scaling, stored = self._tag("started"), self._tag("scaling"), self._tag("stored")
        beat = Signal(self.beat.shape())
        unused, head_free = Signal(init=1), Signal()
        m.d.comb += [
            head_free.eq(self._head.ready & ~scaling.valid & ~stored.valid),
            self.sums.ready.eq(mask.valid & (~now.head | head_free)),
            started.valid.eq(self.sums.valid & self.sums.ready),
            started.last.eq(started.valid & self.sums.payload.last),
            started.beat.eq(beat),
            mask.free.eq(started.last),
            scale.valid.eq(started.valid),
            scale.sums.eq(self.sums.payload.sums),
            scale.keep.eq(mask.keep),
            scale.address.eq(now.beat_base + beat),
            self.keep.eq(mask.keep),
            self.keep_taken.eq(started.valid & unused),
            self.events.scale_reads.eq(self._memory.read),
            self.events.multiplies.eq(Mux(started.valid & mask.keep, self._channels(started), 0)),
        ]
        m.d.sync += [scaling.eq(started), stored.eq(scaling)]
        with m.If(started.valid):
            m.d.sync += [beat.eq(beat + 1), unused.eq(0)]
            with m.If(started.last):
                m.d.sync += [beat.eq(0), unused.eq(1)]
        return scaling, stored

    def _channels(self, tag):
        """Channels in use in a beat: all lanes, or what is left in the layer's last beat."""
        lanes = self._mapping.array.lanes
        left = self.descriptor.last_columns - (self.descriptor.last_beats - 1) * lanes
        return Mux(tag.last, left, lanes)[: lanes.bit_length()]

    def _threshold(self, m, scaling, stored):
        """Stages 1 and 2: fetch the thresholds, compare, store the bits."""
        array, now = self._mapping.array, self.descriptor
        m.submodules.threshold = threshold = ThresholdStage(
            lanes=array.lanes, scaled_width=self._scaled_width, init=self._threshold_words()
        )
        slots = array.rows // array.lanes
        slot, word = Signal(self.slot.shape()), Signal(self.write_address.shape())
        m.d.comb += [
            threshold.fetch.eq(scaling.valid & ~now.head),
            threshold.address.eq(now.beat_base + scaling.beat),
            threshold.scaled.eq(self._scale.scaled),
            self.write.eq(stored.valid & ~now.head),
            self.write_address.eq(now.out_base + word),
            self.slot.eq(slot),
            self.bits.eq(threshold.bits),
            self.beat.eq(stored.beat),
            self.done.eq(stored.valid & stored.last),
            self.events.buffer_writes.eq(self.write),
            self.events.comparisons.eq(Mux(self.write, self._channels(stored), 0)),
        ]
        with m.If(self.write):
            m.d.sync += slot.eq(slot + 1)
            with m.If(slot == slots - 1):
                m.d.sync += [slot.eq(0), word.eq(word + 1)]
            with m.If(stored.last):
                m.d.sync += [slot.eq(0), word.eq(0)]

    def _drive_head(self, m, stored):
        head, now = self._head, self.descriptor
        m.d.comb += [
            head.load.eq(stored.valid & now.head),
            head.scaled.eq(self._scale.scaled),
            head.count.eq(self._channels(stored)),
            head.last.eq(stored.last),
            head.first_pass.eq(self.current.first_pass),
            head.last_pass.eq(self.current.last_pass),
            head.drained.eq(self.drained),
            self.logit_valid.eq(head.logit_valid),
            self.logit.eq(head.logit),
            self.events.logit_macs.eq(Mux(head.load, head.count, 0)),
        ]
