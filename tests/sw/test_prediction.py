# SPDX-License-Identifier: Apache-2.0
"""Predictions and metrics against hand-made cases and plain formulas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from scaledrop import metrics
from scaledrop.errors import UserError
from scaledrop.prediction import predict, softmax

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.integers(-3000, 3000, (50, 7, 4))


def probabilities(count: int, classes: int) -> np.ndarray:
    return np.random.default_rng(3).dirichlet(np.ones(classes), count)


def test_predict_is_the_plain_formula() -> None:
    passes = np.exp(LOGITS / 1024)
    passes /= passes.sum(axis=-1, keepdims=True)
    mean = passes.mean(axis=1)
    entropy = -(mean * np.log(mean)).sum(axis=-1)
    expected = -(passes * np.log(passes)).sum(axis=-1).mean(axis=1)
    got = predict(LOGITS, 10)
    np.testing.assert_allclose(got.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(got.entropy, entropy, rtol=1e-12)
    np.testing.assert_allclose(got.expected_entropy, expected, rtol=1e-12)
    np.testing.assert_allclose(got.mutual_information, entropy - expected, atol=1e-12)
    np.testing.assert_allclose(got.variance, passes.var(axis=1), atol=1e-12)
    assert (got.predicted == mean.argmax(axis=1)).all()
    assert (got.mutual_information >= 0).all() and (got.entropy <= np.log(4)).all()


def test_two_passes_that_disagree_carry_one_bit_of_mutual_information() -> None:
    got = predict(np.array([[[4000, 0], [0, 4000]]]), 0)
    assert got.mean.tolist() == [[0.5, 0.5]]
    assert got.mutual_information[0] == got.entropy[0] == pytest.approx(np.log(2))
    assert got.expected_entropy[0] == 0
    assert got.variance.tolist() == [[0.25, 0.25]]
    assert got.votes.tolist() == [[0.5, 0.5]] and got.predicted.tolist() == [0]


def test_equal_passes_carry_none() -> None:
    got = predict(np.repeat(LOGITS[:, :1], 9, axis=1), 8)
    assert got.mutual_information.max() < 1e-12 and got.variance.max() < 1e-12
    np.testing.assert_allclose(got.votes.max(axis=1), 1.0)


def test_votes_give_ties_to_the_lowest_class() -> None:
    assert predict(np.array([[[5, 5, 1], [0, 7, 7]]]), 0).votes.tolist() == [[0.5, 0.5, 0]]


def test_softmax_is_stable_at_the_ends_of_the_contract() -> None:
    top = 2**61
    got = softmax(np.array([top, top - 1, -top]), 0)
    assert got[:2] == pytest.approx([1 / (1 + np.exp(-1)), np.exp(-1) / (1 + np.exp(-1))])
    assert got[2] == 0 and np.isfinite(predict(np.array([[[top, -top]]]), 0).entropy).all()


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (np.zeros((2, 3), int), "logits: shape must be (N, T, K), not (2, 3); give every pass"),
        (
            np.zeros((2, 0, 3), int),
            "logits: shape must be (N, T, K), not (2, 0, 3); give every pass",
        ),
        (
            np.zeros((2, 1, 3)),
            "logits: must be integers, not float64; give those of a back end",
        ),
    ],
)
def test_wrong_logits_are_refused(logits: np.ndarray, message: str) -> None:
    with pytest.raises(UserError) as error:
        predict(logits, 4)
    assert str(error.value) == message


def test_prediction_needs_no_torch() -> None:
    code = "import sys, scaledrop.prediction; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_accuracy_nll_and_brier_by_hand() -> None:
    p = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0.5, 0.5, 0.0]])
    y = np.array([0, 1, 0, 2])
    assert metrics.accuracy(p, y) == 0.5
    nll = (2 * np.log(2) + np.log(4) - np.log(np.finfo(float).tiny)) / 4
    assert metrics.negative_log_likelihood(p, y) == pytest.approx(nll)
    assert metrics.brier(p, y) == pytest.approx((0.375 * 2 + 0.875 + 1.5) / 4)


def test_calibration_error_is_its_formula() -> None:
    p, y = probabilities(500, 5), np.random.default_rng(1).integers(0, 5, 500)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    bins = np.ceil(confidence * 15)
    expected = sum(
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    )
    assert metrics.expected_calibration_error(p, y) == pytest.approx(expected, abs=1e-5)


def test_a_rounding_error_above_one_is_not_taken_for_a_logit() -> None:
    p = np.array([[1.0 + 2e-16, 0.0], [0.0, 1.0]])
    assert metrics.expected_calibration_error(p, np.array([0, 1])) == 0


def test_auroc_is_the_share_of_ordered_pairs() -> None:
    inside, outside = np.array([0.0, 1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    pairs = np.sign(outside[:, None] - inside[None, :])
    assert metrics.auroc(inside, outside) == pytest.approx((pairs.mean() + 1) / 2)
    assert metrics.auroc(inside * 1e9, inside * 1e9 + 1e10) == 1.0
    assert metrics.auroc(inside * 1e-12, inside * 1e-12) == pytest.approx(0.5)
    assert metrics.auroc(np.zeros(3), np.zeros(4)) == 0.5


@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        (np.ones(3), np.zeros(3, int), r"probabilities: shape must be \(N, K\), not \(3,\)"),
        (np.ones((3, 2)), np.zeros(3, int), "probabilities: rows must be 0 or more and sum to 1"),
        (np.full((3, 2), 0.5), np.zeros(2, int), r"labels: must be \(3,\) integers, not \(2,\)"),
        (np.full((3, 2), 0.5), np.array([0, 1, 2]), "labels: must be 0 to 1, not 0 to 2"),
    ],
)
def test_wrong_metric_inputs_are_refused(p: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        metrics.brier(p, y)


def test_scores_must_be_numbers() -> None:
    with pytest.raises(UserError, match=r"^out_scores: must be one or more finite numbers"):
        metrics.auroc(np.zeros(3), np.array([np.nan]))
    with pytest.raises(UserError, match=r"^in_scores: must be one or more finite numbers"):
        metrics.auroc(np.zeros(0), np.zeros(1))
