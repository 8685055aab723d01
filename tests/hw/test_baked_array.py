# SPDX-License-Identifier: Apache-2.0
"""Tile with weights in its logic: every weight, drive and sign when small, random when larger."""

import random
from itertools import product

import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.baked_array import LINES, BakedArray
from scaledrop_hw.crossbar import CellArray

GOOD = {"rows": 4, "columns": 2, "word": 0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be an integer from 1 to 1024, not 0"),
        ({"columns": 1025}, "columns must be an integer from 1 to 1024, not 1025"),
        ({"word": 256}, "word must be an integer from 0 to 255, not 256"),
        ({"word": -1}, "word must be an integer from 0 to 255, not -1"),
        ({"lines": "bits"}, "lines must be one of signs, planes, any, not 'bits'"),
        ({"lines": None}, "lines must be one of signs, planes, any, not None"),
        ({"mask": 0}, "mask must be an integer from 1 to 15, not 0"),
        ({"mask": 16}, "mask must be an integer from 1 to 15, not 16"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(BakedArray, GOOD, wrong) == message


def test_parameters_read_back():
    given = {**GOOD, "word": 77, "lines": "planes", "mask": 5}
    array = BakedArray(**given)
    assert {name: getattr(array, name) for name in given} == given
    assert (BakedArray(**GOOD).lines, BakedArray(**GOOD).mask) == ("any", 15)


def test_the_ports_are_those_of_an_array_without_the_word():
    def ports(component):
        return {name: member.shape for name, member in component.signature.members.items()}

    array = ports(CellArray(rows=9, columns=3))
    del array["word"]
    assert ports(BakedArray(rows=9, columns=3, word=0)) == array
    assert BakedArray.LATENCY == CellArray.LATENCY


def played(dut, stimulus):
    """Outputs that are expected of some activation, with what is expected."""
    stimulus = [*stimulus, *[(1, 0, 0, 0)] * dut.LATENCY]
    inputs = [dut.enable, dut.start, dut.drive, dut.sign]
    seen = play(dut, inputs, stimulus, [dut.partials, dut.driven])
    stages, pairs = [None] * dut.LATENCY, []
    for (enable, start, drive, sign), got in zip(stimulus, seen, strict=True):
        pairs.append((got, stages[-1]))
        if enable:
            driven = drive * start
            partials = dut.twin(dut.word, driven, sign, dut.rows, dut.columns)
            stages = [[partials, driven.bit_count()], *stages[:-1]]
    return [(got, want) for got, want in pairs if want is not None]


def check(dut, stimulus):
    compared = played(dut, stimulus)
    assert len(compared) >= sum(row[0] for row in stimulus)
    assert all(got == want for got, want in compared)


def fitting(lines, mask, drive, sign):
    """An activation made to be of the kind that ``lines`` promises."""
    driven = drive & mask
    if lines == "signs":
        driven = mask if driven else 0
    return driven, sign | driven if lines == "planes" else sign


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_every_weight_drive_and_sign(rows, lines):
    """A column for every pattern of weights."""
    columns, cases = 1 << rows, range(1 << rows)
    word = sum(pattern << pattern * rows for pattern in cases)
    for mask in {columns - 1, columns - 1 & 5, 1}:
        dut = BakedArray(rows=rows, columns=columns, word=word, lines=lines, mask=mask)
        check(dut, [(1, 1, *fitting(lines, mask, *case)) for case in product(cases, cases)])


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.parametrize(("rows", "columns", "unused"), [(7, 3, 0), (33, 4, 5), (64, 2, 0)])
def test_random_with_pauses(rows, columns, unused, lines):
    rng = random.Random(rows)
    word, mask = rng.getrandbits(rows * columns), (1 << rows - unused) - 1
    dut = BakedArray(rows=rows, columns=columns, word=word, lines=lines, mask=mask)
    stimulus = []
    for _ in range(200):
        drive = rng.choice([0, mask, rng.getrandbits(rows), rng.getrandbits(rows)])
        case = fitting(lines, mask, drive, rng.getrandbits(rows))
        stimulus.append((rng.getrandbits(1), int(rng.random() < 0.8), *case))
    check(dut, stimulus)


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.parametrize("rows", [16, 63, 64])
def test_extreme_partials(rows, lines):
    full = (1 << rows) - 1
    dut = BakedArray(rows=rows, columns=2, word=full, lines=lines)
    compared = played(dut, [(1, 1, full, full), (1, 1, 0, full), (1, 0, full, full)])
    nothing = [[0, 0], 0]
    assert [got for got, _ in compared[:3]] == [[[rows, -rows], rows], nothing, nothing]


def test_what_was_promised_is_relied_on():
    """A driven row of sign 0 is no plane, and some rows of many no signs."""
    for lines, case in (("planes", (15, 0)), ("signs", (1, 15))):
        dut = BakedArray(rows=4, columns=2, word=0x57, lines=lines)
        assert any(got != want for got, want in played(dut, [(1, 1, *case)]))
