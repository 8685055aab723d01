# SPDX-License-Identifier: Apache-2.0
"""The two datapaths from a beat of sums to its decisions: one port, equal results."""

from itertools import pairwise

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import Memory, MemoryShape
from scaledrop.folding import fold, fold_head
from scaledrop.frozen import Threshold
from scaledrop_hw.scale_host import ScaleHost
from scaledrop_hw.scale_memory import ScaleMemory
from scaledrop_hw.scale_stage import ScaleStage
from scaledrop_hw.threshold import ThresholdStage

__all__ = ["DATAPATHS", "FoldedDatapath", "ReferenceDatapath"]


def _members(mapping, sum_width, value_width, thresholds, code_bits):
    array, end = mapping.array, mapping.end
    return {
        "valid": In(1),
        "fresh": In(1),
        "hidden": In(1),
        "keep": In(1),
        "sums": In(data.ArrayLayout(signed(sum_width), array.lanes)),
        "scale_address": In(range(max(end.scale, 2))),
        "level_address": In(range(max(end.level, 2))),
        "bits": Out(array.lanes),
        "values": Out(data.ArrayLayout(signed(value_width), array.lanes)),
        "scale_read": Out(1),
        "multiplying": Out(1),
        "inject": In(code_bits),
        "corrected": Out(1),
        "uncorrected": Out(1),
        "host_thresholds": In(thresholds.host.signature.flip()),
    }


def _hidden_layers(mapping):
    return [mapped for mapped in mapping.layers if isinstance(mapped.layer.output, Threshold)]


def _words(mapped, thresholds, flip):
    """Words of (threshold, flip), level by level; (C, levels) thresholds."""
    by_group = mapped.by_group(thresholds.reshape(len(thresholds), -1)).tolist()
    flips = mapped.by_group(flip).tolist()
    return [
        [(lane[level], bit) for lane, bit in zip(lanes, bits, strict=True)]
        for lanes, bits in zip(by_group, flips, strict=True)
        for level in range(mapped.levels)
    ]


class ReferenceDatapath(wiring.Component):
    """Scale memory, dropout mux, multiplier, threshold: the paper's datapath.

        value[j] = sums[j] * scale[j] if keep else sums[j] << scale_frac_bits
        bits[j] = (value[j] >= threshold[j]) xor flip[j]

    Parameters
    ----------
    mapping : scaledrop.mapping.NetworkMapping
    sum_width : int
    ecc : bool
        See ScaleMemory.

    Members
    -------
    valid : In(1); sums, keep : In
        A beat of sums and the mask bit for it.
    fresh : In(1)
        First of the levels of a beat; the others repeat it.
    hidden : In(1)
        The beat is compared; otherwise only its values are wanted.
    scale_address, level_address : In
        Words of its scales and thresholds.
    bits, values : Out
        ``LATENCY`` cycles later.
    scale_read, multiplying : Out(1)
        Of this cycle, for the event counters.
    inject, corrected, uncorrected
        See ScaleMemory.
    host_scales, host_thresholds : In(host_part_signature)
        Load and read back the memories.

    Timing
    ------
    One beat a cycle; never stalls.

    Reference
    ---------
    arXiv 2311.15816; the rules are in scaledrop.numbers.
    """

    LATENCY = ScaleStage.LATENCY

    def __init__(self, *, mapping, sum_width, ecc=True):
        self._mapping, self._sum_width, self._ecc = mapping, sum_width, ecc
        self._value_width = max(mapping.scaled_width, sum_width)
        scales = [
            word
            for mapped in mapping.layers
            for word in mapped.by_group(mapped.layer.scale).tolist()
        ]
        self._memory = ScaleMemory(
            lanes=mapping.array.lanes, scale_bits=mapping.network.scale_bits, init=scales, ecc=ecc
        )
        words = [
            word
            for mapped in _hidden_layers(mapping)
            for word in _words(mapped, mapped.layer.output.threshold, mapped.layer.output.flip)
        ]
        self._threshold = ThresholdStage(
            lanes=mapping.array.lanes,
            scaled_width=self._value_width + 1,
            init=words or [[(0, 0)] * mapping.array.lanes],
        )
        self._host = ScaleHost(
            lanes=mapping.array.lanes,
            scale_bits=mapping.network.scale_bits,
            depth=self._memory.depth,
        )
        common = _members(
            mapping, sum_width, self._value_width, self._threshold, self._memory.code_bits
        )
        super().__init__({**common, "host_scales": In(self._host.host.signature.flip())})

    @property
    def mapping(self):
        return self._mapping

    @property
    def sum_width(self):
        return self._sum_width

    @property
    def ecc(self):
        return self._ecc

    @property
    def value_width(self):
        return self._value_width

    @property
    def memory(self):
        return self._memory

    @property
    def hosts(self):
        """Ports and sizes of the memories that a host reaches."""
        return {
            Memory.SCALES: ("host_scales", MemoryShape(self._memory.depth, self._host.parts)),
            Memory.THRESHOLDS: ("host_thresholds", self._threshold.shape),
        }

    @property
    def contents(self):
        """What these memories hold after power-up."""
        return {
            Memory.SCALES: self._memory.contents,
            Memory.THRESHOLDS: self._threshold.contents,
        }

    def head_words(self):
        """(gain, offset) of every class, and the bits of a gain."""
        head = self._mapping.network.head
        return list(zip(head.gain.tolist(), head.offset.tolist(), strict=True)), head.gain_bits

    def elaborate(self, platform):
        m = Module()
        network = self._mapping.network
        m.submodules.scale = scale = ScaleStage(
            sum_width=self._sum_width,
            scaled_width=self._value_width,
            scale_frac_bits=network.scale_frac_bits,
            memory=self._memory,
        )
        m.submodules.threshold = threshold = self._threshold
        m.submodules.scale_host = host = self._host
        connect(m, flipped(self.host_scales), host.host)
        connect(m, host.memory, scale.host)
        connect(m, flipped(self.host_thresholds), threshold.host)
        fetch = data.StructLayout({"fetch": 1, "address": self.level_address.shape()})
        fetches = [Signal(fetch, name=f"fetch_{at}") for at in range(self.LATENCY)]
        m.d.sync += [after.eq(before) for before, after in pairwise(fetches)]
        m.d.comb += [
            fetches[0].fetch.eq(self.valid & self.hidden),
            fetches[0].address.eq(self.level_address),
            threshold.fetch.eq(fetches[-1].fetch),
            threshold.address.eq(fetches[-1].address),
            scale.valid.eq(self.valid & self.fresh),
            scale.sums.eq(self.sums),
            scale.keep.eq(self.keep),
            scale.address.eq(self.scale_address),
            *[threshold.scaled[lane].eq(scale.scaled[lane]) for lane in range(len(self.bits))],
            self.bits.eq(threshold.bits),
            self.values.eq(scale.scaled),
            scale.inject.eq(self.inject),
            self.corrected.eq(scale.corrected),
            self.uncorrected.eq(scale.uncorrected),
            self.scale_read.eq(self._memory.read),
            self.multiplying.eq(self.valid & self.fresh & self.keep),
        ]
        return m


