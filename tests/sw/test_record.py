# SPDX-License-Identifier: Apache-2.0
"""A record's results are those that its logits and weights make, however large."""

import numpy as np
import pytest

from scaledrop.record import PassRecord

LOGITS = np.array([[[3, 3, -4], [0, 1, 2], [5, -6, 5]], [[0, 0, 0], [-1, -2, -3], [9, 8, 7]]])
MASKS = np.ones((2, 3, 1), np.uint8)


def expected(logits, weights):
    """Sums, squares and votes of one image in Python integers."""
    classes = range(len(logits[0]))
    sums = [sum(w * row[k] for w, row in zip(weights, logits, strict=True)) for k in classes]
    squares = [
        sum(w * row[k] ** 2 for w, row in zip(weights, logits, strict=True)) for k in classes
    ]
    votes = [0 for _ in classes]
    for weight, row in zip(weights, logits, strict=True):
        votes[row.index(max(row))] += weight
    return sums, squares, votes


@pytest.mark.parametrize("weights", [None, [1, 1, 1], [7, 2, 5], [2**24 - 3, 1, 1]])
@pytest.mark.parametrize("scale", [1, 2**17, 2**45, 2**57])
def test_results_are_weighted_and_exact(weights, scale):
    logits = LOGITS * scale
    given = None if weights is None else np.array(weights)
    record = PassRecord.of_passes(MASKS, (), logits, given)
    assert record.weights.tolist() == (weights or [1, 1, 1])
    for image, rows in enumerate(logits.tolist()):
        sums, squares, votes = expected(rows, weights or [1, 1, 1])
        assert record.sums[image].tolist() == sums
        assert record.squares[image].tolist() == squares
        assert record.votes[image].tolist() == votes
        assert record.predicted[image] == sums.index(max(sums))


def test_results_are_plain_integers_where_they_fit():
    record = PassRecord.of_passes(MASKS, (), LOGITS, np.full(3, 2**22))
    arrays = (record.sums, record.squares, record.votes, record.weights)
    assert {array.dtype for array in arrays} == {np.dtype(np.int64)}
    bound = 2**31 - 1
    edge = np.full((1, 2, 1), bound)
    assert PassRecord.of_passes(MASKS, (), edge).squares.dtype == np.int64
    wide = PassRecord.of_passes(MASKS, (), edge, np.array([1, 2])).squares
    assert wide.dtype == object and wide.tolist() == [[3 * bound**2]]


def test_positions_stay_apart():
    logits = np.arange(2 * 3 * 2 * 2 * 3).reshape(2, 3, 2, 2, 3)
    record = PassRecord.of_passes(MASKS, (), logits, np.array([1, 2, 3]))
    for row, column in np.ndindex(2, 2):
        one = PassRecord.of_passes(MASKS, (), logits[:, :, row, column], np.array([1, 2, 3]))
        for name in ("sums", "squares", "votes", "predicted"):
            assert np.array_equal(getattr(record, name)[:, row, column], getattr(one, name))


def test_what_is_not_given_is_derived_and_what_is_given_is_kept():
    derived = PassRecord(MASKS, (), LOGITS, LOGITS.sum(axis=1), LOGITS[:, 0])
    assert derived.weights.tolist() == [1, 1, 1]
    assert np.array_equal(derived.squares, (LOGITS**2).sum(axis=1))
    wrong = np.zeros((2, 3), dtype=np.int64)
    given = PassRecord(MASKS, (), LOGITS, wrong, wrong, np.array([4, 4, 4]), wrong)
    assert given.weights.tolist() == [4, 4, 4] and not given.squares.any()


def test_logits_without_an_axis_of_passes():
    with pytest.raises(ValueError, match=r"logits are \(2, 3\), not \(N, T, ..., K\)"):
        PassRecord(MASKS, (), LOGITS[:, 0], LOGITS[:, 0], LOGITS[:, 0])
