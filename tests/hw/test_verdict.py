# SPDX-License-Identifier: Apache-2.0
"""Verdict: every small ranking under every limit; pauses, ties, the cycle of sampling."""

from itertools import product

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop_hw.verdict import Verdict

GOOD = {"classes": 3, "sum_width": 5, "votes_width": 4}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"classes": 0}, "classes must be an integer from 1 to 65536, not 0"),
        ({"sum_width": 1}, "sum_width must be an integer from 2 to 94, not 1"),
        ({"votes_width": 33}, "votes_width must be an integer from 1 to 32, not 33"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Verdict, GOOD, wrong) == message


def test_parameters_read_back():
    dut = Verdict(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


def images_of(dut, cases, noise=lambda: (0, 0, 0), pauses=lambda: 0):
    """Rows of (valid, label, sum, votes, min_votes, min_margin) and where ``judging`` is due.

    A case is (sums, votes of the predicted, min_votes, min_margin); outside the cycle of sampling
    the last three are ``noise``.
    """
    rows, due = [], []
    for sums, votes, min_votes, min_margin in cases:
        for label, value in enumerate(sums):
            rows += [(0, 0, 0, *noise())] * pauses()
            rows.append((1, label, value, *noise()))
        rows += [(0, 0, 0, *noise()) for _ in range(dut.LATENCY - 2)]
        due.append(len(rows))
        rows.append((0, 0, 0, votes, min_votes, min_margin))
    return [*rows, (0, 0, 0, 0, 0, 0)], due


def check(dut, cases, **disturbance):
    """Play the cases one right after the other and hold every cycle against the twin."""
    stimulus, due = images_of(dut, cases, **disturbance)
    inputs = [dut.valid, dut.label, dut.sum, dut.votes, dut.min_votes, dut.min_margin]
    rows = play(dut, inputs, stimulus, [dut.judging, dut.predicted, dut.abstain])
    assert [now for now, row in enumerate(rows) if row[0]] == due
    for now, (sums, votes, min_votes, min_margin) in zip(due, cases, strict=True):
        predicted, abstain = dut.twin(sums, [votes] * len(sums), min_votes, min_margin)
        assert (rows[now][1], rows[now + 1][2]) == (predicted, abstain)


@pytest.mark.parametrize(("classes", "width"), [(1, 3), (2, 3), (3, 2), (4, 2)])
def test_every_ranking_and_margin(classes, width):
    values = range(-(1 << width - 1), 1 << width - 1)
    cases = [
        (list(sums), 0, 0, margin)
        for sums in product(values, repeat=classes)
        for margin in range(1 << width)
    ]
    check(Verdict(classes=classes, sum_width=width, votes_width=1), cases)


def test_every_count_of_votes():
    cases = [([0, 5, 1], votes, limit, 0) for votes, limit in product(range(16), repeat=2)]
    check(Verdict(**GOOD), cases)


@pytest.mark.parametrize("classes", [1, 2, 7, 12])
def test_random_images_with_pauses_and_other_limits_outside_the_sampling(classes):
    rng = np.random.default_rng(classes)
    dut = Verdict(classes=classes, sum_width=8, votes_width=3)
    cases = []
    for _ in range(150):
        sums = rng.integers(-8, 8, classes) * int(rng.choice([1, 16]))
        cases.append((sums.tolist(), *rng.integers(0, 8, 2).tolist(), int(rng.integers(0, 12))))

    def noise():
        return (*rng.integers(0, 8, 2).tolist(), int(rng.integers(0, 256)))

    check(dut, cases, noise=noise, pauses=lambda: int(rng.integers(0, 3)))


def test_the_widest_margin():
    dut = Verdict(classes=2, sum_width=94, votes_width=32)
    low, high = -(1 << 93), (1 << 93) - 1
    cases = [([low, high], 0, 0, (1 << 94) - 1), ([high, low], 0, 0, (1 << 94) - 1)]
    check(dut, [*cases, ([high, low], (1 << 32) - 2, (1 << 32) - 1, 0), ([low, low], 0, 0, 1)])


def test_twin_by_hand():
    assert Verdict.twin([3, 5, 5], [9, 2, 4]) == (1, 0)
    assert Verdict.twin([3, 5, 5], [9, 2, 4], min_margin=1) == (1, 1)
    assert Verdict.twin([3, 5, 1], [9, 2, 4], min_margin=2) == (1, 0)
    assert Verdict.twin([3, 5, 1], [9, 2, 4], min_margin=3) == (1, 1)
    assert Verdict.twin([3, 5, 1], [9, 2, 4], min_votes=2) == (1, 0)
    assert Verdict.twin([3, 5, 1], [9, 2, 4], min_votes=3) == (1, 1)
    assert Verdict.twin([-7], [2], min_votes=2, min_margin=99) == (0, 0)


def test_nothing_is_judged_after_reset():
    dut = Verdict(classes=1, sum_width=4, votes_width=2)
    stimulus = [[1, 3]] * 3
    first, after = play_then_reset(dut, [dut.valid, dut.sum], stimulus, [dut.judging, dut.abstain])
    assert first == after == [[0, 0]] * 2
