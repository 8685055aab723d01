# SPDX-License-Identifier: Apache-2.0
"""Record queue: the logits of every leaf, on request."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range
from scaledrop_hw.head import logit_layout

__all__ = ["RecordQueue", "record_layout"]


def record_layout(layers, classes, logit_width, weight_bits):
    """One logit of a leaf: ``path`` has the mask bit of every layer, the last one included."""
    return data.StructLayout(
        {
            "path": unsigned(layers),
            "weight": weight_bits,
            "label": range(max(classes, 2)),
            "value": signed(logit_width),
            "ends_leaf": 1,
            "ends_image": 1,
        }
    )


class RecordQueue(wiring.Component):
    """Puts the logits of a visit's two leaves one leaf after the other, and waits for the taker.

    Parameters
    ----------
    layers, classes, logit_width, weight_bits : int

    Members
    -------
    enable : In(1)
        Records are wanted; changes only while no image is held.
    begin : In(1)
        The first beat of a visit of the last layer goes to the head; allowed only while ``ready``.
    ready : Out(1)
        The records of the visit before it have all been taken, or none are wanted.
    logit_valid : In(1); logit : In(logit_layout); path : In(layers); ends_visit : In(1)
        A logit, the path of its leaf, and whether the leaf is the last of its visit.
    records : Out(stream of record_layout)
        Leaf by leaf, classes ascending, the kept leaf first.

    Timing
    ------
    A record is offered one cycle after its logit at the earliest; one a cycle. A visit of the last
    layer waits for the records of the one before it.
    """

    def __init__(self, *, layers, classes, logit_width, weight_bits):
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._classes = require_range("classes", classes, 1, 65536)
        self._logit_width = require_range("logit_width", logit_width, 1, 62)
        self._weight_bits = require_range("weight_bits", weight_bits, 1, 32)
        self._layout = record_layout(layers, classes, logit_width, weight_bits)
        super().__init__(
            {
                "enable": In(1),
                "begin": In(1),
                "ready": Out(1),
                "logit_valid": In(1),
                "logit": In(logit_layout(classes, logit_width, weight_bits)),
                "path": In(layers),
                "ends_visit": In(1),
                "records": Out(stream.Signature(self._layout)),
            }
        )

    @property
    def layers(self):
        return self._layers

    @property
    def classes(self):
        return self._classes

    @property
    def logit_width(self):
        return self._logit_width

    @property
    def weight_bits(self):
        return self._weight_bits

    def elaborate(self, platform):
        m = Module()
        entry = data.StructLayout({"record": self._layout, "ends_visit": 1})
        incoming = Signal(entry)
        for name, _ in self._layout:
            source = self.path if name == "path" else self.logit[name]
            m.d.comb += incoming.record[name].eq(source)
        m.d.comb += incoming.ends_visit.eq(self.ends_visit & self.logit.ends_leaf)
        queues = []
        for keep in (0, 1):
            queue = SyncFIFO(width=entry.size, depth=self._classes)
            m.submodules["kept" if keep else "dropped"] = queue
            m.d.comb += [
                queue.w_data.eq(incoming.as_value()),
                queue.w_en.eq(self.enable & self.logit_valid & (self.logit.keep == keep)),
            ]
            queues.append(queue)
        self._send(m, entry, *queues)
        return m

    def _send(self, m, entry, dropped, kept):
        """The kept leaf's first logit is here before the dropped one's, and its last is sent before
        the next visit's."""
        waiting = Signal()
        in_kept = Signal()
        take_dropped = Signal()
        outgoing = data.View(entry, Mux(take_dropped, dropped.r_data, kept.r_data))
        sent = Signal()
        m.d.comb += [
            self.ready.eq(~waiting),
            take_dropped.eq(~in_kept & ~kept.r_rdy),
            self.records.payload.eq(outgoing.record),
            self.records.valid.eq(Mux(take_dropped, dropped.r_rdy, kept.r_rdy)),
            sent.eq(self.records.valid & self.records.ready),
            kept.r_en.eq(sent & ~take_dropped),
            dropped.r_en.eq(sent & take_dropped),
        ]
        with m.If(sent):
            m.d.sync += in_kept.eq(~take_dropped & ~outgoing.record.ends_leaf)
            with m.If(outgoing.ends_visit):
                m.d.sync += waiting.eq(0)
        with m.If(self.begin & self.enable):
            m.d.sync += waiting.eq(1)
