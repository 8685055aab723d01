# SPDX-License-Identifier: Apache-2.0
"""Output pipeline: from finished sums to stored codes or logits, for both outcomes of the bit."""

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import Memory
from scaledrop_hw.descriptors import Place
from scaledrop_hw.head import Head
from scaledrop_hw.hosted_memory import host_part_signature
from scaledrop_hw.record_queue import RecordQueue, record_layout
from scaledrop_hw.store import Store

__all__ = ["OutputPipeline"]

EVENTS = ("scale_reads", "multiplies", "comparisons", "logit_macs", "buffer_writes")


class OutputPipeline(wiring.Component):
    """Repeats every beat for the outcomes and levels of its layer, decides, pools and stores.

    Parameters
    ----------
    sums : SumPipeline
        Gives the mapping and the shapes of what arrives.
    datapath : ReferenceDatapath or FoldedDatapath
    recorded : bool
        Without it there is no hardware for the logits of leaves: ``records`` stays empty.

    Members
    -------
    sums : In(stream of {sums, ends_position, ends_layer}); current, descriptor : In
        From the sum pipeline.
    store : Out(store_signature)
        Codes on their way to the buffers; see Store.
    done : Out(1)
        The visit's last result is stored, or handed to the head, in this cycle.
    moves : Out(1)
        A beat leaves, or a logit comes.
    logit_valid : Out(1); logit : Out(logit_layout); drained : In(1)
        To and from the pass accumulator.
    records : Out(stream of record_layout); record_enable : In(1)
        See RecordQueue.
    hidden_valid : Out(1); hidden : Out({keep, beat, codes})
        Codes before pooling, for the observation port.
    events : Out
        Increments of this cycle's event counters.
    inject, corrected, uncorrected
        See ScaleMemory.
    host_scales, host_thresholds, host_head : In(host_part_signature)
        Load and read back the memories; there are no scales in the folded datapath.

    Timing
    ------
    A beat takes outcomes x levels cycles, plus, in the last layer, the wait for the head. Codes are
    stored ``datapath.LATENCY + 1`` cycles after their last level leaves; a beat is handed to the
    head ``datapath.LATENCY`` cycles after it leaves.

    Stochastic contract
    -------------------
    The mask bit of a visit is the outcome: the kept one of a beat comes before the dropped one, and
    an outcome of weight 0 is left out.
    """

    def __init__(self, *, sums, datapath, recorded=True):
        self._mapping = mapping = sums.mapping
        self._datapath = datapath
        network, array = mapping.network, mapping.array
        self._layout = sums.descriptor.shape()
        self._store = Store(
            layout=self._layout,
            rows=array.rows,
            lanes=array.lanes,
            planes=mapping.planes,
            pool_words=mapping.pool_words,
            words=max(mapping.end.target, 1),
        )
        words, gain_bits = datapath.head_words()
        self._head = Head(
            lanes=array.lanes,
            value_width=datapath.value_width,
            logit_width=mapping.logit_width,
            gain_bits=gain_bits,
            init=words,
            weight_bits=sums.current.shape()["kept"].width,
        )
        self._leaf = {
            "layers": len(mapping.layers),
            "classes": network.classes,
            "logit_width": mapping.logit_width,
            "weight_bits": self._head.weight_bits,
        }
        self._records = RecordQueue(**self._leaf) if recorded else None
        beats = range(max(2, *(mapped.beat_count for mapped in mapping.layers)))
        hidden = {"keep": 1, "beat": beats, "codes": self._store.codes.shape()}
        amount = unsigned(max(array.rows, array.columns).bit_length())
        super().__init__(
            {
                "sums": In(stream.Signature(sums.sums.payload.shape())),
                "current": In(sums.current.shape()),
                "descriptor": In(self._layout),
                "store": Out(sums.store.signature.flip()),
                "done": Out(1),
                "moves": Out(1),
                "logit_valid": Out(1),
                "logit": Out(self._head.logit.shape()),
                "drained": In(1),
                "records": Out(stream.Signature(record_layout(**self._leaf))),
                "record_enable": In(1),
                "hidden_valid": Out(1),
                "hidden": Out(data.StructLayout(hidden)),
                "events": Out(data.StructLayout(dict.fromkeys(EVENTS, amount))),
                "inject": In(datapath.inject.shape()),
                "corrected": Out(1),
                "uncorrected": Out(1),
                **{
                    name: In(host_part_signature(shape.words, shape.parts))
                    for name, shape in self.hosts.values()
                },
            }
        )

    @property
    def mapping(self):
        return self._mapping

    @property
    def datapath(self):
        return self._datapath

    @property
    def recorded(self):
        return self._records is not None

    @property
    def hosts(self):
        """Ports and sizes of the memories that a host reaches."""
        return {**self._datapath.hosts, Memory.HEAD: ("host_head", self._head.shape)}

    @property
    def contents(self):
        """What these memories hold after power-up."""
        return {**self._datapath.contents, Memory.HEAD: self._head.contents}

    def elaborate(self, platform):
        m = Module()
        m.submodules.datapath = self._datapath
        m.submodules.head = self._head
        connect(m, flipped(self.host_head), self._head.host)
        for name, _ in self._datapath.hosts.values():
            connect(m, flipped(getattr(self, name)), getattr(self._datapath, name))
        m.d.comb += [
            self._datapath.inject.eq(self.inject),
            self.corrected.eq(self._datapath.corrected),
            self.uncorrected.eq(self._datapath.uncorrected),
        ]
        tags = [self._tag(f"tag_{stage}") for stage in range(self._datapath.LATENCY + 1)]
        for before, after in pairwise(tags):
            m.d.sync += after.eq(before)
        is_head = Signal()
        m.d.comb += is_head.eq(self.descriptor.target == Place.HEAD)
        self._start(m, is_head, tags)
        self._drive_head(m, is_head, tags[-1])
        if self._records:
            self._record(m, tags[-1])
        self._keep_codes(m, is_head, tags[-1])
        return m

    def _tag(self, name):
        flags = ("valid", "keep", "first_level", "last_level", "last_outcome")
        flags += ("ends_position", "ends_layer")
        fields = {**dict.fromkeys(flags, 1), "group": self._layout["groups"].shape}
        return Signal(data.StructLayout(fields), name=name)

    def _start(self, m, is_head, tags):
        """Let a beat go, once for every outcome and level."""
        now, path, tag = self.descriptor, self._datapath, tags[0]
        level = Signal(self._layout["levels"].shape)
        group = Signal(self._layout["groups"].shape)
        base = Signal(path.level_address.shape())
        names = ("second", "both", "keep", "go", "head_free", "begins")
        second, both, keep, go, head_free, begins = (Signal(name=name) for name in names)
        records_ready = self._records.ready if self._records else 1
        if self._records:
            m.d.comb += self._records.begin.eq(go & is_head & begins)
        m.d.comb += [
            both.eq((self.current.kept != 0) & (self.current.dropped != 0)),
            keep.eq(~second & (self.current.kept != 0)),
            begins.eq((group == 0) & (keep | (self.current.kept == 0))),
            head_free.eq(self._head.ready & ~self._in_flight(tags) & (records_ready | ~begins)),
            go.eq(self.sums.valid & (~is_head | head_free)),
            tag.valid.eq(go),
            tag.keep.eq(keep),
            tag.first_level.eq(level == 0),
            tag.last_level.eq(level == now.levels),
            tag.last_outcome.eq(second | ~both),
            tag.ends_position.eq(self.sums.payload.ends_position),
            tag.ends_layer.eq(self.sums.payload.ends_layer & tag.last_outcome & tag.last_level),
            tag.group.eq(group),
            self.sums.ready.eq(go & tag.last_level & tag.last_outcome),
            path.valid.eq(go),
            path.fresh.eq(tag.first_level),
            path.hidden.eq(~is_head),
            path.keep.eq(keep),
            path.sums.eq(self.sums.payload.sums),
            path.scale_address.eq(now.scale_base + group),
            path.level_address.eq(now.level_base + base + level),
            self.events.scale_reads.eq(path.scale_read),
            self.events.multiplies.eq(Mux(path.multiplying, self._channels(tag), 0)),
        ]
        with m.If(go):
            m.d.sync += level.eq(level + 1)
            with m.If(tag.last_level):
                m.d.sync += [level.eq(0), second.eq(~tag.last_outcome)]
            with m.If(self.sums.ready):
                m.d.sync += [group.eq(group + 1), base.eq(base + now.levels + 1)]
                with m.If(tag.ends_position):
                    m.d.sync += [group.eq(0), base.eq(0)]

    @staticmethod
    def _in_flight(tags):
        valid = tags[1].valid
        for tag in tags[2:]:
            valid = valid | tag.valid
        return valid

    def _channels(self, tag):
        """Channels in use in a beat: all lanes, or what is left in a position's last beat."""
        lanes = self._mapping.array.lanes
        left = self.descriptor.last_columns - (self.descriptor.last_beats - 1) * lanes
        return Mux(tag.ends_position, left, lanes)[: lanes.bit_length()]

    def _drive_head(self, m, is_head, tag):
        head, now = self._head, self.current
        m.d.comb += [
            head.load.eq(tag.valid & is_head),
            head.values.eq(self._datapath.values),
            head.count.eq(self._channels(tag)),
            head.label.eq(tag.group * self._mapping.array.lanes),
            head.keep.eq(tag.keep),
            head.weight.eq(Mux(tag.keep, now.kept, now.dropped)),
            head.first.eq(now.first & (tag.keep | (now.kept == 0))),
            head.ends_leaf.eq(tag.ends_position),
            head.ends_image.eq(now.last & tag.ends_layer),
            head.drained.eq(self.drained),
            self.logit_valid.eq(head.logit_valid),
            self.moves.eq(self._datapath.valid | head.logit_valid),
            self.logit.eq(head.logit),
            self.events.logit_macs.eq(Mux(head.load, head.count, 0)),
        ]

    def _record(self, m, tag):
        """Records with the path of their leaf, which stands until the head has sent its classes."""
        m.submodules.records = records = self._records
        connect(m, records.records, flipped(self.records))
        path, last_outcome = Signal(records.path.shape()), Signal(name="held_last_outcome")
        m.d.comb += [
            records.enable.eq(self.record_enable),
            records.logit_valid.eq(self._head.logit_valid),
            records.logit.eq(self._head.logit),
        ]
        with m.If(self._head.load):
            own = Mux(tag.keep, 1 << self.current.layer, 0)
            m.d.sync += [path.eq(self.current.path | own), last_outcome.eq(tag.last_outcome)]
        m.d.sync += [records.path.eq(path), records.ends_visit.eq(last_outcome)]

    def _keep_codes(self, m, is_head, tag):
        """Count the levels that are passed; hand the finished codes on a cycle later."""
        stored, codes = self._tag("stored"), Signal(self._store.codes.shape())
        beat = Signal(self.hidden.beat.shape())
        decided = tag.valid & ~is_head
        for lane in range(self._mapping.array.lanes):
            bit = self._datapath.bits[lane]
            before = Mux(tag.first_level, 0, codes[lane])
            with m.If(decided):
                m.d.sync += codes[lane].eq(bit if self._mapping.planes == 1 else before + bit)
        m.d.sync += [stored.eq(tag), stored.valid.eq(decided & tag.last_level)]
        m.submodules.store = store = self._store
        connect(m, store.out, flipped(self.store))
        m.d.comb += [
            store.descriptor.eq(self.descriptor),
            store.valid.eq(stored.valid),
            store.codes.eq(codes),
            *[
                getattr(store, name).eq(stored[name])
                for name in ("keep", "last_outcome", "ends_position", "ends_layer")
            ],
            self.hidden_valid.eq(stored.valid),
            self.hidden.keep.eq(stored.keep),
            self.hidden.beat.eq(beat),
            self.hidden.codes.eq(codes),
            self.done.eq((stored.valid & stored.ends_layer) | (self._head.load & tag.ends_layer)),
            self.events.comparisons.eq(Mux(decided, self._channels(tag), 0)),
            self.events.buffer_writes.eq(store.out.write | store.out.write_window),
        ]
        with m.If(stored.valid & stored.last_outcome):
            m.d.sync += beat.eq(Mux(stored.ends_layer, 0, beat + 1))
