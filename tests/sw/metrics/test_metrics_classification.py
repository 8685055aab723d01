# SPDX-License-Identifier: Apache-2.0
"""Proper scores and calibration against hand-made cases, loops, torchmetrics, scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

from scaledrop import metrics
from scaledrop.errors import UserError

RANDOM = np.random.default_rng(3)
P = RANDOM.dirichlet(np.ones(5), 500)
Y = np.array([RANDOM.choice(5, p=p) for p in P])
CONFIDENCE, RIGHT = P.max(axis=1), P.argmax(axis=1) == Y
EVERY = [
    metrics.accuracy,
    metrics.adaptive_calibration_error,
    metrics.brier,
    metrics.expected_calibration_error,
    metrics.negative_log_likelihood,
]


def test_accuracy_nll_and_brier_by_hand() -> None:
    p = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0.5, 0.5, 0.0]])
    y = np.array([0, 1, 0, 2])
    assert metrics.accuracy(p, y) == 0.5
    nll = (2 * np.log(2) + np.log(4) - np.log(np.finfo(float).tiny)) / 4
    assert metrics.negative_log_likelihood(p, y) == pytest.approx(nll)
    assert metrics.brier(p, y) == pytest.approx((0.375 * 2 + 0.875 + 1.5) / 4)


def test_accuracy_is_the_nearest_double() -> None:
    labels = np.repeat([0, 1], [350, 10])
    assert metrics.accuracy(np.tile([1.0, 0.0], (360, 1)), labels) == 350 / 360


def test_accuracy_nll_and_brier_are_those_of_scikit_learn() -> None:
    assert metrics.accuracy(P, Y) == accuracy_score(Y, P.argmax(1))
    assert metrics.negative_log_likelihood(P, Y) == pytest.approx(log_loss(Y, P), rel=1e-12)
    by_class = [brier_score_loss(k == Y, P[:, k]) for k in range(5)]
    assert metrics.brier(P, Y) == pytest.approx(sum(by_class), rel=1e-12)


@pytest.mark.parametrize("metric", EVERY)
def test_leading_axes_are_only_more_rows(metric) -> None:
    p, y = P[:480].reshape(2, 12, 20, 5), Y[:480].reshape(2, 12, 20)
    assert metric(p, y) == metric(P[:480], Y[:480])


@pytest.mark.parametrize("metric", EVERY)
def test_inputs_stay_as_they_were(metric) -> None:
    p, y = P.copy(), Y.copy()
    metric(p, y)
    assert (p == P).all() and (y == Y).all()


def loop(bin_of: np.ndarray) -> float:
    bins = [bin_of == b for b in np.unique(bin_of)]
    return sum(abs(RIGHT[b].mean() - CONFIDENCE[b].mean()) * b.mean() for b in bins)


@pytest.mark.parametrize("bins", [1, 15, 30])
def test_calibration_error_is_its_formula(bins: int) -> None:
    got = metrics.expected_calibration_error(P, Y, bins)
    assert got == pytest.approx(loop(np.ceil(CONFIDENCE * bins)), abs=1e-12)
    tensors = torch.from_numpy(P), torch.from_numpy(Y)
    theirs = multiclass_calibration_error(*tensors, num_classes=5, n_bins=bins, norm="l1")
    assert got == pytest.approx(float(theirs), abs=1e-5)


@pytest.mark.parametrize("bins", [1, 15, 20, 500, 700])
def test_adaptive_error_has_bins_of_equal_count(bins: int) -> None:
    order = np.argsort(CONFIDENCE)
    bin_of = np.empty(500, int)
    bin_of[order] = np.arange(500) * min(bins, 500) // 500
    curve = metrics.reliability_curve(P, Y, bins, equal_mass=True)
    full = curve.count[curve.count > 0]
    assert full.max() - full.min() <= 1 and full.sum() == 500
    if 500 % bins == 0 or bins > 500:
        got = metrics.adaptive_calibration_error(P, Y, bins)
        assert got == pytest.approx(loop(bin_of), abs=1e-12)


def test_equal_confidences_share_a_bin_whatever_the_order() -> None:
    p = np.array([[0.6, 0.4]] * 50 + [[0.9, 0.1]] * 10)
    y = np.repeat([0, 1, 0], [20, 30, 10])
    shuffled = np.random.default_rng(0).permutation(60)
    for rows in (np.arange(60), shuffled):
        curve = metrics.reliability_curve(p[rows], y[rows], 6, equal_mass=True)
        assert sorted(curve.count) == [0, 0, 0, 0, 10, 50]
        assert curve.error == pytest.approx((50 * 0.2 + 10 * 0.1) / 60)


@pytest.mark.parametrize(
    ("rows", "bins", "counts"), [(7, 3, [3, 2, 2]), (2, 5, [1, 0, 1, 0, 0]), (4, 1, [4])]
)
def test_uneven_counts_put_the_odd_rows_first(rows: int, bins: int, counts: list[int]) -> None:
    right = np.linspace(0.6, 0.9, rows)
    p = np.stack([right, 1 - right], axis=1)
    curve = metrics.reliability_curve(p, np.zeros(rows, int), bins, equal_mass=True)
    assert curve.count.tolist() == counts


def test_reliability_curve_by_hand() -> None:
    p = np.array([[1.0, 0.0], [0.9, 0.1], [0.5, 0.5], [0.4, 0.6]])
    curve = metrics.reliability_curve(p, np.array([0, 1, 0, 1]), bins=4)
    assert curve.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.count.tolist() == [0, 1, 1, 2]  # 0.5 lies on an edge: the bin below
    assert curve.confidence == pytest.approx([0, 0.5, 0.6, 0.95])
    assert curve.accuracy.tolist() == [0, 1, 1, 0.5]
    assert curve.error == pytest.approx((0.5 + 0.4 + 2 * 0.45) / 4)


def test_certain_and_right_is_calibrated_even_with_a_rounding_error_above_one() -> None:
    p = np.array([[1.0 + 2e-16, 0.0], [0.0, 1.0]])
    assert metrics.expected_calibration_error(p, np.array([0, 1])) == 0
    assert metrics.adaptive_calibration_error(p, np.array([0, 1])) == 0


@pytest.mark.parametrize("metric", EVERY)
@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        (np.ones(3), np.zeros(3, int), r"probabilities: shape must be \(..., K\), not \(3,\)"),
        (np.ones((0, 3)), np.zeros(0, int), r"probabilities: shape must be \(..., K\), not \(0, 3"),
        (np.ones((3, 2)), np.zeros(3, int), "probabilities: rows must be 0 or more and sum to 1"),
        (np.full((3, 2), np.nan), np.zeros(3, int), "probabilities: rows must be 0 or more"),
        (np.full((3, 2), 0.5), np.zeros(2, int), r"labels: must be \(3,\) integers, not \(2,\)"),
        (np.full((3, 2), 0.5), np.zeros(3), r"labels: must be \(3,\) integers, not \(3,\) float64"),
        (np.full((3, 2), 0.5), np.array([0, 1, 2]), "labels: must be 0 to 1, not 0 to 2; leave"),
    ],
)
def test_wrong_inputs_are_refused(metric, p: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        metric(p, y)


def test_no_bins_are_refused() -> None:
    with pytest.raises(UserError, match=r"^bins: must be at least 1, not 0; 15 is usual$"):
        metrics.expected_calibration_error(P, Y, 0)
