# SPDX-License-Identifier: Apache-2.0
"""Match counter: every case when small, random with pauses when larger; heaps of every form."""

import random
from itertools import product

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.compressor import BitHeap, MatchCounter, chains

GOOD = {"rows": 4, "columns": 2, "width": 4}
SHAPES = [(1, 1, 1), (2, 3, 4), (5, 2, 3), (7, 1, 4), (8, 2, 5), (14, 2, 5), (33, 3, 7), (64, 4, 7)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be an integer from 1 to 1024, not 0"),
        ({"columns": 1025}, "columns must be an integer from 1 to 1024, not 1025"),
        ({"width": 0}, "width must be an integer from 1 to 12, not 0"),
        ({"width": 13}, "width must be an integer from 1 to 12, not 13"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(MatchCounter, GOOD, wrong) == message


def test_parameters_read_back():
    counter = MatchCounter(**GOOD)
    assert {name: getattr(counter, name) for name in GOOD} == GOOD


def activation(dut, rng):
    """Random signs, weights and offset; weights of a row have one bit per column."""
    signs = rng.getrandbits(dut.rows)
    weights = [rng.getrandbits(dut.columns) for _ in range(dut.rows)]
    return signs, weights, rng.randrange(-(1 << dut.width - 1), 1 << dut.width - 1)


def played(dut, cases, enables):
    """``totals`` after every case in turn; a case is taken in each enabled cycle."""
    stimulus, at = [], 0
    blank = (0, [0] * dut.rows, 0)
    line = [*cases, *[blank] * dut.LATENCY]
    for enable in enables:
        signs, weights, _ = line[at]
        offset = line[at - dut.LATENCY + 1][2] if at >= dut.LATENCY - 1 else 0
        pairs = [(signs >> a ^ signs >> b) & 1 for a, b in dut.pairs]
        together = sum(bit << index for index, bit in enumerate(pairs))
        stimulus.append((enable, signs, together, weights, offset))
        at += enable
    inputs = [dut.enable, dut.signs, dut.pair_signs, dut.weights, dut.offset]
    rows = zip(play(dut, inputs, stimulus, [dut.totals]), enables, strict=True)
    return [totals for (totals,), enable in rows if enable][dut.LATENCY :]


def check(dut, cases, enables):
    want = [dut.twin(*case, dut.columns, dut.width) for case in cases]
    assert played(dut, cases, enables) == want


@pytest.mark.parametrize(("rows", "columns", "width"), SHAPES)
@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_random_with_pauses(rows, columns, width, idle):
    rng = random.Random(rows)
    dut = MatchCounter(rows=rows, columns=columns, width=width)
    cases = [activation(dut, rng) for _ in range(60)]
    enables = []
    while sum(enables) < len(cases) + dut.LATENCY:
        enables.append(int(rng.random() >= idle))
    check(dut, cases, enables)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
def test_every_sign_and_weight(rows):
    dut = MatchCounter(rows=rows, columns=1, width=3)
    lines = range(1 << rows)
    cases = [
        (signs, [weights >> row & 1 for row in range(rows)], 0)
        for signs, weights in product(lines, lines)
    ]
    check(dut, cases, [1] * (len(cases) + dut.LATENCY))


def test_an_offset_of_the_cycle_before_is_seen():
    """The offset belongs to the rows of three enabled cycles ago, and to no others."""
    dut = MatchCounter(rows=3, columns=1, width=4)
    cases = [(7, [1, 1, 1], offset) for offset in (0, 1, 2, -8, 7)]
    assert played(dut, cases, [1] * (len(cases) + 4)) == [[3], [4], [5], [-5], [-6]]


@pytest.mark.parametrize("rows", range(1, 30))
def test_chains_take_every_row_once(rows):
    found = [row for first, pairs in chains(rows) for row in (first, *sum(pairs, ()))]
    assert sorted(found) == list(range(rows))


class Adder(wiring.Component):
    """Sum of single bits with given weights, through a heap compressed to ``height``."""

    def __init__(self, heights, height, width):
        self.heights, self.goal, self.width = heights, height, width
        super().__init__({"bits": In(sum(heights)), "total": Out(width)})

    def elaborate(self, platform):
        m = Module()
        heap, place = BitHeap(m, name="heap", columns=1), 0
        for weight, bits in enumerate(self.heights):
            for _ in range(bits):
                heap[weight].append(Signal.like(self.bits[place : place + 1]))
                m.d.comb += heap[weight][-1].eq(self.bits[place])
                place += 1
        heap.compress(self.goal)
        self.reached = heap.height
        m.d.sync += self.total.eq(heap.total(0, self.width))
        return m


@pytest.mark.parametrize("goal", [2, 3])
@pytest.mark.parametrize(
    "heights", [[9], [3, 3, 3], [1, 8], [0, 0, 5], [4, 1, 4], [2, 2, 2, 2], [5, 3, 2]]
)
def test_a_compressed_heap_keeps_its_sum(heights, goal):
    width = 6
    adder = Adder(heights, goal, width)
    weights = [weight for weight, bits in enumerate(heights) for _ in range(bits)]
    values = range(1 << len(weights))
    seen = play(adder, [adder.bits], [(value,) for value in [*values, 0]], [adder.total])
    want = [sum((value >> i & 1) << w for i, w in enumerate(weights)) % 64 for value in values]
    assert [total for (total,) in seen[1:]] == want
    assert adder.reached <= goal


@pytest.mark.parametrize("goal", [2, 3])
def test_every_heap_of_a_counter_gets_low(goal):
    for rows in range(1, 129):
        pairs = sum(len(further) for _, further in chains(rows))
        heights = [len(chains(rows)), pairs]
        adder = Adder(heights, goal, 8)
        adder.elaborate(None)
        assert adder.reached <= goal
