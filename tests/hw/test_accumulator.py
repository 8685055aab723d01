# SPDX-License-Identifier: Apache-2.0
"""Accumulator-adder: every single step, then whole layers up to the bound of their sums."""

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop.numbers import signed_width, sum_bound
from scaledrop_hw.accumulator import AccumulatorAdder

GOOD = {"columns": 2, "partial_width": 4, "plane_width": 6, "sum_width": 8}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"columns": 0}, "columns must be an integer from 1 to 1024, not 0"),
        ({"partial_width": 1}, "partial_width must be an integer from 2 to 62, not 1"),
        ({"plane_width": 3}, "plane_width must be an integer from 4 to 62, not 3"),
        ({"sum_width": 5}, "sum_width must be an integer from 6 to 62, not 5"),
        ({"sum_width": 63}, "sum_width must be an integer from 6 to 62, not 63"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(AccumulatorAdder, GOOD, wrong) == message


def test_parameters_read_back():
    adder = AccumulatorAdder(**GOOD)
    assert {name: getattr(adder, name) for name in GOOD} == GOOD


def ports(dut):
    return [dut.enable, dut.ends_plane, dut.last, dut.partials]


def totals(dut, stimulus):
    """``totals`` after each cycle; a row is enable, ends_plane, last and one partial per column."""
    idle = (0, 1, 1, [1] * dut.columns)
    return [row[0] for row in play(dut, ports(dut), [*stimulus, idle], [dut.totals])][1:]


def test_every_step_that_does_not_overflow():
    """After one plane of any value and one row tile of any value, any step of any kind."""
    width = 4
    values = range(-(1 << width - 1), 1 << width - 1)
    kinds = [(0, 0), (1, 0), (1, 1), (0, 1)]
    begun = [(0, 0, value) for value in values], [(1, 0, value) for value in values]
    cases = [
        ([(1, 0, plane), before], (*kind, partial))
        for plane in values
        for before in (begun[0][plane], begun[1][3])
        for kind in kinds
        for partial in values
    ]
    dut = AccumulatorAdder(
        columns=1, partial_width=width, plane_width=width + 1, sum_width=width + 4
    )
    stimulus, expected = [], []
    for before, step in cases:
        for taken in (before[:1], before, [*before, step], [*before, step, (1, 1, 1)]):
            ends_plane, last, partial = taken[-1]
            want = [dut.twin(taken)]
            stimulus += [(1, ends_plane, last, [partial]), (0, 1, 1, [partial])]
            expected += [want, want]
            if last:
                break
    assert totals(dut, stimulus) == expected
    assert len(cases) == 2048


def layer_steps(planes, row_tiles):
    """(ends_plane, last) of every step of one column tile."""
    return [
        (int(row == row_tiles - 1), int((plane, row) == (planes - 1, row_tiles - 1)))
        for plane in range(planes)
        for row in range(row_tiles)
    ]


def fitting(columns, rows, row_tiles, planes):
    """The adder of a layer, with the widths that its docstring promises to be enough."""
    partial_width = rows.bit_length() + 1
    plane_width = max(signed_width(rows * row_tiles), partial_width)
    sum_width = max(signed_width(sum_bound(rows * row_tiles, planes)), plane_width)
    return AccumulatorAdder(
        columns=columns,
        partial_width=partial_width,
        plane_width=plane_width,
        sum_width=sum_width,
    )


@pytest.mark.parametrize(("rows", "row_tiles", "planes"), [(3, 4, 1), (5, 3, 8), (16, 1, 4)])
@pytest.mark.parametrize("idle", [0.0, 0.4])
def test_random_layers(rows, row_tiles, planes, idle):
    rng = np.random.default_rng(rows)
    columns = 3
    dut = fitting(columns, rows, row_tiles, planes)
    stimulus, expected = [], []
    for _ in range(20):
        taken = []
        for ends_plane, last in layer_steps(planes, row_tiles):
            partials = rng.integers(-rows, rows + 1, columns).tolist()
            while rng.random() < idle:
                noise = rng.integers(0, 2, 2).tolist()
                stimulus.append((0, *noise, rng.integers(-rows, rows + 1, columns).tolist()))
                expected.append(None)
            taken.append((ends_plane, last, partials))
            stimulus.append((1, ends_plane, last, partials))
            expected.append(
                [dut.twin([(e, s, p[column]) for e, s, p in taken]) for column in range(columns)]
            )
    seen = totals(dut, stimulus)
    assert all(want is None or got == want for got, want in zip(seen, expected, strict=True))


@pytest.mark.parametrize(
    ("rows", "row_tiles", "planes"), [(1, 1, 1), (4, 1, 8), (7, 5, 4), (64, 13, 8), (1, 3, 16)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_bound_is_reached_in_the_promised_width(rows, row_tiles, planes, sign):
    dut = fitting(1, rows, row_tiles, planes)
    steps = layer_steps(planes, row_tiles)
    seen = totals(dut, [(1, *kind, [sign * rows]) for kind in steps])
    assert seen[-1] == [sign * sum_bound(rows * row_tiles, planes)]


@pytest.mark.parametrize("short", ["plane_width", "sum_width"])
def test_one_bit_less_is_seen(short):
    """The promised widths are not generous: a bit less loses the bound."""
    rows, row_tiles, planes = 4, 4, 2
    widths = {"partial_width": 4, "plane_width": 6, "sum_width": 7}
    widths[short] -= 1
    dut = AccumulatorAdder(columns=1, **widths)
    steps = layer_steps(planes, row_tiles)
    assert totals(dut, [(1, *kind, [rows]) for kind in steps])[-1] != [sum_bound(16, planes)]


@pytest.mark.parametrize("sum_width", [6, 8])
def test_reset_starts_anew(sum_width):
    """A sum of two planes, or of one where the widths leave no room for an earlier one."""
    dut = AccumulatorAdder(**{**GOOD, "sum_width": sum_width})
    inputs = [dut.enable, dut.ends_plane, dut.last, dut.partials.as_value()]
    steps = [(1, int(sum_width > 6), 0, 0x35), (1, 0, 0, 0x12)]
    before, after = play_then_reset(dut, inputs, steps, [dut.totals])
    assert before == after == [[[0, 0]]] * 2
