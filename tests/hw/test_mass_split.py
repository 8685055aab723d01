# SPDX-License-Identifier: Apache-2.0
"""Mass split: the twin for every layer and cutoff, and exactly when it is done."""

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop.walk import MASS
from scaledrop_hw.mass_split import MassSplit


def test_wrong_parameters():
    message = "number of layers must be an integer from 1 to 1024, not 0"
    assert refusal(MassSplit, {"layers": 2}, {"layers": 0}) == message


def test_parameters_read_back():
    assert MassSplit(layers=7).layers == 7


def split(codes, cases, wait=0):
    """Runs (layer, weight, cutoff) one after another; (done, kept, dropped) of every cycle."""
    dut = MassSplit(layers=len(codes))
    inputs = [dut.start, dut.layer, dut.weight, dut.cutoff, dut.code]
    stimulus = []
    for layer, weight, cutoff in cases:
        stimulus.append([1, layer, weight, cutoff, 12345])
        for at in range(layer, len(codes)):
            stimulus += [[0, 0, 0, 5, codes[at]], [0, 0, 0, 5, 54321]]
        stimulus += [[0, 0, 0, cutoff, 11111]] * (1 + wait)
    return play(dut, inputs, stimulus, [dut.done, dut.kept, dut.dropped, dut.asked]), stimulus


def check(codes, cases, wait=0):
    """The codes are there only in the cycle in which they are multiplied."""
    rows, stimulus = split(codes, cases, wait)
    starts = [cycle for cycle, row in enumerate(stimulus) if row[0]]
    for start, (layer, weight, cutoff) in zip(starts, cases, strict=True):
        length = 2 * (len(codes) - layer) + 1
        assert [row[0] for row in rows[start + 1 : start + length]] == [0] * (length - 1)
        for row in rows[start + length : start + length + 1 + wait]:
            assert (row[0], *row[1:3]) == (1, *MassSplit.twin(codes, layer, weight, cutoff))
        asked = [row[3] for row in rows[start + 1 : start + length : 2]]
        assert asked == list(range(layer, len(codes)))


@pytest.mark.parametrize("layers", [1, 2, 3, 6])
@pytest.mark.parametrize("wait", [0, 2])
def test_random_masses_against_the_twin(layers, wait):
    rng = np.random.default_rng(layers)
    for kinds in ([0, 1, 32767, 32768, 32769, 65535], rng.integers(0, 65536, 6).tolist()):
        codes = [int(code) for code in rng.choice(kinds, layers)]
        cases = []
        for _ in range(60):
            layer = int(rng.integers(layers))
            weight = int(rng.choice([MASS, 1, 2, 3, int(rng.integers(1, MASS))]))
            low = int(rng.integers(weight + 1) >> int(rng.integers(8)))
            cases.append((layer, weight, int(rng.choice([0, 1, low, 2 * MASS - 1]))))
        check(codes, cases, wait)


def test_the_cutoff_is_the_least_leaf_that_stays_and_a_tie_prunes_the_dropped_side():
    codes, weight = [20000, 32768, 50000], 1 << 20
    kept, dropped = weight - (weight * 20000 >> 16), weight * 20000 >> 16
    half = dropped - (dropped >> 1)
    leaf = half * 50000 >> 16
    assert MassSplit.twin(codes, 0, weight, leaf) == (kept, dropped)
    assert MassSplit.twin(codes, 0, weight, leaf + 1) == (kept, 0)
    assert MassSplit.twin(codes, 1, 8, 9) == (4, 0)
    assert MassSplit.twin(codes, 2, 8, 9) == (0, 6)
    check(codes, [(0, weight, leaf), (0, weight, leaf + 1), (1, 8, 9), (2, 8, 9)])


def test_a_start_gives_up_the_split_before_it():
    dut = MassSplit(layers=3)
    inputs = [dut.start, dut.layer, dut.weight, dut.code]
    for gap in range(6):
        stimulus = [[1, 0, 999, 7], *[[0, 0, 0, 7]] * gap, [1, 2, MASS, 7], *[[0, 0, 0, 500]] * 4]
        rows = play(dut, inputs, stimulus, [dut.done, dut.kept, dut.dropped])
        assert [row[0] for row in rows[gap + 2 :]] == [0, 0, 1, 1]
        assert tuple(rows[-1][1:]) == MassSplit.twin([7, 7, 500], 2, MASS, 0)


def test_not_done_after_reset():
    dut = MassSplit(layers=2)
    inputs = [dut.start, dut.layer, dut.weight, dut.code]
    for length in range(1, 7):
        stimulus = [[1, 0, MASS, 99], *[[0, 0, 0, 99]] * length]
        first, after = play_then_reset(dut, inputs, stimulus, [dut.done])
        assert first == after == [[0], [0]]
