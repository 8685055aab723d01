# SPDX-License-Identifier: Apache-2.0
"""Scale and dropout mux: the reference datapath's multiplier with its memory."""

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.numbers import scaled_sum
from scaledrop_hw.checks import require_range
from scaledrop_hw.scale_memory import ScaleMemory

__all__ = ["ScaleStage"]


class ScaleStage(wiring.Component):
    """Scales a beat of sums, or passes them as if the scale were one.

        scaled[j] = sums[j] * scale[address][j]     when keep
                    sums[j] << scale_frac_bits      when not

    in units of 2**-scale_frac_bits. The scale memory is read only when the scale is kept.

    Parameters
    ----------
    sum_width, scaled_width : int
    scale_frac_bits : int
    memory : ScaleMemory
        Its lanes are this stage's lanes. It becomes a submodule.

    Members
    -------
    valid : In(1); sums : In(lanes x signed); keep : In(1); address : In
        One beat.
    scaled_valid : Out(1); scaled : Out(lanes x signed)
        The scaled beat; it holds until the next one.
    host : In(host_signature)
        The host side of the memory.
    inject : In; corrected, uncorrected : Out(1); error_address : Out
        The error handling of the memory; see ScaleMemory.

    Timing
    ------
    Latency ScaleMemory.LATENCY + 1, the last one to correct and multiply; one beat per cycle; never
    stalls.

    Reference
    ---------
    arXiv 2311.15816, unitary dropout of the scale; rule in scaledrop.numbers.scaled_sum.
    """

    LATENCY = ScaleMemory.LATENCY + 1
    twin = staticmethod(scaled_sum)

    def __init__(self, *, sum_width, scaled_width, scale_frac_bits, memory):
        self._sum_width = require_range("sum_width", sum_width, 2, 62)
        self._scaled_width = require_range("scaled_width", scaled_width, sum_width, 62)
        self._frac = require_range("scale_frac_bits", scale_frac_bits, 0, memory.scale_bits - 1)
        self._memory = memory
        lanes = memory.lanes
        super().__init__(
            {
                "valid": In(1),
                "sums": In(data.ArrayLayout(signed(sum_width), lanes)),
                "keep": In(1),
                "address": In(memory.address.shape()),
                "host": In(memory.host.signature.flip()),
                "inject": In(memory.inject.shape()),
                "corrected": Out(1),
                "uncorrected": Out(1),
                "error_address": Out(memory.error_address.shape()),
                "scaled_valid": Out(1),
                "scaled": Out(data.ArrayLayout(signed(scaled_width), lanes)),
            }
        )

    @property
    def sum_width(self):
        return self._sum_width

    @property
    def scaled_width(self):
        return self._scaled_width

    @property
    def memory(self):
        return self._memory

    @property
    def scale_frac_bits(self):
        return self._frac

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self._memory
        connect(m, flipped(self.host), memory.host)
        beat = data.StructLayout({"valid": 1, "keep": 1, "sums": self.sums.shape()})
        beats = [Signal(beat, name=f"beat_{at + 1}") for at in range(ScaleMemory.LATENCY)]
        m.d.comb += [
            memory.read.eq(self.valid & self.keep),
            memory.address.eq(self.address),
            memory.inject.eq(self.inject),
            self.corrected.eq(memory.corrected),
            self.uncorrected.eq(memory.uncorrected),
            self.error_address.eq(memory.error_address),
        ]
        m.d.sync += [beats[0].valid.eq(self.valid), self.scaled_valid.eq(beats[-1].valid)]
        with m.If(self.valid):
            m.d.sync += [beats[0].keep.eq(self.keep), beats[0].sums.eq(self.sums)]
        m.d.sync += [after.eq(before) for before, after in pairwise(beats)]
        keep, sums = beats[-1].keep, beats[-1].sums
        for lane in range(memory.lanes):
            product = Signal(signed(self._scaled_width), name=f"product_{lane}")
            m.d.comb += product.eq(sums[lane] * memory.scales[lane])
            with m.If(beats[-1].valid):
                m.d.sync += self.scaled[lane].eq(Mux(keep, product, sums[lane] << self._frac))
        return m
