# SPDX-License-Identifier: Apache-2.0
"""Verdict: an image's predicted class, and whether to abstain from it."""

from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["Verdict"]


class Verdict(wiring.Component):
    """Ranks the classes of an image by their sums and applies two rules of abstention.

        predicted = the lowest label of the largest sum
        margin    = sum[predicted] - the largest other sum
        abstain   = votes[predicted] < min_votes or margin < min_margin

    A limit of 0 never fires; with one class the second rule never does.

    Parameters
    ----------
    classes, sum_width, votes_width : int

    Members
    -------
    valid : In(1); label : In(range(classes)); sum : In(signed(sum_width))
        A class of the image; all classes in ascending order, with or without pauses.
    predicted : Out(range(classes)); judging : Out(1)
        While ``judging`` and until the next class, ``predicted`` is that of the image.
    votes, min_votes : In(unsigned(votes_width)); min_margin : In(unsigned(sum_width))
        Votes of ``predicted`` and the limits; sampled while ``judging``.
    abstain : Out(1)
        Valid from the cycle after ``judging`` until the next ``judging``.

    Timing
    ------
    ``judging`` is high for one cycle, LATENCY - 1 cycles after the image's last class; ``abstain``
    is valid LATENCY cycles after it. The next image may begin then.
    """

    LATENCY = 4

    def __init__(self, *, classes, sum_width, votes_width):
        self._classes = require_range("classes", classes, 1, 65536)
        self._sum_width = require_range("sum_width", sum_width, 2, 94)
        self._votes_width = require_range("votes_width", votes_width, 1, 32)
        super().__init__(
            {
                "valid": In(1),
                "label": In(range(max(classes, 2))),
                "sum": In(signed(sum_width)),
                "predicted": Out(range(max(classes, 2))),
                "judging": Out(1),
                "votes": In(unsigned(votes_width)),
                "min_votes": In(unsigned(votes_width)),
                "min_margin": In(unsigned(sum_width)),
                "abstain": Out(1),
            }
        )

    @property
    def classes(self):
        return self._classes

    @property
    def sum_width(self):
        return self._sum_width

    @property
    def votes_width(self):
        return self._votes_width

    @staticmethod
    def twin(sums, votes, min_votes=0, min_margin=0):
        """(predicted, abstain) of an image from the sums and votes of its classes."""
        predicted = sums.index(max(sums))
        others = sums[:predicted] + sums[predicted + 1 :]
        close = bool(others) and sums[predicted] - max(others) < min_margin
        return predicted, int(votes[predicted] < min_votes or close)

    def elaborate(self, platform):
        m = Module()
        largest, other = Signal(signed(self._sum_width)), Signal(signed(self._sum_width))
        margin = Signal(unsigned(self._sum_width))
        larger, ranked = Signal(), Signal()
        valid, label, value = Signal(), Signal.like(self.label), Signal.like(self.sum)
        m.d.sync += [valid.eq(self.valid), label.eq(self.label), value.eq(self.sum)]
        m.d.comb += larger.eq((label == 0) | (value > largest))
        with m.If(valid & larger):
            m.d.sync += [largest.eq(value), other.eq(largest), self.predicted.eq(label)]
        with m.Elif(valid & ((label == 1) | (value > other))):
            m.d.sync += other.eq(value)
        m.d.sync += [
            ranked.eq(valid & (label == self._classes - 1)),
            self.judging.eq(ranked),
        ]
        with m.If(ranked):
            m.d.sync += margin.eq(largest - other)
        close = margin < self.min_margin if self._classes > 1 else 0
        with m.If(self.judging):
            m.d.sync += self.abstain.eq((self.votes < self.min_votes) | close)
        return m
