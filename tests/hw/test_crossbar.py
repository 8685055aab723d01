# SPDX-License-Identifier: Apache-2.0
"""Crossbar tile and its cells: exhaustive when small, random with pauses when larger."""

from itertools import product

import numpy as np
import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.crossbar import CellArray, CrossbarTile

GOOD = {"rows": 4, "columns": 2}


@pytest.mark.parametrize(("component", "more"), [(CellArray, {}), (CrossbarTile, {"init": [0]})])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be an integer from 1 to 1024, not 0"),
        ({"rows": 1025}, "rows must be an integer from 1 to 1024, not 1025"),
        ({"rows": True}, "rows must be an integer from 1 to 1024, not True"),
        ({"columns": 2.0}, "columns must be an integer from 1 to 1024, not 2.0"),
        ({"columns": -1}, "columns must be an integer from 1 to 1024, not -1"),
    ],
)
def test_wrong_parameters(component, more, wrong, message):
    assert refusal(component, {**GOOD, **more}, wrong) == message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"init": []}, "number of tiles must be an integer from 1 to 1048576, not 0"),
        ({"init": [256]}, "tile[0] must be an integer from 0 to 255, not 256"),
    ],
)
def test_wrong_tiles(wrong, message):
    assert refusal(CrossbarTile, {**GOOD, "init": [0]}, wrong) == message


def test_parameters_read_back():
    tile = CrossbarTile(rows=4, columns=2, init=[1, 2, 3])
    assert (tile.rows, tile.columns, tile.tiles) == (4, 2, 3)
    array = CellArray(rows=4, columns=2)
    assert (array.rows, array.columns) == (4, 2)
    assert CrossbarTile.LATENCY == CellArray.LATENCY == 6


def expected(dut, words, stimulus):
    """Outputs per cycle once LATENCY enabled cycles have passed, None before."""
    stages, outputs = [None] * dut.LATENCY, []
    for enable, start, tile, drive, sign in stimulus:
        outputs.append(stages[-1])
        if enable:
            driven = drive * start
            partials = dut.twin(words[tile], driven, sign, dut.rows, dut.columns)
            stages = [[partials, driven.bit_count()], *stages[:-1]]
    return outputs


def seen_and_expected(rows, columns, words, stimulus):
    """Outputs of the cycles in which something is expected."""
    dut = CrossbarTile(rows=rows, columns=columns, init=words)
    inputs = [dut.enable, dut.start, dut.tile, dut.drive, dut.sign]
    stimulus = [*stimulus, *[(1, 0, 0, 0, 0)] * dut.LATENCY]
    seen = play(dut, inputs, stimulus, [dut.partials, dut.driven])
    pairs = list(zip(seen, expected(dut, words, stimulus), strict=True))
    return [(got, want) for got, want in pairs if want is not None]


def check(rows, columns, words, stimulus):
    compared = seen_and_expected(rows, columns, words, stimulus)
    assert len(compared) >= sum(row[0] for row in stimulus)
    assert all(got == want for got, want in compared)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 4), (2, 2), (3, 2), (4, 1)])
def test_every_weight_drive_and_sign(rows, columns):
    words, lines = range(1 << rows * columns), range(1 << rows)
    check(rows, columns, list(words), [(1, 1, *case) for case in product(words, lines, lines)])


@pytest.mark.parametrize(("rows", "columns", "tiles"), [(33, 5, 7), (7, 3, 1), (64, 2, 3)])
@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_random_with_pauses(rows, columns, tiles, idle):
    rng = np.random.default_rng(rows)
    words = [int.from_bytes(rng.bytes(64)) % (1 << rows * columns) for _ in range(tiles)]

    def lines():
        return int.from_bytes(rng.bytes(16)) % (1 << rows)

    stimulus = [
        (*(int(rng.random() >= idle) for _ in "es"), int(rng.integers(tiles)), lines(), lines())
        for _ in range(300)
    ]
    check(rows, columns, words, stimulus)


@pytest.mark.parametrize("rows", [16, 63, 64])
def test_extreme_partials(rows):
    full = (1 << rows) - 1
    lines = [(full, full), (full, 0), (0, full), (0, 0)]
    compared = seen_and_expected(rows, 1, [full], [(1, 1, 0, *pair) for pair in lines])
    assert [got for got, _ in compared[:4]] == [[[rows], rows], [[-rows], rows], [[0], 0], [[0], 0]]


def test_outputs_hold_while_disabled():
    on, off = (1, 1, 0, 15, 15), (0, 1, 1, 15, 0)
    stimulus = [on, *[(1, 0, 0, 0, 0)] * (CrossbarTile.LATENCY - 1), off, off, off]
    dut = CrossbarTile(rows=4, columns=1, init=[15, 0])
    inputs = [dut.enable, dut.start, dut.tile, dut.drive, dut.sign]
    seen = play(dut, inputs, stimulus, [dut.partials, dut.driven])
    assert seen[-3:] == [[[4], 4]] * 3
