# SPDX-License-Identifier: Apache-2.0
"""Counting matches: parities of rows, then a heap of bits compressed by full adders."""

from functools import partial
from itertools import pairwise, zip_longest

from amaranth.hdl import Cat, Const, Module, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["BitHeap", "MatchCounter"]

CHAIN_ROWS = 7
"""Rows whose parity is taken in a chain: a first one and pairs of further ones."""

HEIGHT = 3
"""Bits of one weight that are left where a heap is registered or added up."""


def _held(m, enable, name, value):
    """``value`` one enabled cycle later."""
    held = Signal(len(value), name=name, reset_less=True)
    with m.If(enable):
        m.d.sync += held.eq(value)
    return held


class BitHeap:
    """Bits to be added up, for many columns at once: a bit is a vector with one place a column.

    Parameters
    ----------
    m : Module
        Receives the logic.
    name : str
        Starts the names of its signals.
    columns : int
    """

    def __init__(self, m, *, name, columns):
        self._m, self._name, self._columns = m, name, columns
        self._weights, self._layers = [], 0

    def __getitem__(self, weight):
        """The bits of weight ``2**weight``."""
        self._weights += [[] for _ in range(weight + 1 - len(self._weights))]
        return self._weights[weight]

    @property
    def height(self):
        return max(map(len, self._weights))

    def _signal(self, kind, value):
        signal = Signal(self._columns, name=f"{self._name}_{kind}")
        self._m.d.comb += signal.eq(value)
        return signal

    def _full_adder(self, weight, kind):
        """Replace three bits by their sum, last in line; returns the carry."""
        a, b, c = (self[weight].pop(0) for _ in range(3))
        differ = self._signal(f"differ{kind}", a ^ b)
        self[weight].append(self._signal(f"sum{kind}", differ ^ c))
        return self._signal(f"carry{kind}", (differ & c) | (~differ & a))

    def compress(self, height):
        """Full adders in Dadda's order until no weight has more than ``height`` >= 2 bits."""
        goals = [height]
        while goals[-1] < self.height:
            goals.append(goals[-1] * 3 // 2)
        for goal in reversed(goals[:-1]):
            while self.height > goal:
                self._layer(goal)

    def _layer(self, goal):
        """One layer of full adders side by side, no more than ``goal`` asks for."""
        self._layers += 1
        carries, weight = [], 0
        while weight < len(self._weights) or carries:
            bits = len(self[weight])
            adders = min(bits // 3, max(0, bits + len(carries) - goal + 1) // 2)
            kinds = [f"_{self._layers}_{weight}_{index}" for index in range(adders)]
            incoming, carries = carries, [self._full_adder(weight, kind) for kind in kinds]
            self[weight].extend(incoming)
            weight += 1

    def register(self, enable):
        """The same bits, one enabled cycle later, as a heap of their own."""
        later = BitHeap(self._m, name=f"{self._name}_later", columns=self._columns)
        for weight, bits in enumerate(self._weights):
            names = (f"{self._name}_bit_{weight}_{index}" for index in range(len(bits)))
            later[weight].extend(map(partial(_held, self._m, enable), names, bits))
        return later

    def total(self, column, width):
        """Sum of one column's bits, modulo ``2**width``."""
        nothing = Const(0, self._columns)
        rows = zip_longest(*self._weights[:width], fillvalue=nothing)
        return sum(Cat(bit[column] for bit in row) for row in rows)[:width]


def chains(rows):
    """Rows in chains, as (first row, pairs of further rows); an odd row out is its own chain."""
    found = []
    for first in range(0, rows, CHAIN_ROWS):
        length = min(CHAIN_ROWS, rows - first)
        pairs = [(row, row + 1) for row in range(first + 1, first + length - 1, 2)]
        found.append((first, pairs))
        if length % 2 == 0:
            found.append((first + length - 1, []))
    return found


class MatchCounter(wiring.Component):
    """Counts, in many columns, the rows whose sign equals the weight; adds an offset.

        totals[c] = #{r : sign[r] == weights[r][c]} + offset        modulo 2**width, signed

    A chain of rows begins with the match bit of one row; each further pair of rows makes the next
    parity p' from the one before, p, and gives a carry of weight 2:

        p' = p ^ (sign[a] ^ sign[b]) ^ weights[a] ^ weights[b]
        carry = p if p' != p else (sign[a] == weights[a])

    Both are functions of four bits. The carry is taken from registered parities, or else synthesis
    would see through it and take three functions instead of two.

    Parameters
    ----------
    rows, columns : int
        1 to 1024 each.
    width : int
        Of a total, 1 to 12.

    Members
    -------
    enable : In(1)
        Pipeline advances. When low, nothing changes and ``totals`` hold.
    signs : In(rows)
    pair_signs : In(pairs)
        ``signs[a] ^ signs[b]`` of every pair in ``pairs``.
    weights : In(ArrayLayout(columns, rows))
        The bits of a row, one per column.
    offset : In(signed(width))
        Taken three enabled cycles after the rows it belongs to.
    totals : Out(ArrayLayout(signed(width), columns))

    Timing
    ------
    Latency 4 enabled cycles: parities; carries; those compressed to three bits of a weight; sum.
    One count per enabled cycle. Nothing is reset.

    Reference
    ---------
    L. Dadda, "Some schemes for parallel multipliers", Alta Frequenza 34 (1965): the order in which
    bits are compressed.
    """

    LATENCY = 4

    def __init__(self, *, rows, columns, width):
        self._rows = require_range("rows", rows, 1, 1024)
        self._columns = require_range("columns", columns, 1, 1024)
        self._width = require_range("width", width, 1, 12)
        super().__init__(
            {
                "enable": In(1),
                "signs": In(rows),
                "pair_signs": In(len(self.pairs)),
                "weights": In(data.ArrayLayout(unsigned(columns), rows)),
                "offset": In(signed(width)),
                "totals": Out(data.ArrayLayout(signed(width), columns)),
            }
        )

    @property
    def rows(self):
        return self._rows

    @property
    def columns(self):
        return self._columns

    @property
    def width(self):
        return self._width

    @property
    def pairs(self):
        """Pairs of rows whose signs are taken together."""
        return [pair for _, further in chains(self._rows) for pair in further]

    @staticmethod
    def twin(signs, weights, offset, columns, width):
        """Totals in plain integers; ``weights`` holds a row's bits, one per column."""
        counts = [
            sum(signs >> row & 1 == bits >> column & 1 for row, bits in enumerate(weights))
            for column in range(columns)
        ]
        half = 1 << width - 1
        return [(count + offset + half) % (2 * half) - half for count in counts]

    def elaborate(self, platform):
        m = Module()
        heap = BitHeap(m, name="count", columns=self._columns)
        place = 0
        for first, pairs in chains(self._rows):
            parities = self._parities(m, first, pairs, self.pair_signs[place:])
            heap[0].append(parities[-1])
            heap[1].extend(self._carries(m, parities, pairs))
            place += len(pairs)
        heap = heap.register(self.enable)
        heap.compress(HEIGHT)
        last = heap.register(self.enable)
        for weight in range(self._width):
            last[weight].append(self.offset[weight].replicate(self._columns))
        last.compress(HEIGHT)
        for column in range(self._columns):
            total = last.total(column, self._width)
            m.d.comb += self.totals[column].eq(_held(m, self.enable, f"total_{column}", total))
        return m

    def _spread(self, bit):
        return bit.replicate(self._columns)

    def _parities(self, m, first, pairs, pair_signs):
        """Registered parities of the matches: of the first row, then with each pair taken in."""
        parity = ~(self._spread(self.signs[first]) ^ self.weights[first])
        parities = [_held(m, self.enable, f"parity_{first}", parity)]
        for (a, b), sign in zip(pairs, pair_signs, strict=False):
            before, parity = parity, Signal(self._columns, name=f"next_parity_{b}")
            signs = self._spread(sign)
            m.d.comb += parity.eq(before ^ signs ^ self.weights[a] ^ self.weights[b])
            parities.append(_held(m, self.enable, f"parity_{b}", parity))
        return parities

    def _carries(self, m, parities, pairs):
        """One carry of weight 2 per pair, a cycle after its rows."""
        carries = []
        for (before, after), (a, _) in zip(pairwise(parities), pairs, strict=True):
            sign = _held(m, self.enable, f"sign_{a}", self.signs[a])
            weight = _held(m, self.enable, f"weight_{a}", self.weights[a])
            differ = before ^ after
            carry = Signal(self._columns, name=f"carry_{a}")
            m.d.comb += carry.eq((differ & before) | (~differ & ~(self._spread(sign) ^ weight)))
            carries.append(carry)
        return carries
