# SPDX-License-Identifier: Apache-2.0
"""The digits: pixels, split, repeatability."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import sklearn.datasets

from scaledrop.data import load_digits
from scaledrop.errors import UserError


def test_shapes_and_types() -> None:
    data = load_digits()
    assert (data.name, data.shape, data.classes) == ("digits", (8, 8), 10)
    assert data.train_images.shape == (1437, 8, 8) and data.test_images.shape == (360, 8, 8)
    assert data.train_images.dtype == data.test_images.dtype == np.uint8
    assert data.train_labels.shape == (1437,) and data.test_labels.shape == (360,)
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64


def test_pixels_are_the_nearest_of_256() -> None:
    data = load_digits()
    values = set(np.unique(data.train_images).tolist())
    assert values == {round(255 * v / 16) for v in range(17)}


def test_the_two_parts_are_the_whole_set() -> None:
    data = load_digits()
    values, labels = sklearn.datasets.load_digits(return_X_y=True)
    whole = sorted((row.tobytes(), int(y)) for row, y in zip(values, labels, strict=True))
    images = np.concatenate([data.train_images, data.test_images]).reshape(-1, 64)
    back = np.rint(images.astype(np.float64) * 16 / 255)
    ys = np.concatenate([data.train_labels, data.test_labels])
    assert sorted((row.tobytes(), int(y)) for row, y in zip(back, ys, strict=True)) == whole


def test_the_split_is_stratified() -> None:
    data = load_digits()
    test, train = np.bincount(data.test_labels), np.bincount(data.train_labels)
    assert test.sum() == 360
    assert (np.abs(test - (test + train) * 360 / 1797) < 1).all()


def test_the_split_never_changes() -> None:
    digest = hashlib.sha256(load_digits().test_images.tobytes()).hexdigest()
    assert digest == "36adb962e227fc90da2ec4dccb85309c9b77f45f5308d52ff39f6d8f32b52656"


def test_another_seed_holds_other_images_out() -> None:
    assert not np.array_equal(load_digits(0).test_images, load_digits(1).test_images)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UserError, match=r"^seed: must be 0 or more, not -1; 0 is the usual split"):
        load_digits(-1)
