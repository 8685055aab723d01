# SPDX-License-Identifier: Apache-2.0
"""Head: the last layer's BatchNorm as an integer multiply-add, one class a cycle."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import MemoryShape
from scaledrop.errors import UserError
from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.hosted_memory import Contents, HostedMemory

__all__ = ["Head", "logit_layout"]

GAINS = {2: ("gain",), 3: ("gain_kept", "gain_dropped")}


def logit_layout(classes, logit_width, weight_bits):
    """One logit of a leaf on its way to the pass accumulator.

    ``ends_leaf`` and ``ends_image`` stand only on the last class of a leaf.
    """
    return data.StructLayout(
        {
            "label": range(max(classes, 2)),
            "value": signed(logit_width),
            "keep": 1,
            "weight": weight_bits,
            "first": 1,
            "ends_leaf": 1,
            "ends_image": 1,
        }
    )


class Head(wiring.Component):
    """Turns the last layer's sums into logits.

        logit[k] = gain[k] * value[k] + offset[k]
        gain[k]  = gain_kept[k] if keep else gain_dropped[k]    where a class has two

    Nothing is remembered between beats, so those of a kept and of a dropped leaf may alternate.
    Fetch, choice of the gain, multiplication and addition take a cycle each.

    Parameters
    ----------
    lanes, value_width : int
    logit_width : int
        The caller guarantees that every logit fits.
    gain_bits : int
        Width of a stored gain.
    weight_bits : int
    init : list of (gain, offset) or of (gain_kept, gain_dropped, offset)
        One word per class: the first form for scaled sums, the second for raw ones.

    Members
    -------
    ready : Out(1)
        A beat may be loaded.
    clears : Out(1)
        ``ready`` will be high in the next cycle if no beat is loaded in this one; low in the cycle
        of ``drained``, although it will.
    load : In(1); values : In(lanes x signed(value_width)); count : In(range(lanes + 1))
        A beat of ``count`` classes, 1 to ``lanes``, allowed only while ``ready``.
    label : In(range(classes))
        First class of the beat; the others follow in order.
    keep, first : In(1); weight : In(weight_bits)
        Outcome and weight of the beat's leaf; ``first``: it is its image's first. All sampled
        with ``load`` and handed on with every logit.
    ends_leaf, ends_image : In(1)
        The beat is its leaf's last; with it, ``ends_image``: the leaf is its image's last.
    logit_valid : Out(1); logit : Out(logit_layout)
        ``ends_leaf`` and ``ends_image`` stand on the last class of such a beat.
    drained : In(1)
        The results of the image have left; until then no beat of the next image is accepted.
    host : In(host_part_signature)
        Loads and reads back a word for each class: gains in the low bits, offset above.

    Timing
    ------
    ``ready`` is low for ``count`` cycles after ``load``, and from an image's last beat to
    ``drained``. A logit appears LATENCY cycles after its beat is loaded, plus its place in the
    beat.
    """

    LATENCY = 5

    def __init__(self, *, lanes, value_width, logit_width, gain_bits, weight_bits, init):
        self._lanes = require_range("lanes", lanes, 1, 1024)
        self._value_width = require_range("value_width", value_width, 2, 62)
        self._logit_width = require_range("logit_width", logit_width, 1, 62)
        self._gain_bits = require_range("gain_bits", gain_bits, 2, 62)
        self._weight_bits = require_range("weight_bits", weight_bits, 1, 32)
        self._init = self._entries(init)
        self._classes = len(self._init)
        gains = {name: signed(gain_bits) for name in self._init[0] if name != "offset"}
        self._entry = data.StructLayout({**gains, "offset": signed(logit_width)})
        self._memory = HostedMemory(
            width=self._entry.size,
            depth=self._classes,
            init=[self._entry.const(entry).as_bits() for entry in self._init],
        )
        super().__init__(
            {
                "ready": Out(1),
                "clears": Out(1),
                "load": In(1),
                "values": In(data.ArrayLayout(signed(value_width), lanes)),
                "count": In(range(lanes + 1)),
                "label": In(range(max(self._classes, 2))),
                "keep": In(1),
                "weight": In(weight_bits),
                "first": In(1),
                "ends_leaf": In(1),
                "ends_image": In(1),
                "logit_valid": Out(1),
                "logit": Out(logit_layout(self._classes, logit_width, weight_bits)),
                "drained": In(1),
                "host": In(self._memory.host.signature.flip()),
            }
        )

    def _entries(self, init):
        """Memory words of the classes, checked."""
        init = [tuple(word) for word in init]
        require_range("classes", len(init), 1, 65536)
        length = len(init[0])
        if length not in GAINS:
            raise UserError(f"init[0] must hold 2 or 3 values, not {length}")
        ranges = {name: 1 << (self._gain_bits - 1) for name in GAINS[length]}
        ranges["offset"] = 1 << (self._logit_width - 1)
        return [
            {
                name: require_range(f"{name}[{label}]", value, -limit, limit - 1)
                for (name, limit), value in zip(ranges.items(), word, strict=True)
            }
            for label, word in enumerate(require_words("init", init, length, -(1 << 62), 1 << 62))
        ]

    @property
    def lanes(self):
        return self._lanes

    @property
    def value_width(self):
        return self._value_width

    @property
    def logit_width(self):
        return self._logit_width

    @property
    def gain_bits(self):
        return self._gain_bits

    @property
    def weight_bits(self):
        return self._weight_bits

    @property
    def classes(self):
        return self._classes

    @property
    def init(self):
        return [tuple(entry.values()) for entry in self._init]

    @property
    def shape(self):
        """Words and parts of the memory."""
        return MemoryShape(self._classes, self._memory.parts)

    @property
    def contents(self):
        """The gains and offsets."""
        return Contents(self._entry, self._memory.words)

    @staticmethod
    def twin(word, value, keep):
        """Logit of a class whose word of ``init`` is (gain, offset) or has two gains."""
        *gains, offset = word
        return (gains[0] if keep else gains[-1]) * value + offset

    def elaborate(self, platform):
        m = Module()
        held = Signal(self._lanes * self._value_width)
        left = Signal(range(self._lanes + 1))
        beat = Signal(self.logit.shape())
        busy, occupied = Signal(), Signal()
        m.d.comb += [
            self.ready.eq(~busy & ~occupied),
            self.clears.eq((~busy | (left == 1)) & ~occupied),
        ]
        with m.If(busy):
            m.d.sync += [
                left.eq(left - 1),
                busy.eq(left != 1),
                held.eq(held >> self._value_width),
                beat.label.eq(beat.label + 1),
            ]
        with m.If(self.drained):
            m.d.sync += occupied.eq(0)
        with m.If(self.load):
            m.d.sync += [
                left.eq(self.count),
                busy.eq(1),
                held.eq(self.values.as_value()),
                beat.label.eq(self.label),
                beat.keep.eq(self.keep),
                beat.weight.eq(self.weight),
                beat.first.eq(self.first),
                beat.ends_leaf.eq(self.ends_leaf),
                beat.ends_image.eq(self.ends_leaf & self.ends_image),
            ]
            with m.If(self.ends_leaf & self.ends_image):
                m.d.sync += occupied.eq(1)
        self._send(m, busy, left == 1, beat, held[: self._value_width])
        return m

    def _send(self, m, busy, ending, beat, word):
        """Fetch gain and offset of the class in turn, then multiply and add."""
        m.submodules.affine = memory = self._memory
        connect(m, flipped(self.host), memory.host)
        entry = data.View(self._entry, memory.word)
        gains = [name for name, _ in self._entry if name != "offset"]
        fetched, last = Signal(name="fetched"), Signal(name="last")
        label, value = Signal(beat.label.shape()), Signal(signed(self._value_width))
        chosen = self._stage("chosen", value=value.shape(), gain=signed(self._gain_bits))
        width = self._value_width + self._gain_bits
        multiplied = self._stage("multiplied", product=signed(width))
        m.d.comb += [memory.address.eq(beat.label), memory.read.eq(busy)]
        # The other fields of a beat stand until its last class is here: ready comes after that.
        m.d.sync += [
            fetched.eq(busy),
            value.eq(word),
            label.eq(beat.label),
            last.eq(ending),
            chosen.valid.eq(fetched),
            chosen.value.eq(value),
            chosen.gain.eq(Mux(beat.keep, entry[gains[0]], entry[gains[-1]])),
            chosen.logit.eq(beat),
            chosen.logit.label.eq(label),
            chosen.logit.value.eq(entry.offset),
            chosen.logit.ends_leaf.eq(beat.ends_leaf & last),
            chosen.logit.ends_image.eq(beat.ends_image & last),
            multiplied.valid.eq(chosen.valid),
            multiplied.logit.eq(chosen.logit),
            multiplied.product.eq(chosen.gain * chosen.value),
            self.logit_valid.eq(multiplied.valid),
            self.logit.eq(multiplied.logit),
            self.logit.value.eq(multiplied.product + multiplied.logit.value),
        ]

    def _stage(self, name, **fields):
        """A register of the pipeline; the logit's value is its offset until that is added."""
        layout = {"valid": 1, "logit": self.logit.shape(), **fields}
        return Signal(data.StructLayout(layout), name=name)
