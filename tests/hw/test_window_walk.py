# SPDX-License-Identifier: Apache-2.0
"""Window walk: the columns, their addresses and their memories, against the twin."""

from itertools import product

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop.nodes import Window
from scaledrop_hw.window_walk import WindowWalk

GOOD = {"height": 4, "width": 5, "window": Window(3)}
SHAPES = [
    (height, width, Window(size, stride, padding))
    for (height, width), size, stride in product(
        [(1, 1), (3, 8), (7, 4), (6, 6)], range(1, 6), range(1, 5)
    )
    for padding in range(size)
    if min(height, width) + 2 * padding >= size
]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"height": 0}, "height must be an integer from 1 to 1024, not 0"),
        ({"width": 1025}, "width must be an integer from 1 to 1024, not 1025"),
        ({"window": 3}, "window must be a scaledrop.nodes.Window, not 3"),
        ({"height": 2}, "window of size 3 must fit a map of 2 x 5"),
        ({"width": 2}, "window of size 3 must fit a map of 4 x 2"),
    ],
)
def test_wrong_walk_parameters(wrong, message):
    assert refusal(WindowWalk, GOOD, wrong) == message


def test_parameters_read_back():
    dut = WindowWalk(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD
    assert dut.bank_depth == 10


def test_twin_names_columns_once_and_leaves_gaps_out():
    overlapping = WindowWalk.twin(3, 4, Window(3, 1, 1))
    assert [x for _, x, _ in overlapping] == [-1, 0, 1, 2, 3, 4] * 3
    assert [completes for *_, completes in overlapping[:6]] == [0, 0, 1, 1, 1, 1]
    assert [y for y, *_ in overlapping[::6]] == [-1, 0, 1]
    apart = WindowWalk.twin(2, 8, Window(2, 3))
    assert apart == [(0, 0, 0), (0, 1, 1), (0, 3, 0), (0, 4, 1), (0, 6, 0), (0, 7, 1)]


def addressed(dut, bank, y, x):
    """{memory: address} of a column's cells that lie inside the map, and which cells these are."""
    size = dut.window.size
    cells = range(y, y + size)
    inside = [row for row in cells if 0 <= row < dut.height and 0 <= x < dut.width]
    places = {row % size: bank * dut.bank_depth + row // size * dut.width + x for row in inside}
    return places, sum(1 << row - y for row in inside)


def check(dut, column, bank, expected):
    """Compare one column with (y, x, completes) of the twin."""
    y, x, completes = expected
    places, inside = addressed(dut, bank, y, x)
    assert (column["inside"], column["completes"]) == (inside, completes)
    assert column["memories"] == sum(1 << memory for memory in places)
    assert column["phase"] == y % dut.window.size
    for memory, address in places.items():
        assert column["lower" if memory < column["phase"] else "upper"] == address


def test_every_column_of_many_shapes():
    for index, (height, width, window) in enumerate(SHAPES):
        bank = index % 2
        dut = WindowWalk(height=height, width=width, window=window)
        columns = dut.twin(height, width, window)
        stimulus = [(1, bank, 0)] + [(0, 1 - bank, 1)] * len(columns) + [(0, 0, 0)]
        rows = play(dut, [dut.start, dut.bank, dut.fetch], stimulus, [dut.valid, dut.column])
        assert [valid for valid, _ in rows] == [0] + [1] * len(columns) + [0]
        for (_, column), expected in zip(rows[1:-1], columns, strict=True):
            check(dut, column, bank, expected)


@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_random_fetches_and_starts(rate):
    rng = np.random.default_rng(1)
    dut = WindowWalk(height=5, width=4, window=Window(3, 2, 1))
    columns = dut.twin(5, 4, dut.window)
    stimulus, expected, left, bank = [], [], [], 0
    for _ in range(1500):
        start, to = int(rng.random() < rate), int(rng.integers(2))
        fetch = int(bool(left) and rng.random() < 0.7)
        stimulus.append((start, to, fetch))
        expected.append((bank, left[0]) if left else None)
        left = left[fetch:]
        if start:
            left, bank = columns, to
    rows = play(dut, [dut.start, dut.bank, dut.fetch], stimulus, [dut.valid, dut.column])
    for (valid, column), want in zip(rows, expected, strict=True):
        assert valid == (want is not None)
        if want:
            check(dut, column, *want)


def test_idle_after_reset():
    dut = WindowWalk(height=3, width=3, window=Window(2))
    stimulus = [(1, 1, 0), (0, 0, 1), (0, 0, 1)]
    inputs = [dut.start, dut.bank, dut.fetch]
    first, after = play_then_reset(dut, inputs, stimulus, [dut.valid])
    assert first == after == [[0]] * 2
