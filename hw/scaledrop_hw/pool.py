# SPDX-License-Identifier: Apache-2.0
"""Max pooling on the way to the buffers: OR for 1-bit codes."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["PoolStage"]


class PoolStage(wiring.Component):
    """Keeps the largest code of every pooling window that is not finished yet.

        result[j] = max(codes[j], 0 if first else kept[keep][address][j])

    Parameters
    ----------
    lanes, planes : int
        Codes in a beat, bits of a code.
    depth : int
        Windows open at a time, of one outcome: pooled columns x beats of a position.

    Members
    -------
    valid : In(1); codes : In(ArrayLayout(unsigned(planes), lanes)); keep : In(1)
        A beat, and the outcome that it is of.
    address : In(range(depth)); first : In(1)
        Its window; ``first`` opens the window anew.
    result : Out(ArrayLayout(unsigned(planes), lanes))
        Largest codes of the window so far.

    Timing
    ------
    ``result`` is combinational; one beat a cycle, also of the same window. Nothing is reset: a
    window is opened before it is read.
    """

    def __init__(self, *, lanes, planes, depth):
        self._lanes = require_range("lanes", lanes, 1, 1024)
        self._planes = require_range("planes", planes, 1, 8)
        self._depth = require_range("depth of the pool", depth, 1, 2**20)
        codes = data.ArrayLayout(unsigned(planes), lanes)
        super().__init__(
            {
                "valid": In(1),
                "codes": In(codes),
                "keep": In(1),
                "address": In(range(max(depth, 2))),
                "first": In(1),
                "result": Out(codes),
            }
        )

    @property
    def lanes(self):
        return self._lanes

    @property
    def planes(self):
        return self._planes

    @property
    def depth(self):
        return self._depth

    @staticmethod
    def twin(beats):
        """Results of (codes, keep, address, first) beats in plain integers."""
        kept = {}
        results = []
        for codes, keep, address, first in beats:
            before = [0] * len(codes) if first else kept[keep, address]
            kept[keep, address] = [max(pair) for pair in zip(codes, before, strict=True)]
            results.append(kept[keep, address])
        return results

    def elaborate(self, platform):
        m = Module()
        m.submodules.open_windows = windows = Memory(
            shape=self.codes.shape(), depth=2 * self._depth, init=[]
        )
        read, write = windows.read_port(domain="comb"), windows.write_port()
        address = Cat(self.keep, self.address)
        m.d.comb += [
            read.addr.eq(address),
            write.addr.eq(address),
            write.data.eq(self.result),
            write.en.eq(self.valid),
        ]
        for lane in range(self._lanes):
            code = self.codes[lane]
            before = Signal(self._planes, name=f"before_{lane}")
            m.d.comb += [
                before.eq(Mux(self.first, 0, read.data[lane])),
                self.result[lane].eq(
                    code | before if self._planes == 1 else Mux(code > before, code, before)
                ),
            ]
        return m
