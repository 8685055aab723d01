# SPDX-License-Identifier: Apache-2.0
"""Counting inputs that equal constants: tables that columns share, then a heap for each."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Const, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.compressor import BitHeap

__all__ = ["BakedCounter"]

FIRST_LEVELS = 2
"""Levels of tables in the cycle after the inputs' registers; the others follow in the next."""

HEIGHTS = (9, 3)
"""Bits of one weight that are left at the two registers of a heap."""


class Places:
    """Bits of weight 1 still to be counted: shared signals, and what each column compares with.

    Three of them, a, b, c, make one bit of weight 1 and one of weight 2 in every column:

        a ^ b ^ c                 compared with the parity of the three constants
        majority(matches)         one of four functions of a, b, c, or the complement of one

    so a column needs nothing of its own to have two inputs of three counted.

    Parameters
    ----------
    columns : int
    bits : list of (value of 1 bit, int)
        The int has one bit per column: what is compared with. Values need ``& | ^ ~``, no more.
    """

    def __init__(self, columns, bits):
        self._columns, self.bits = columns, bits
        self._full = (1 << columns) - 1
        self.carries = []

    def held(self, hold):
        """The same, one enabled cycle later: shared bits and functions in ``hold``."""
        later = Places(self._columns, [(hold(bit), want) for bit, want in self.bits])
        later.carries = [
            [(hold(function), flip) for function, flip in carry] for carry in self.carries
        ]
        return later

    def level(self):
        """Take the bits in threes; the last two together when there is nothing else."""
        size = min(3, len(self.bits))
        taken = len(self.bits) // size * size if size > 1 else 0
        groups = [self.bits[at : at + size] for at in range(0, taken, size)]
        self.bits = [*map(self._group, groups), *self.bits[taken:]]

    def _group(self, group):
        """Adds the group's carries; returns its parity and what that is compared with."""
        tables, columns = {}, range(self._columns)
        self.carries.append([self._carry(tables, group, column) for column in columns])
        bits, wants = zip(*group, strict=True)
        odd = self._full * (1 - len(group) % 2)
        return reduce(xor, bits), reduce(xor, wants) ^ odd

    def _carry(self, tables, group, column):
        """Function of the group, and whether a column takes its complement."""
        wants = [want >> column & 1 for _, want in group]
        flip = len(group) == 3 and not wants[-1]
        wants = tuple(want ^ flip for want in wants)
        if wants not in tables:
            matches = [bit if want else ~bit for (bit, _), want in zip(group, wants, strict=True)]
            a, b, *c = matches
            tables[wants] = (a & b) | (a & c[0]) | (b & c[0]) if c else a & b
        return tables[wants], flip

    def spread(self):
        """Carries as vectors, one place a column."""
        return [Cat(~value if flip else value for value, flip in carry) for carry in self.carries]


