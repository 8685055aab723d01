# SPDX-License-Identifier: Apache-2.0
"""Pass accumulator: per-class sum of logits and votes over the passes of an image."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range
from scaledrop_hw.head import logit_layout

__all__ = ["PassAccumulator", "result_layout"]


def result_layout(classes, logit_width, max_passes):
    """One result: ``last`` marks an image's last class."""
    return data.StructLayout(
        {
            "label": range(max(classes, 2)),
            "sum": signed(logit_width + max_passes.bit_length()),
            "votes": range(max_passes + 1),
            "last": 1,
        }
    )


class PassAccumulator(wiring.Component):
    """Sums logits, counts the winner of every pass, and sends both after the last pass.

    The winner is the class with the largest logit; the lowest label wins a tie.

    Parameters
    ----------
    classes, logit_width, max_passes : int

    Members
    -------
    logit_valid : In(1); logit : In(logit_layout)
        Classes of a pass in ascending order. The first pass of an image overwrites what was there.
    results : Out(stream of result_layout)
        One transfer per class, in ascending order, after an image's last pass.
    drained : Out(1)
        The last result of an image leaves in this cycle.

    Timing
    ------
    One logit per cycle; results begin two cycles after the image's last logit. No logit may arrive
    from then until ``drained``: the head sees to that.
    """

    def __init__(self, *, classes, logit_width, max_passes):
        self._classes = require_range("classes", classes, 1, 65536)
        self._logit_width = require_range("logit_width", logit_width, 1, 62)
        self._max_passes = require_range("max_passes", max_passes, 1, 65535)
        self._result = result_layout(classes, logit_width, max_passes)
        super().__init__(
            {
                "logit_valid": In(1),
                "logit": In(logit_layout(classes, logit_width)),
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
    def max_passes(self):
        return self._max_passes

    @staticmethod
    def twin(logits):
        """Sums and votes of one image from its logits, a list of T lists of K integers."""
        classes = range(len(logits[0]))
        winners = [one.index(max(one)) for one in logits]
        return [sum(one[k] for one in logits) for k in classes], [winners.count(k) for k in classes]

    def elaborate(self, platform):
        m = Module()
        logit, result = self.logit, self.results.payload
        depth = self._classes
        m.submodules.sums = sums = Memory(shape=self._result["sum"].shape, depth=depth, init=[])
        m.submodules.votes = votes = Memory(shape=self._result["votes"].shape, depth=depth, init=[])
        sum_read, sum_write = sums.read_port(domain="comb"), sums.write_port()
        vote_read, vote_write = votes.read_port(domain="comb"), votes.write_port()
        best = Signal(signed(self._logit_width))
        winner, better = Signal(logit.label.shape()), Signal()
        elected, ending, sending = Signal(), Signal(), Signal()
        label = Signal(logit.label.shape())
        m.d.comb += [
            better.eq((logit.label == 0) | (logit.value > best)),
            sum_read.addr.eq(Mux(sending, label, logit.label)),
            sum_write.addr.eq(logit.label),
            sum_write.data.eq(Mux(logit.first_pass, 0, sum_read.data) + logit.value),
            sum_write.en.eq(self.logit_valid),
            vote_read.addr.eq(Mux(sending, label, winner)),
            vote_write.addr.eq(Mux(elected, winner, logit.label)),
            vote_write.data.eq(Mux(elected, vote_read.data + 1, 0)),
            vote_write.en.eq(elected | (self.logit_valid & logit.first_pass)),
        ]
        m.d.sync += elected.eq(self.logit_valid & logit.last)
        with m.If(self.logit_valid):
            m.d.sync += ending.eq(logit.last_pass)
            with m.If(better):
                m.d.sync += [best.eq(logit.value), winner.eq(logit.label)]
        with m.If(elected & ending):
            m.d.sync += [sending.eq(1), label.eq(0)]
        m.d.comb += [
            self.results.valid.eq(sending),
            result.label.eq(label),
            result.sum.eq(sum_read.data),
            result.votes.eq(vote_read.data),
            result.last.eq(label == self._classes - 1),
            self.drained.eq(sending & self.results.ready & result.last),
        ]
        with m.If(sending & self.results.ready):
            m.d.sync += label.eq(label + 1)
            with m.If(result.last):
                m.d.sync += sending.eq(0)
        return m
