# SPDX-License-Identifier: Apache-2.0
"""Threshold stage: BatchNorm and sign as one comparison per channel."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import MemoryShape
from scaledrop.numbers import activation_bit
from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.hosted_memory import Contents, HostedMemory

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
    host : In(host_part_signature)
        Loads and reads back the words: lane 0 in the low bits, threshold below flip.

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
        self._memory = HostedMemory(
            width=self._word.size,
            depth=depth,
            init=[self._word.const(word).as_bits() for word in self._init],
        )
        super().__init__(
            {
                "fetch": In(1),
                "address": In(range(max(depth, 2))),
                "scaled": In(data.ArrayLayout(signed(scaled_width), lanes)),
                "bits": Out(lanes),
                "host": In(self._memory.host.signature.flip()),
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

    @property
    def shape(self):
        """Words and parts of the memory."""
        return MemoryShape(self.depth, self._memory.parts)

    @property
    def contents(self):
        """The thresholds and flips."""
        return Contents(self._word, self._memory.words)

    def elaborate(self, platform):
        m = Module()
        m.submodules.thresholds = memory = self._memory
        connect(m, flipped(self.host), memory.host)
        m.d.comb += [memory.address.eq(self.address), memory.read.eq(self.fetch)]
        word = data.View(self._word, memory.word)
        for lane in range(self._lanes):
            fires = Signal(name=f"fires_{lane}")
            m.d.comb += [
                fires.eq(self.scaled[lane] >= word[lane].threshold),
                self.bits[lane].eq(fires ^ word[lane].flip),
            ]
        return m