class BakedCounter(wiring.Component):
    """Counts, in many columns, the inputs that equal a column's constants; adds an offset.

        totals[c] = #{i : inputs[i] == patterns[i][c]} + offsets[c]     modulo 2**width, signed

    Parameters
    ----------
    patterns : list of int
        For each input, 1 to 2048 of them, one bit per column.
    offsets : list of int
        One per column.
    width : int
        Of a total, 1 to 13.
    latency : int
        5 or more: further registers follow the inputs'.

    Members
    -------
    enable : In(1)
        Pipeline advances. When low, nothing changes and ``totals`` hold.
    clear : In(1)
        The inputs of this cycle count as 0.
    inputs : In(len(patterns))
    keep : In(1)
        Taken ``latency`` - 1 enabled cycles after the inputs that it belongs to: when low, their
        totals become 0.
    totals : Out(ArrayLayout(signed(width), columns))

    Timing
    ------
    Latency ``latency`` enabled cycles: inputs; tables; further tables, and a heap; the heap; sum.
    One count per enabled cycle. Nothing is reset.

    Reference
    ---------
    Distributed arithmetic: A. Peled and B. Liu, "A new hardware realization of digital filters",
    IEEE Trans. ASSP 22 (1974).
    """

    def __init__(self, *, patterns, offsets, width, latency):
        self._columns = require_range("number of columns", len(offsets), 1, 4096)
        self._width = require_range("width", width, 1, 13)
        self._latency = require_range("latency", latency, 5, 64)
        require_range("number of inputs", len(patterns), 1, 2048)
        full = (1 << self._columns) - 1
        words = require_words("patterns", ([bits] for bits in patterns), 1, 0, full)
        self._patterns = [bits for (bits,) in words]
        self._offsets = list(offsets)
        super().__init__(
            {
                "enable": In(1),
                "clear": In(1),
                "inputs": In(len(patterns)),
                "keep": In(1),
                "totals": Out(data.ArrayLayout(signed(width), len(offsets))),
            }
        )

    @property
    def patterns(self):
        return self._patterns

    @property
    def offsets(self):
        return self._offsets

    @property
    def width(self):
        return self._width

    @property
    def latency(self):
        return self._latency

    @staticmethod
    def twin(inputs, patterns, offsets, width):
        """Totals in plain integers."""
        half, totals = 1 << width - 1, []
        for column, offset in enumerate(offsets):
            count = sum(inputs >> at & 1 == bits >> column & 1 for at, bits in enumerate(patterns))
            totals.append((count + offset + half) % (2 * half) - half)
        return totals

    def elaborate(self, platform):
        m = Module()
        places = Places(self._columns, list(zip(self._inputs(m), self._patterns, strict=True)))
        for _ in range(FIRST_LEVELS):
            places.level()
        places = places.held(self._holder(m, "table"))
        heap = self._taken(BitHeap(m, name="early", columns=self._columns), places, HEIGHTS[0])
        places.carries = []
        while len(places.bits) > 1:
            places.level()
        places = places.held(self._holder(m, "late_table"))
        heap = self._taken(heap, places, HEIGHTS[1])
        ((parity, pattern),) = places.held(self._holder(m, "parity")).bits
        for column in range(self._columns):
            self._sum(m, heap, column, parity if pattern >> column & 1 else ~parity)
        return m

    def _taken(self, heap, places, height):
        """The heap with the carries of ``places``, compressed and registered."""
        heap[1].extend(places.spread())
        heap.compress(height)
        return heap.register(self.enable)

    def _inputs(self, m):
        """Inputs after their registers, of which the first can be cleared."""
        held = self.inputs
        for stage in range(self._latency - 4):
            before, held = held, Signal(len(held), name=f"inputs_{stage}", reset_less=True)
            with m.If(self.enable):
                m.d.sync += held.eq(before)
            if not stage:
                with m.If(self.enable & self.clear):
                    m.d.sync += held.eq(0)
        return list(held)

    def _holder(self, m, name):
        """Registers of one bit, one for each value however often it is asked for."""
        known = {}

        def hold(value):
            if id(value) not in known:
                held = Signal(name=f"{name}_{len(known)}", reset_less=True)
                with m.If(self.enable):
                    m.d.sync += held.eq(value)
                known[id(value)] = value, held
            return known[id(value)][1]

        return hold

    def _sum(self, m, heap, column, odd):
        """Last stage of a column: what is left of its heap, its parity and its offset."""
        offset = self._offsets[column]
        rest = BitHeap(m, name=f"total_{column}", columns=1)
        for weight in range(1, self._width):
            rest[weight - 1].extend(bit[column] for bit in heap[weight])
            rest[weight - 1].extend([Const(1, 1)] * (offset >> weight & 1))
        total = ~odd if offset & 1 else odd
        if self._width > 1:
            rest[0].extend([odd] * (offset & 1) or [Const(0, 1)] * (not rest.height))
            rest.compress(2)
            total = Cat(total, rest.total(0, self._width - 1))
        held = Signal(self._width, name=f"count_{column}", reset_less=True)
        with m.If(self.enable):
            m.d.sync += held.eq(total)
        with m.If(self.enable & ~self.keep):
            m.d.sync += held.eq(0)
        m.d.comb += self.totals[column].eq(held)
