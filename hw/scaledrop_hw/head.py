# SPDX-License-Identifier: Apache-2.0
"""Head: the last layer's BatchNorm as an integer multiply-add, one class a cycle."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range, require_words

__all__ = ["Head", "logit_layout"]


def logit_layout(classes, logit_width):
    """One logit on its way to the pass accumulator."""
    return data.StructLayout(
        {
            "label": range(max(classes, 2)),
            "value": signed(logit_width),
            "first_pass": 1,
            "last_pass": 1,
            "last": 1,
        }
    )


class Head(wiring.Component):
    """Turns the last layer's scaled sums into logits.

        logit[k] = gain[k] * scaled[k] + offset[k]

    Parameters
    ----------
    lanes, scaled_width, logit_width, gain_bits : int
    init : list of (gain, offset)
        One pair per class.

    Members
    -------
    ready : Out(1)
        A beat may be started towards the head.
    load : In(1); scaled : In(lanes x signed); count : In; last : In(1)
        A beat of ``count`` classes, allowed only while ``ready``; ``last`` ends the pass.
    first_pass, last_pass : In(1)
        Where the pass stands in its image; sampled with ``load``.
    logit_valid : Out(1); logit : Out(logit_layout)
        ``last`` marks the pass's last class.
    drained : In(1)
        The results of the image have left; until then no beat of the next image is accepted.

    Timing
    ------
    ``ready`` is low for ``count`` cycles after ``load``, and from an image's last beat to
    ``drained``. A logit appears 3 cycles after its beat is loaded, plus its place in the beat.
    """

    def __init__(self, *, lanes, scaled_width, logit_width, gain_bits, init):
        self._lanes = require_range("lanes", lanes, 1, 1024)
        self._scaled_width = require_range("scaled_width", scaled_width, 2, 62)
        self._logit_width = require_range("logit_width", logit_width, 1, 62)
        self._gain_bits = require_range("gain_bits", gain_bits, 2, 24)
        top, limit = 1 << (gain_bits - 1), 1 << (logit_width - 1)
        pairs = require_words("(gain, offset)", init, 2, -(1 << 62), 1 << 62)
        self._init = [
            {
                "gain": require_range(f"gain[{k}]", gain, -top, top - 1),
                "offset": require_range(f"offset[{k}]", offset, -limit, limit - 1),
            }
            for k, (gain, offset) in enumerate(pairs)
        ]
        self._classes = require_range("classes", len(self._init), 1, 65536)
        super().__init__(
            {
                "ready": Out(1),
                "load": In(1),
                "scaled": In(data.ArrayLayout(signed(scaled_width), lanes)),
                "count": In(range(lanes + 1)),
                "last": In(1),
                "first_pass": In(1),
                "last_pass": In(1),
                "logit_valid": Out(1),
                "logit": Out(logit_layout(self._classes, logit_width)),
                "drained": In(1),
            }
        )

    @property
    def lanes(self):
        return self._lanes

    @property
    def scaled_width(self):
        return self._scaled_width

    @property
    def gain_bits(self):
        return self._gain_bits

    @property
    def classes(self):
        return self._classes

    @property
    def logit_width(self):
        return self._logit_width

    @staticmethod
    def twin(gain, scaled, offset):
        return gain * scaled + offset

    def elaborate(self, platform):
        m = Module()
        width = self._logit_width
        entry = data.StructLayout({"gain": signed(self._gain_bits), "offset": signed(width)})
        m.submodules.affine = affine = Memory(shape=entry, depth=self._classes, init=self._init)
        read = affine.read_port()
        held = Signal(self._lanes * self._scaled_width)
        left = Signal(range(self._lanes + 1))
        label = Signal(range(max(self._classes, 2)))
        last, occupied, busy = Signal(), Signal(), Signal()
        passed = Signal(data.StructLayout({"first_pass": 1, "last_pass": 1}))
        m.d.comb += [
            busy.eq(left != 0),
            self.ready.eq(~busy & ~occupied),
            read.addr.eq(label),
            read.en.eq(busy),
        ]
        with m.If(busy):
            m.d.sync += [
                left.eq(left - 1),
                held.eq(held >> self._scaled_width),
                label.eq(label + 1),
            ]
            with m.If(last & (left == 1)):
                m.d.sync += label.eq(0)
        with m.If(self.drained):
            m.d.sync += occupied.eq(0)
        with m.If(self.load):
            m.d.sync += [
                held.eq(self.scaled.as_value()),
                left.eq(self.count),
                last.eq(self.last),
                passed.first_pass.eq(self.first_pass),
                passed.last_pass.eq(self.last_pass),
            ]
            with m.If(self.last & self.last_pass):
                m.d.sync += occupied.eq(1)

        scaled = Signal(signed(self._scaled_width))
        fetched = Signal()
        tag = Signal(self.logit.shape())
        m.d.sync += [
            fetched.eq(busy),
            scaled.eq(held[: self._scaled_width]),
            tag.label.eq(label),
            tag.first_pass.eq(passed.first_pass),
            tag.last_pass.eq(passed.last_pass),
            tag.last.eq(last & (left == 1)),
            self.logit_valid.eq(fetched),
            self.logit.eq(tag),
            self.logit.value.eq(read.data.gain * scaled + read.data.offset),
        ]
        return m
