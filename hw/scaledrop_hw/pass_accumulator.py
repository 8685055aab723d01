# SPDX-License-Identifier: Apache-2.0
"""Pass accumulator: weighted sums, squares and votes over the leaves of an image."""

from itertools import pairwise
from typing import NamedTuple

from amaranth.hdl import Array, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop_hw.checks import require_range
from scaledrop_hw.head import logit_layout
from scaledrop_hw.verdict import Verdict
from scaledrop_hw.wide_multiplier import WideMultiplier

__all__ = ["ImageResult", "PassAccumulator", "result_layout"]

SIDES = ("dropped", "kept")


def result_layout(classes, logit_width, total_bits):
    """One class's result.

    No field overflows when the weights of an image sum to at most 2**total_bits - 1: |logit| is at
    most 2**(logit_width - 1). ``predicted``, ``abstain`` and ``covered`` are the image's, the same
    in every transfer; ``last`` marks its last class.
    """
    label = range(max(classes, 2))
    return data.StructLayout(
        {
            "label": label,
            "sum": signed(logit_width + total_bits),
            "squares": unsigned(2 * (logit_width - 1) + total_bits),
            "votes": unsigned(total_bits),
            "predicted": label,
            "abstain": 1,
            "covered": unsigned(total_bits),
            "last": 1,
        }
    )


class ImageResult(NamedTuple):
    """An image's results as plain integers: three of a class, then three of the image."""

    sums: list
    squares: list
    votes: list
    predicted: int
    abstain: int
    covered: int


