# SPDX-License-Identifier: Apache-2.0
"""Threshold stage: BatchNorm and sign as one comparison per channel."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop.numbers import activation_bit
from scaledrop_hw.checks import require_range, require_words

__all__ = ["ThresholdStage"]


class ThresholdStage(wiring.Component):
    """Compares a beat of scaled sums with its channels' thresholds.

        bits[j] = (scaled[j] >= threshold[address][j]) xor flip[address][j]

    Parameters
    ----------
    lanes, scaled_width : int
    init : list of list of (threshold, flip)
        One list of ``lanes`` pairs per word.

    Members
    -------
    fetch : In(1); address : In(range(depth))
        Presented one cycle before the beat.
    scaled : In(lanes x signed(scaled_width))
    bits : Out(lanes)

    Timing
    ------
    ``bits`` is combinational from ``scaled`` and the word fetched one cycle earlier.
    """

    twin = staticmethod(activation_bit)

    def __init__(self, *, lanes, scaled_width, init):
        self._lanes = require_range("lanes", lanes, 1, 1024)
        self._scaled_width = require_range("scaled_width", scaled_width, 2, 62)
        limit = 1 << (scaled_width - 1)
        init = [list(word) for word in init]
        thresholds = require_words(
            "thresholds", ([t for t, _ in word] for word in init), lanes, -limit, limit - 1
        )
        flips = require_words("flips", ([f for _, f in word] for word in init), lanes, 0, 1)
        self._init = [
            [{"threshold": t, "flip": f} for t, f in zip(*pair, strict=True)]
            for pair in zip(thresholds, flips, strict=True)
        ]
        depth = require_range("depth of the threshold memory", len(self._init), 1, 2**20)
        entry = data.StructLayout({"threshold": signed(scaled_width), "flip": 1})
        self._word = data.ArrayLayout(entry, lanes)
        super().__init__(
            {
                "fetch": In(1),
                "address": In(range(max(depth, 2))),
                "scaled": In(data.ArrayLayout(signed(scaled_width), lanes)),
                "bits": Out(lanes),
            }
        )

    @property
    def lanes(self):
        return self._lanes

    @property
    def scaled_width(self):
        return self._scaled_width

    @property
    def depth(self):
        return len(self._init)

    def elaborate(self, platform):
        m = Module()
        m.submodules.thresholds = thresholds = Memory(
            shape=self._word, depth=self.depth, init=self._init
        )
        read = thresholds.read_port()
        m.d.comb += [read.addr.eq(self.address), read.en.eq(self.fetch)]
        for lane in range(self._lanes):
            fires = Signal(name=f"fires_{lane}")
            m.d.comb += [
                fires.eq(self.scaled[lane] >= read.data[lane].threshold),
                self.bits[lane].eq(fires ^ read.data[lane].flip),
            ]
        return m
