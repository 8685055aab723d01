# SPDX-License-Identifier: Apache-2.0
"""Packets of results and of leaves: from one transfer per class to 32-bit words."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.device_sizes import DeviceSizes
from scaledrop.errors import UserError
from scaledrop.packets import LOGIT_WORDS, SUM_WORDS, PacketType, header_word, packet_length

__all__ = ["LeafPackets", "ResultPackets", "word_layout"]

WORD_BITS = 32


def word_layout():
    """A word of a packet: ``last`` marks the packet's last, ``ends_image`` its image's last."""
    return data.StructLayout({"word": WORD_BITS, "last": 1, "ends_image": 1})


class _Packets(wiring.Component):
    """Sends some words before a packet's first class, then some for each class."""

    def __init__(self, *, layout, sizes):
        if not isinstance(sizes, DeviceSizes):
            raise UserError(f"sizes must be DeviceSizes, not {sizes!r}")
        self._layout, self._sizes = layout, sizes
        missing = [name for name in self.FIELDS if name not in layout.members]
        if missing:
            raise UserError(f"layout must have the field {missing[0]}")
        for name, words in [*self._head(), *self._body()]:
            width = layout[name].width
            if width > WORD_BITS * words:
                raise UserError(f"{name} must have at most {WORD_BITS * words} bits, not {width}")
        super().__init__(
            {
                "values": In(stream.Signature(layout)),
                "words": Out(stream.Signature(word_layout())),
                "abort": In(1),
            }
        )

    @property
    def layout(self):
        return self._layout

    @property
    def sizes(self):
        return self._sizes

    def _fields(self, m, fields):
        """Words of some fields, signed ones extended, the lowest word first."""
        words = []
        for name, count in fields:
            wide = Signal(WORD_BITS * count, name=f"{name}_words")
            m.d.comb += wide.eq(self.values.payload[name])
            words += [wide.word_select(at, WORD_BITS) for at in range(count)]
        return words

    def elaborate(self, platform):
        m = Module()
        values, out = self.values, self.words.payload
        classes, length = self._sizes.classes << 16, packet_length(self.KIND, self._sizes)
        first, second = Signal(WORD_BITS), Signal(WORD_BITS)
        head = [first, second, *self._fields(m, self._head())]
        body = self._fields(m, self._body())
        at, ends_class = Signal(range(len(head) + len(body))), Signal()
        m.d.comb += [
            first.eq(header_word(self.KIND, length)),
            second.eq(classes),
            out.word.eq(Array(head + body)[at]),
            ends_class.eq(at == len(head) + len(body) - 1),
            self.words.valid.eq(values.valid),
            values.ready.eq(self.words.ready & ends_class),
        ]
        ends_packet = self._mark(m, first, second)
        m.d.comb += [
            out.last.eq(ends_class & ends_packet),
            out.ends_image.eq(out.last & self._ends_image()),
        ]
        with m.If(values.valid & self.words.ready):
            m.d.sync += at.eq(at + 1)
            with m.If(ends_class):
                m.d.sync += at.eq(Mux(ends_packet, 0, len(head)))
        with m.If(self.abort):
            m.d.sync += at.eq(0)
        return m


class ResultPackets(_Packets):
    """Packets of results; their form is that of :mod:`scaledrop.packets`.

    Parameters
    ----------
    layout : StructLayout
        Of a class's result: sum, squares, votes, predicted, abstain, covered, last. ``predicted``,
        ``abstain`` and ``covered`` are the image's, the same in every transfer.
    sizes : scaledrop.device_sizes.DeviceSizes
        Squares are left out where they have no words.

    Members
    -------
    values : In(stream of layout)
        Every class of an image; ``last`` marks the image's last.
    words : Out(stream of word_layout)
    abort : In(1)
        The next word begins a packet.

    Timing
    ------
    Combinational; one word a cycle. A transfer of ``values`` takes as many cycles as it makes
    words. The next packet begins after reset too.
    """

    KIND = PacketType.RESULT
    FIELDS = ("sum", "squares", "votes", "predicted", "abstain", "covered", "last")

    def _head(self):
        return [("covered", 1)]

    def _body(self):
        words = self._sizes.squares_words
        squares = [("squares", words)] if words else []
        return [("sum", SUM_WORDS), *squares, ("votes", 1)]

    def _mark(self, m, first, second):
        value = self.values.payload
        m.d.comb += [first[27].eq(value.abstain), second[:16].eq(value.predicted)]
        return value.last

    def _ends_image(self):
        return self.values.payload.last


class LeafPackets(_Packets):
    """Packets of leaves; their form is that of :mod:`scaledrop.packets`.

    Parameters
    ----------
    layout : StructLayout
        Of a class's logit: path, weight, value, ends_leaf, ends_image. ``path`` and ``weight`` are
        the leaf's, the same in every transfer.
    sizes : scaledrop.device_sizes.DeviceSizes

    Members
    -------
    values : In(stream of layout)
        Every class of a leaf; ``ends_leaf`` marks the leaf's last, and with it ``ends_image`` the
        image's.
    words : Out(stream of word_layout)
    abort : In(1)
        The next word begins a packet.

    Timing
    ------
    As of ResultPackets.
    """

    KIND = PacketType.LEAF
    FIELDS = ("path", "weight", "value", "ends_leaf", "ends_image")

    def _head(self):
        return [("weight", 1), ("path", self._sizes.path_words)]

    def _body(self):
        return [("value", LOGIT_WORDS)]

    def _mark(self, m, first, second):
        return self.values.payload.ends_leaf

    def _ends_image(self):
        return self.values.payload.ends_image