class PassAccumulator(wiring.Component):
    """Adds up the leaves of an image, judges the sums and sends the results.

        sum[k]     = sum over the leaves of weight * logit[k]
        squares[k] = sum over the leaves of weight * logit[k]**2
        votes[k]   = sum of the weights of the leaves whose winner is k
        covered    = sum of the weights of the leaves

    A leaf's winner is its largest logit; the lowest label wins a tie. For ``predicted`` and
    ``abstain`` see Verdict.

    Parameters
    ----------
    classes, logit_width, weight_bits : int
    total_bits : int
        The caller guarantees that the weights of an image sum to at most 2**total_bits - 1.
    squares : bool
        Without it there is no hardware for the squares, and the field is 0.

    Members
    -------
    logit_valid : In(1); logit : In(logit_layout)
        Classes of a leaf in ascending order. Logits of one kept and one dropped leaf may alternate
        in any way. An image's ``first`` leaf overwrites what was there: each of its logits comes
        before that class's logit of any other leaf, and its end before any other leaf's.
    min_votes : In(unsigned(total_bits)); min_margin : In(unsigned(logit_width + total_bits))
        The limits below which to abstain; 0 never does. Sampled in the cycle before an image's
        first ``results.valid``.
    results : Out(stream of result_layout)
        One transfer per class, in ascending order, after an image's last leaf.
    drained : Out(1)
        The last result of an image leaves in this cycle.

    Timing
    ------
    One logit per cycle; ``results.valid`` rises ``classes`` + LATENCY cycles after the image's
    last, and from then one transfer a cycle. None may arrive until ``drained``: see Head.
    """

    LATENCY = WideMultiplier.LATENCY + Verdict.LATENCY

    def __init__(self, *, classes, logit_width, weight_bits, total_bits, squares=True):
        self._classes = require_range("classes", classes, 1, 65536)
        self._logit_width = require_range("logit_width", logit_width, 1, 62)
        self._weight_bits = require_range("weight_bits", weight_bits, 1, 32)
        self._total_bits = require_range("total_bits", total_bits, 1, 32)
        self._squares = squares
        if not isinstance(squares, bool):
            raise UserError(f"squares must be True or False, not {squares!r}")
        self._result = result_layout(classes, logit_width, total_bits)
        super().__init__(
            {
                "logit_valid": In(1),
                "logit": In(logit_layout(classes, logit_width, weight_bits)),
                "min_votes": In(unsigned(total_bits)),
                "min_margin": In(unsigned(logit_width + total_bits)),
                "results": Out(stream.Signature(self._result)),
                "drained": Out(1),
            }
        )

    @property
    def classes(self):
        return self._classes

    @property
    def logit_width(self):
        return self._logit_width

    @property
    def weight_bits(self):
        return self._weight_bits

    @property
    def total_bits(self):
        return self._total_bits

    @property
    def squares(self):
        return self._squares

    @staticmethod
    def twin(leaves, min_votes=0, min_margin=0):
        """ImageResult of an image from its leaves, a list of (weight, logits of all classes)."""
        classes = range(len(leaves[0][1]))
        sums = [sum(weight * logits[k] for weight, logits in leaves) for k in classes]
        squares = [sum(weight * logits[k] ** 2 for weight, logits in leaves) for k in classes]
        votes = [0 for _ in classes]
        for weight, logits in leaves:
            votes[logits.index(max(logits))] += weight
        judged = Verdict.twin(sums, votes, min_votes, min_margin)
        return ImageResult(sums, squares, votes, *judged, sum(weight for weight, _ in leaves))

    def elaborate(self, platform):
        m = Module()
        m.submodules.verdict = verdict = Verdict(
            classes=self._classes,
            sum_width=self._logit_width + self._total_bits,
            votes_width=self._total_bits,
        )
        result, label = self.results.payload, Signal(self.logit.label.shape())
        scanning, sending = Signal(), Signal()
        elected, *_, added = self._delayed(m, WideMultiplier.LATENCY)
        m.d.comb += [
            verdict.valid.eq(scanning),
            verdict.label.eq(label),
            verdict.sum.eq(result.sum),
            verdict.votes.eq(result.votes),
            verdict.min_votes.eq(self.min_votes),
            verdict.min_margin.eq(self.min_margin),
            result.predicted.eq(verdict.predicted),
            result.abstain.eq(verdict.abstain),
        ]
        ended = added.valid & added.logit.ends_image
        self._take_turns(m, ended, verdict.judging, label, scanning, sending)
        weighted = self._add_sums(m, added, scanning | sending, label)
        if self._squares:
            self._add_squares(m, added, weighted, sending, label)
        self._add_votes(m, elected, Mux(sending, label, verdict.predicted))
        return m

    def _delayed(self, m, stages):
        """The logit and whether there is one, 1 to ``stages`` cycles later."""
        layout = data.StructLayout({"valid": 1, "logit": self.logit.shape()})
        tags = [Signal(layout, name=f"logit_{stage + 1}") for stage in range(stages)]
        m.d.sync += [tags[0].valid.eq(self.logit_valid), tags[0].logit.eq(self.logit)]
        m.d.sync += [after.eq(before) for before, after in pairwise(tags)]
        return tags

    def _take_turns(self, m, ended, judging, label, scanning, sending):
        """After an image: show its classes to the verdict, wait for it, send the results."""
        result = self.results.payload
        m.d.sync += [
            scanning.eq(ended | (scanning & ~result.last)),
            sending.eq(judging | (sending & ~self.drained)),
        ]
        with m.If(scanning | (sending & self.results.ready)):
            m.d.sync += label.eq(Mux(result.last, 0, label + 1))
        m.d.comb += [
            self.results.valid.eq(sending),
            self.drained.eq(sending & self.results.ready & result.last),
            result.label.eq(label),
            result.last.eq(label == self._classes - 1),
        ]

    def _memory(self, m, name):
        """A field of every class: read, added to and written within one cycle, so never stale."""
        memory = Memory(shape=self._result[name].shape, depth=self._classes, init=[])
        m.submodules[f"{name}_memory"] = memory
        read, write = memory.read_port(domain="comb"), memory.write_port()
        m.d.comb += self.results.payload[name].eq(read.data)
        return read, write

    def _add_sums(self, m, added, finished, label):
        """Multiply by the weight, then add."""
        read, write = self._memory(m, "sum")
        m.submodules.weigh = weigh = WideMultiplier(
            a_width=self._weight_bits + 1, b_width=self._logit_width
        )
        weighted = Signal(signed(self._logit_width + self._total_bits))
        m.d.comb += [
            weigh.a.eq(self.logit.weight),
            weigh.b.eq(self.logit.value),
            weighted.eq(weigh.product),
            read.addr.eq(Mux(finished, label, added.logit.label)),
            write.addr.eq(added.logit.label),
            write.data.eq(Mux(added.logit.first, 0, read.data) + weighted),
            write.en.eq(added.valid),
        ]
        return weighted

    def _add_squares(self, m, added, weighted, sending, label):
        """Multiply by the logit once more, then add: before the verdict is there."""
        read, write = self._memory(m, "squares")
        m.submodules.square = square = WideMultiplier(
            a_width=len(weighted), b_width=self._logit_width
        )
        fields = data.StructLayout({"valid": 1, "label": label.shape(), "first": 1})
        tags = [Signal(fields, name=f"square_{at}") for at in range(WideMultiplier.LATENCY + 1)]
        m.d.sync += [after.eq(before) for before, after in pairwise(tags)]
        squared = tags[-1]
        m.d.comb += [
            tags[0].valid.eq(added.valid),
            tags[0].label.eq(added.logit.label),
            tags[0].first.eq(added.logit.first),
            square.a.eq(weighted),
            square.b.eq(added.logit.value),
            read.addr.eq(Mux(sending, label, squared.label)),
            write.addr.eq(squared.label),
            write.data.eq(Mux(squared.first, 0, read.data) + square.product),
            write.en.eq(squared.valid),
        ]

    def _add_votes(self, m, tag, judged):
        """Stage 1: compare; the first leaf clears. Stage 2, at a leaf's end: its winner's votes."""
        read, write = self._memory(m, "votes")
        logit, covered = self.logit, Signal(self._total_bits)
        elected, added = tag.valid & tag.logit.ends_leaf, tag.logit
        best = Array(Signal(signed(self._logit_width), name=f"best_{side}") for side in SIDES)
        winners = Array(Signal(logit.label.shape(), name=f"winner_{side}") for side in SIDES)
        with m.If(self.logit_valid & ((logit.label == 0) | (logit.value > best[logit.keep]))):
            m.d.sync += [best[logit.keep].eq(logit.value), winners[logit.keep].eq(logit.label)]
        m.d.comb += [
            read.addr.eq(Mux(elected, winners[added.keep], judged)),
            write.addr.eq(Mux(elected, winners[added.keep], logit.label)),
            write.data.eq(Mux(elected, read.data + added.weight, 0)),
            write.en.eq(elected | (self.logit_valid & logit.first)),
            self.results.payload.covered.eq(covered),
        ]
        with m.If(elected):
            m.d.sync += covered.eq(Mux(added.first, 0, covered) + added.weight)
