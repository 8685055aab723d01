# SPDX-License-Identifier: Apache-2.0
"""Predictions against hand-made cases and plain formulas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.prediction import softmax, summarise

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.integers(-3000, 3000, (50, 7, 4))


def test_predict_is_the_plain_formula() -> None:
    passes = np.exp(LOGITS / 1024)
    passes /= passes.sum(axis=-1, keepdims=True)
    mean = passes.mean(axis=1)
    entropy = -(mean * np.log(mean)).sum(axis=-1)
    expected = -(passes * np.log(passes)).sum(axis=-1).mean(axis=1)
    got = summarise(LOGITS, 10)
    np.testing.assert_allclose(got.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(got.entropy, entropy, rtol=1e-12)
    np.testing.assert_allclose(got.expected_entropy, expected, rtol=1e-12)
    np.testing.assert_allclose(got.mutual_information, entropy - expected, atol=1e-12)
    np.testing.assert_allclose(got.variance, passes.var(axis=1), atol=1e-12)
    assert (got.predicted == mean.argmax(axis=1)).all()
    assert (got.mutual_information >= 0).all() and (got.entropy <= np.log(4)).all()


def test_two_passes_that_disagree_carry_one_bit_of_mutual_information() -> None:
    got = summarise(np.array([[[4000, 0], [0, 4000]]]), 0)
    assert got.mean.tolist() == [[0.5, 0.5]]
    assert got.mutual_information[0] == got.entropy[0] == pytest.approx(np.log(2))
    assert got.expected_entropy[0] == 0
    assert got.variance.tolist() == [[0.25, 0.25]]
    assert got.votes.tolist() == [[0.5, 0.5]] and got.predicted.tolist() == [0]


def test_equal_passes_carry_none() -> None:
    got = summarise(np.repeat(LOGITS[:, :1], 9, axis=1), 8)
    assert got.mutual_information.max() < 1e-12 and got.variance.max() < 1e-12
    np.testing.assert_allclose(got.votes.max(axis=1), 1.0)


def test_votes_give_ties_to_the_lowest_class() -> None:
    assert summarise(np.array([[[5, 5, 1], [0, 7, 7]]]), 0).votes.tolist() == [[0.5, 0.5, 0]]


def test_softmax_is_stable_at_the_ends_of_the_contract() -> None:
    top = 2**61
    got = softmax(np.array([top, top - 1, -top]), 0)
    assert got[:2] == pytest.approx([1 / (1 + np.exp(-1)), np.exp(-1) / (1 + np.exp(-1))])
    assert got[2] == 0 and np.isfinite(summarise(np.array([[[top, -top]]]), 0).entropy).all()


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
        summarise(logits, 4)
    assert str(error.value) == message


def test_prediction_needs_no_torch() -> None:
    code = "import sys, scaledrop.prediction; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