class FoldedDatapath(wiring.Component):
    """Two thresholds a channel, chosen by the mask bit: no scale memory and no multiplier.

        bits[j] = (sums[j] >= threshold[keep][j]) xor flip[j]

    Thresholds are those of the reference datapath divided by the scale, and by one. ``values`` are
    the sums themselves: the head has one gain for each outcome. Parameters, members and timing as
    ReferenceDatapath, without scales to load, read or multiply.
    """

    LATENCY = 1

    def __init__(self, *, mapping, sum_width, ecc=True):
        self._mapping, self._sum_width, self._ecc = mapping, sum_width, ecc
        self._value_width = sum_width
        self._threshold = ThresholdStage(
            lanes=mapping.array.lanes, scaled_width=sum_width + 1, init=self._threshold_words()
        )
        super().__init__(_members(mapping, sum_width, sum_width, self._threshold, 1))

    @property
    def mapping(self):
        return self._mapping

    @property
    def sum_width(self):
        return self._sum_width

    @property
    def ecc(self):
        return self._ecc

    @property
    def value_width(self):
        return self._value_width

    @property
    def memory(self):
        """There is none."""
        return None

    @property
    def hosts(self):
        """Ports and sizes of the memories that a host reaches."""
        return {Memory.THRESHOLDS: ("host_thresholds", self._threshold.shape)}

    @property
    def contents(self):
        """What these memories hold after power-up."""
        return {Memory.THRESHOLDS: self._threshold.contents}

    def head_words(self):
        """(gain when kept, gain when dropped, offset) of every class, and the bits of a gain."""
        network = self._mapping.network
        folded = fold_head(network.layers[-1], network.scale_bits, network.scale_frac_bits)
        columns = (folded.kept.tolist(), folded.dropped.tolist(), folded.offset.tolist())
        return list(zip(*columns, strict=True)), folded.gain_bits

    def _threshold_words(self):
        """Word ``2 * level_address + keep``."""
        frac, words = self._mapping.network.scale_frac_bits, []
        for mapped in _hidden_layers(self._mapping):
            folded = fold(mapped.layer, frac, mapped.sum_bound)
            flip = mapped.layer.output.flip
            sides = [
                _words(mapped, folded.plain(side), flip) for side in (folded.dropped, folded.kept)
            ]
            words += [word for pair in zip(*sides, strict=True) for word in pair]
        return words or [[(0, 0)] * self._mapping.array.lanes] * 2

    def elaborate(self, platform):
        m = Module()
        m.submodules.threshold = threshold = self._threshold
        connect(m, flipped(self.host_thresholds), threshold.host)
        with m.If(self.valid & self.fresh):
            m.d.sync += self.values.eq(self.sums)
        m.d.comb += [
            threshold.fetch.eq(self.valid & self.hidden),
            threshold.address.eq(Cat(self.keep, self.level_address)),
            *[
                threshold.scaled[lane].eq(self.values[lane])
                for lane in range(self._mapping.array.lanes)
            ],
            self.bits.eq(threshold.bits),
        ]
        return m


DATAPATHS = {"reference": ReferenceDatapath, "folded": FoldedDatapath}
"""Name -> class, as users choose them."""
