# SPDX-License-Identifier: Apache-2.0
"""What an image set refuses."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from scaledrop.data import ImageSet
from scaledrop.errors import UserError


def good(**changes: Any) -> dict[str, Any]:
    """Fields of a right set of 4 + 2 grey images in 3 classes."""
    fields = {
        "train_images": np.zeros((4, 5, 6), np.uint8),
        "train_labels": np.array([0, 1, 2, 0]),
        "test_images": np.zeros((2, 5, 6), np.uint8),
        "test_labels": np.array([2, 1]),
        "shape": (5, 6),
        "classes": 3,
        "name": "made",
    }
    return fields | changes


def segmentation(**changes: Any) -> dict[str, Any]:
    labels = {
        "train_labels": np.zeros((4, 5, 6), np.int64),
        "test_labels": np.zeros((2, 5, 6), np.int64),
    }
    return good(task="segmentation") | labels | changes


def test_right_sets_are_taken() -> None:
    data = ImageSet(**good())
    assert (data.task, data.valid_images, data.label_names) == ("classification", None, ())
    ImageSet(**segmentation())
    ImageSet(**good(test_images=np.zeros((0, 5, 6), np.uint8), test_labels=np.zeros(0, np.int64)))


def test_colour_masks_have_one_label_per_pixel() -> None:
    data = segmentation(
        shape=(3, 5, 6),
        train_images=np.zeros((4, 3, 5, 6), np.uint8),
        test_images=np.zeros((2, 3, 5, 6), np.uint8),
    )
    assert ImageSet(**data).train_labels.shape == (4, 5, 6)


MASK = np.zeros((4, 5, 6), np.int64)
MASK[3, 2, 1] = 7

WRONG = [
    (
        good(train_labels=np.array([0, 1, 12, 0])),
        "train_labels: must be 0 to 2, not 12 (image 2, counted from 0); correct the label or the "
        "number of classes",
    ),
    (
        good(test_labels=np.array([2, -1])),
        "test_labels: must be 0 to 2, not -1 (image 1, counted from 0); correct the label or the "
        "number of classes",
    ),
    (
        segmentation(train_labels=MASK),
        "train_labels: must be 0 to 2, not 7 (image 3, row 2, column 1, counted from 0); correct "
        "the label or the number of classes",
    ),
    (
        good(train_labels=np.array([0, 1, 2])),
        "train_labels: must be (4,) int64 for the 4 images, not (3,) int64; give one label for "
        "each image",
    ),
    (
        good(train_labels=np.zeros(4, np.uint8)),
        "train_labels: must be (4,) int64 for the 4 images, not (4,) uint8; give one label for "
        "each image",
    ),
    (
        segmentation(test_labels=np.zeros(2, np.int64)),
        "test_labels: must be (2, 5, 6) int64 for the 2 images, not (2,) int64; give one label "
        "for each pixel",
    ),
    (
        good(train_images=np.zeros((4, 5, 6))),
        "train_images: must be uint8, not float64; scale the pixels to 0 to 255 and round them",
    ),
    (
        good(test_images=np.zeros((2, 6, 5), np.uint8)),
        "test_images: must be (N, 5, 6), not (2, 6, 5); reshape the images",
    ),
    (good(shape=(30,)), "shape: must be (H, W) or (C, H, W), not (30,); reshape the images"),
    (good(classes=0), "classes: must be 1 or more, not 0"),
    (good(task="regression"), "task: must be classification or segmentation, not 'regression'"),
    (
        good(label_names=("a", "b")),
        "label_names: has 2 names for 3 classes; give one for each class, or none",
    ),
    (
        good(valid_images=np.zeros((1, 5, 6), np.uint8)),
        "valid_labels: is missing; give valid_images and valid_labels, or neither",
    ),
    (
        good(valid_images=np.zeros((1, 5, 6), np.uint8), valid_labels=np.array([3])),
        "valid_labels: must be 0 to 2, not 3 (image 0, counted from 0); correct the label or the "
        "number of classes",
    ),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_wrong_sets_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        ImageSet(**fields)
