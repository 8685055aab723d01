# SPDX-License-Identifier: Apache-2.0
"""Scores of known against unknown inputs, with and without ties, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from scaledrop import metrics
from scaledrop.errors import UserError
from scaledrop.metrics import ood


def scores(step: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """300 known and 200 unknown, rounded to multiples of ``step`` to make ties."""
    random = np.random.default_rng(seed)
    both = random.normal(0, 1, 300), random.normal(1, 1.5, 200)
    return tuple(np.round(s / step) * step for s in both)


@pytest.mark.parametrize("step", [1e-9, 0.1, 1.0, 100.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_those_of_scikit_learn(step: float, seed: int) -> None:
    inside, outside = scores(step, seed)
    both, unknown = np.concatenate([inside, outside]), np.repeat([0, 1], [300, 200])
    got = metrics.ood_scores(inside, outside)
    assert got.auroc == pytest.approx(reference.roc_auc_score(unknown, both), abs=1e-6)
    out = reference.average_precision_score(unknown, both)
    assert got.aupr_out == pytest.approx(out, abs=1e-6)
    known = reference.average_precision_score(1 - unknown, -both)
    assert got.aupr_in == pytest.approx(known, abs=1e-6)
    false, true, _ = reference.roc_curve(unknown, both, drop_intermediate=False)
    assert got.fpr95 == false[np.flatnonzero(np.rint(true * 200) >= 190)[0]]
    assert (got.known, got.unknown) == (300, 200)
    ours = metrics.roc_curve(inside, outside)
    np.testing.assert_allclose(ours[0], false, atol=1e-6)
    np.testing.assert_allclose(ours[1], true, atol=1e-6)


def test_auroc_is_the_share_of_ordered_pairs() -> None:
    inside, outside = np.array([0.0, 1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    pairs = np.sign(outside[:, None] - inside[None, :])
    assert metrics.auroc(inside, outside) == pytest.approx((pairs.mean() + 1) / 2)
    assert metrics.auroc(inside * 1e9, inside * 1e9 + 1e10) == 1.0
    assert metrics.auroc(inside * 1e-12, inside * 1e-12) == pytest.approx(0.5)
    assert metrics.auroc(np.zeros(3), np.zeros(4)) == 0.5


def test_fpr_by_hand_unknown_is_positive() -> None:
    inside, outside = np.arange(100), np.arange(20) + 90.0
    # 19 of 20 unknown are caught from 91 on, as are 91 to 99 of the known.
    assert metrics.ood_scores(inside, outside).fpr95 == 0.09
    assert metrics.ood_scores(inside, inside + 1000).fpr95 == 0
    assert metrics.ood_scores(np.ones(5), np.ones(7)).fpr95 == 1


def test_scores_that_say_nothing_reach_chance() -> None:
    got = metrics.ood_scores(np.zeros(30), np.zeros(10))
    assert (got.auroc, got.aupr_out, got.aupr_in) == (0.5, 0.25, 0.75)


def test_perfect_scores_and_any_shape() -> None:
    got = metrics.ood_scores(np.zeros((2, 3, 4)), np.ones((5, 2)))
    assert got == metrics.OodScores(1.0, 1.0, 1.0, 0.0, 24, 10)


@pytest.mark.parametrize("metric", [metrics.auroc, metrics.ood_scores, metrics.roc_curve])
def test_scores_must_be_numbers(metric) -> None:
    with pytest.raises(UserError, match=r"^out_scores: must be one or more finite numbers"):
        metric(np.zeros(3), np.array([np.nan]))
    with pytest.raises(UserError, match=r"^in_scores: must be one or more finite numbers"):
        metric(np.zeros(0), np.zeros(1))


def test_more_than_torchmetrics_counts_exactly_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(ood, "_MOST", 5)
    assert metrics.auroc(np.zeros(3), np.ones(2)) == 1
    message = "^in_scores, out_scores: 6 are more than 5; draw a sample of the pixels$"
    with pytest.raises(UserError, match=message):
        metrics.auroc(np.zeros(3), np.ones(3))
