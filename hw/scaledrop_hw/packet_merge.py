# SPDX-License-Identifier: Apache-2.0
"""Packet merge: leaves and results of an image on one AXI4-Stream, a frame an image."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.packets import ABORTED_WORD
from scaledrop_hw.axi_stream import axi_stream_signature
from scaledrop_hw.packet_output import LeafPackets, ResultPackets, word_layout

__all__ = ["PacketMerge", "ResultOutput"]


class PacketMerge(wiring.Component):
    """Sends the leaves of an image, where asked for, and then its result.

    Members
    -------
    leaves, results : In(stream of word_layout)
    records : In(1)
        Send leaves. May change while nothing is sent; while low, ``leaves`` is not heeded.
    abort : In(1)
        Drops what comes, and closes the frame: as soon as the word on offer has been taken, one
        word ``aborted`` with TLAST follows, whether a frame had begun or not. Both senders forget
        their packets in the same cycle. The next abort comes after that word.
    axi : Out(axi_stream_signature(32))
        TLAST on the last word of an image's result.

    Timing
    ------
    A word is offered one cycle after it was taken; one word a cycle, with no gap between packets.
    ``ready`` of the senders depends on ``axi.tready``. Nothing is offered after reset.
    """

    def __init__(self):
        words = stream.Signature(word_layout())
        super().__init__(
            {
                "leaves": In(words),
                "results": In(words),
                "records": In(1),
                "abort": In(1),
                "axi": Out(axi_stream_signature(32)),
            }
        )

    @staticmethod
    def twin(leaves, results):
        """Frames from the leaf packets and the result packet of every image."""
        return [
            [word for packet in [*packets, result] for word in packet]
            for packets, result in zip(leaves, results, strict=True)
        ]

    def elaborate(self, platform):
        m = Module()
        axi, leaves, results = self.axi, self.leaves, self.results
        free, closing, leaves_sent = Signal(), Signal(), Signal()
        from_leaves, valid = Signal(), Signal()
        chosen = Signal(word_layout())
        m.d.comb += [
            free.eq((~axi.tvalid | axi.tready) & ~self.abort & ~closing),
            from_leaves.eq(self.records & ~leaves_sent),
            leaves.ready.eq(free & from_leaves),
            results.ready.eq(free & ~from_leaves),
            valid.eq(Mux(from_leaves, leaves.valid, results.valid)),
            chosen.eq(Mux(from_leaves, leaves.payload, results.payload)),
        ]
        with m.If(axi.tready):
            m.d.sync += axi.tvalid.eq(0)
        with m.If(free & valid):
            m.d.sync += [
                axi.tvalid.eq(1),
                axi.tdata.eq(chosen.word),
                axi.tlast.eq(chosen.ends_image & ~from_leaves),
            ]
            with m.If(chosen.ends_image):
                m.d.sync += leaves_sent.eq(from_leaves)
        with m.If(closing & (~axi.tvalid | axi.tready)):
            m.d.sync += [
                axi.tvalid.eq(1),
                axi.tdata.eq(ABORTED_WORD),
                axi.tlast.eq(1),
                closing.eq(0),
            ]
        with m.If(self.abort):
            m.d.sync += [closing.eq(1), leaves_sent.eq(0)]
        return m


class ResultOutput(wiring.Component):
    """Results and leaves of images as frames: packets and their merge in one.

    Parameters
    ----------
    result_layout, leaf_layout : StructLayout
        See ResultPackets and LeafPackets.
    sizes : scaledrop.device_sizes.DeviceSizes

    Members
    -------
    results : In(stream of result_layout); leaves : In(stream of leaf_layout)
    records, abort : In(1); axi : Out(axi_stream_signature(32))
        See PacketMerge. ``results`` and ``leaves`` begin anew after ``abort``.

    Timing
    ------
    As of PacketMerge.
    """

    def __init__(self, *, result_layout, leaf_layout, sizes):
        self._results = ResultPackets(layout=result_layout, sizes=sizes)
        self._leaves = LeafPackets(layout=leaf_layout, sizes=sizes)
        super().__init__(
            {
                "results": In(stream.Signature(result_layout)),
                "leaves": In(stream.Signature(leaf_layout)),
                "records": In(1),
                "abort": In(1),
                "axi": Out(axi_stream_signature(32)),
            }
        )

    @property
    def result_layout(self):
        return self._results.layout

    @property
    def leaf_layout(self):
        return self._leaves.layout

    @property
    def sizes(self):
        return self._results.sizes

    def elaborate(self, platform):
        m = Module()
        m.submodules.results = results = self._results
        m.submodules.leaves = leaves = self._leaves
        m.submodules.merge = merge = PacketMerge()
        connect(m, flipped(self.results), results.values)
        connect(m, flipped(self.leaves), leaves.values)
        connect(m, results.words, merge.results)
        connect(m, leaves.words, merge.leaves)
        connect(m, merge.axi, flipped(self.axi))
        m.d.comb += [
            merge.records.eq(self.records),
            *[part.abort.eq(self.abort) for part in (results, leaves, merge)],
        ]
        return m
