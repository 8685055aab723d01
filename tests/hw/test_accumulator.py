# SPDX-License-Identifier: Apache-2.0
"""Accumulator-adder: every single step, then whole layers up to the bound of their sums."""

import numpy as np
import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop.numbers import signed_width, sum_bound
from scaledrop_hw.accumulator import AccumulatorAdder

GOOD = {"columns": 2, "partial_width": 4, "sum_width": 8}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"columns": 0}, "columns must be an integer from 1 to 1024, not 0"),
        ({"partial_width": 1}, "partial_width must be an integer from 2 to 62, not 1"),
        ({"sum_width": 3}, "sum_width must be an integer from 4 to 62, not 3"),
        ({"sum_width": 63}, "sum_width must be an integer from 4 to 62, not 63"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(AccumulatorAdder, GOOD, wrong) == message


def test_parameters_read_back():
    adder = AccumulatorAdder(**GOOD)
    assert {name: getattr(adder, name) for name in GOOD} == GOOD


def totals(dut, stimulus):
    """``totals`` of each cycle; a row is enable, first, double and one partial per column."""
    inputs = [dut.enable, dut.first, dut.double, dut.partials]
    return [row[0] for row in play(dut, inputs, stimulus, [dut.totals])]


def test_every_step_that_does_not_overflow():
    width = 5
    values = range(-(1 << width - 1), 1 << width - 1)
    cases = [
        (kept, first, double, partial)
        for kept in values
        for first in (0, 1)
        for double in (0, 1)
        for partial in values
        if AccumulatorAdder.twin([(1, 0, kept), (first, double, partial)]) in values
    ]
    stimulus = []
    for kept, first, double, partial in cases:
        stimulus += [
            (1, 1, 0, [kept]),
            (0, first, double, [partial]),
            (1, first, double, [partial]),
        ]
    seen = totals(AccumulatorAdder(columns=1, partial_width=width, sum_width=width), stimulus)
    for index, (kept, first, double, partial) in enumerate(cases):
        want = AccumulatorAdder.twin([(1, 0, kept), (first, double, partial)])
        assert seen[3 * index : 3 * index + 3] == [[kept], [want], [want]]
    assert len(cases) > 2000


def layer_steps(planes, row_tiles):
    """(first, double) of every step of one column tile."""
    return [
        (int(plane == 0 and row == 0), int(plane > 0 and row == 0))
        for plane in range(planes)
        for row in range(row_tiles)
    ]


@pytest.mark.parametrize(("rows", "row_tiles", "planes"), [(3, 4, 1), (5, 3, 8), (16, 1, 4)])
@pytest.mark.parametrize("idle", [0.0, 0.4])
def test_random_layers(rows, row_tiles, planes, idle):
    rng = np.random.default_rng(rows)
    columns = 3
    width = signed_width(sum_bound(rows * row_tiles, planes))
    dut = AccumulatorAdder(columns=columns, partial_width=rows.bit_length() + 1, sum_width=width)
    stimulus, expected = [], []
    for _ in range(20):
        taken = []
        for first, double in layer_steps(planes, row_tiles):
            partials = rng.integers(-rows, rows + 1, columns).tolist()
            while rng.random() < idle:
                noise = rng.integers(0, 2, 2).tolist()
                stimulus.append((0, *noise, rng.integers(-rows, rows + 1, columns).tolist()))
                expected.append(None)
            taken.append((first, double, partials))
            stimulus.append((1, first, double, partials))
            expected.append(
                [dut.twin([(f, d, p[column]) for f, d, p in taken]) for column in range(columns)]
            )
    seen = totals(dut, stimulus)
    assert all(want is None or got == want for got, want in zip(seen, expected, strict=True))


@pytest.mark.parametrize(
    ("rows", "row_tiles", "planes"), [(1, 1, 1), (4, 1, 8), (7, 5, 4), (64, 13, 8), (1, 3, 16)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_bound_is_reached_in_the_promised_width(rows, row_tiles, planes, sign):
    bound = sum_bound(rows * row_tiles, planes)
    width = max(1 + bound.bit_length(), rows.bit_length() + 1)
    dut = AccumulatorAdder(columns=1, partial_width=rows.bit_length() + 1, sum_width=width)
    steps = layer_steps(planes, row_tiles)
    seen = totals(dut, [(1, first, double, [sign * rows]) for first, double in steps])
    assert seen[-1] == [sign * bound]


def test_sum_is_zero_after_reset():
    dut = AccumulatorAdder(**GOOD)
    assert totals(dut, [(0, 0, 0, [0, 0]), (1, 0, 1, [3, -4])]) == [[0, 0], [3, -4]]
