# SPDX-License-Identifier: Apache-2.0
"""Risk against coverage, against loops over the inputs and over the orders of ties."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.metrics import risk_coverage


def test_without_ties_it_is_the_running_error_rate() -> None:
    random = np.random.default_rng(0)
    score, wrong = random.permutation(200) / 7, random.random(200) < 0.3
    got, ordered = risk_coverage(score, wrong), wrong[np.argsort(score)]
    best = np.sort(wrong)
    for k in range(1, 201):
        assert got.coverage[k - 1] == k / 200
        assert got.risk[k - 1] == pytest.approx(ordered[:k].mean(), abs=1e-14)
        assert got.optimal[k - 1] == pytest.approx(best[:k].mean(), abs=1e-14)
    assert got.aurc == pytest.approx(got.risk.mean())
    assert got.e_aurc == pytest.approx(got.aurc - got.optimal.mean()) and got.e_aurc > 0


def test_ties_are_the_mean_over_all_their_orders() -> None:
    score, wrong = np.array([2, 1, 2, 0, 2, 1]), np.array([1, 0, 0, 0, 1, 1], bool)
    runs = []
    for order in permutations(range(6)):
        rows = np.array(order)
        ordered = wrong[rows[np.argsort(score[rows], kind="stable")]]
        runs.append(np.cumsum(ordered) / np.arange(1, 7))
        np.testing.assert_array_equal(
            risk_coverage(score[rows], wrong[rows]).risk, risk_coverage(score, wrong).risk
        )
    np.testing.assert_allclose(risk_coverage(score, wrong).risk, np.mean(runs, axis=0), atol=1e-12)


def test_a_constant_score_has_the_error_rate_everywhere() -> None:
    got = risk_coverage(np.zeros(10), np.arange(10) < 3)
    assert got.risk == pytest.approx(np.full(10, 0.3)) and got.aurc == pytest.approx(0.3)


def test_the_oracle_has_no_excess() -> None:
    wrong = np.arange(50) % 3 == 0
    got = risk_coverage(wrong.astype(float), wrong)
    assert got.e_aurc == 0 and (got.risk == got.optimal).all()
    worst = risk_coverage(-wrong.astype(float), wrong)
    assert worst.e_aurc > 0.5 and worst.risk[-1] == got.risk[-1]


@pytest.mark.parametrize("wrong", [True, False])
def test_all_right_and_all_wrong(wrong: bool) -> None:
    got = risk_coverage(np.arange(6.0).reshape(1, 2, 3), np.full((1, 2, 3), wrong))
    assert got.aurc == wrong and got.e_aurc == 0


@pytest.mark.parametrize(
    ("score", "wrong", "message"),
    [
        (np.zeros(0), np.zeros(0, bool), "uncertainty: must be one or more finite numbers"),
        (np.array([np.inf]), np.zeros(1, bool), "uncertainty: must be one or more finite numbers"),
        (np.zeros(2), np.zeros(2, int), r"wrong: must be \(2,\) bool, not \(2,\) int64; give"),
        (np.zeros(2), np.zeros((2, 1), bool), r"wrong: must be \(2,\) bool, not \(2, 1\) bool"),
    ],
)
def test_wrong_inputs_are_refused(score: np.ndarray, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        risk_coverage(score, wrong)
