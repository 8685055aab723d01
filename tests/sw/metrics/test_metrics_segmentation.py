# SPDX-License-Identifier: Apache-2.0
"""Overlap of regions against plain loops, torchmetrics and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score
from torchmetrics.functional.segmentation import dice_score

from scaledrop.errors import UserError
from scaledrop.metrics import segmentation_scores

RANDOM = np.random.default_rng(5)
LABELS = RANDOM.integers(0, 4, (3, 16, 12))
PREDICTED = np.where(RANDOM.random((3, 16, 12)) < 0.6, LABELS, RANDOM.integers(0, 4, (3, 16, 12)))


def test_overlap_is_that_of_scikit_learn_and_torchmetrics() -> None:
    got = segmentation_scores(PREDICTED, LABELS, 4)
    flat = LABELS.ravel(), PREDICTED.ravel()
    assert got.iou == pytest.approx(jaccard_score(*flat, average=None))
    assert got.dice == pytest.approx(f1_score(*flat, average=None))
    assert got.mean_iou == pytest.approx(jaccard_score(*flat, average="macro"))
    assert got.mean_dice == pytest.approx(f1_score(*flat, average="macro"))
    assert got.pixel_accuracy == (LABELS == PREDICTED).mean()
    theirs = dice_score(
        torch.from_numpy(PREDICTED),
        torch.from_numpy(LABELS),
        num_classes=4,
        average="none",
        input_format="index",
        aggregation_level="global",
    )
    assert got.dice == pytest.approx(theirs[0].numpy(), abs=1e-6)
    for k in range(4):
        p, y = k == PREDICTED, k == LABELS
        assert got.iou[k] == (p & y).sum() / (p | y).sum()
        assert got.confusion[k].tolist() == [(y & (j == PREDICTED)).sum() for j in range(4)]


def test_absent_classes_are_zero_and_left_out_of_the_means() -> None:
    labels = np.array([[[0, 0, 1, 1]]])
    predicted = np.array([[[0, 0, 1, 3]]])
    got = segmentation_scores(predicted, labels, 6)
    assert got.present.tolist() == [True, True, False, True, False, False]
    assert got.iou.tolist() == [1, 0.5, 0, 0, 0, 0]
    assert got.dice == pytest.approx([1, 2 / 3, 0, 0, 0, 0])
    assert got.mean_iou == 0.5 and got.mean_dice == pytest.approx(5 / 9)
    assert got.pixel_accuracy == 0.75


@pytest.mark.parametrize("void", [2, 255, -1])
def test_ignored_pixels_count_nowhere(void: int) -> None:
    labels = np.where(LABELS == 2, void, LABELS)
    kept = labels != void
    got = segmentation_scores(PREDICTED, labels, 4, ignore=void)
    flat = segmentation_scores(PREDICTED[kept], labels[kept], 4)
    assert (got.confusion == flat.confusion).all() and got.confusion.sum() == kept.sum()


def test_unsigned_bytes_are_as_good() -> None:
    small = segmentation_scores(PREDICTED.astype(np.uint8), LABELS.astype(np.uint8), 4)
    assert (small.confusion == segmentation_scores(PREDICTED, LABELS, 4).confusion).all()


@pytest.mark.parametrize(
    ("predicted", "labels", "classes", "ignore", "message"),
    [
        (PREDICTED, LABELS, 1, None, "classes: must be 2 or more, not 1; count the background"),
        (PREDICTED[0], LABELS, 4, None, r"predicted: must be \(3, 16, 12\) integers as labels are"),
        (PREDICTED * 1.0, LABELS, 4, None, "predicted: must be .* float64 against int64; take"),
        (PREDICTED, LABELS, 3, None, "labels: must be 0 to 2, not 0 to 3; give the void label"),
        (PREDICTED + 1, LABELS, 4, None, "predicted: must be 0 to 3, not 1 to 4; take the argmax"),
        (PREDICTED[:0], LABELS[:0], 4, None, "labels: no pixel counts; give pixels"),
        (PREDICTED, LABELS * 0, 4, 0, "labels: no pixel counts; give pixels"),
    ],
)
def test_wrong_inputs_are_refused(predicted, labels, classes, ignore, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        segmentation_scores(predicted, labels, classes, ignore)
