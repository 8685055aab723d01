# SPDX-License-Identifier: Apache-2.0
"""Images for small runs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from training_runs import RUNS

from scaledrop.data import ImageSet, load_digits
from scaledrop.training import TrainConfig


@pytest.fixture(scope="session")
def digits() -> ImageSet:
    return load_digits()


@pytest.fixture(scope="session")
def few(digits: ImageSet) -> ImageSet:
    """224 digits to train on, and a validation part."""
    return dataclasses.replace(
        digits,
        train_images=digits.train_images[:224],
        train_labels=digits.train_labels[:224],
        valid_images=digits.train_images[224:324],
        valid_labels=digits.train_labels[224:324],
    )


@pytest.fixture(scope="session")
def squares() -> ImageSet:
    """Bright squares in noise; the label of a pixel says whether it is in one."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 100, (24, 24, 24))
    labels = np.zeros((24, 24, 24), dtype=np.int64)
    for image, label in zip(images, labels, strict=True):
        top, left = rng.integers(0, 16, 2)
        image[top : top + 8, left : left + 8] += 120
        label[top : top + 8, left : left + 8] = 1
    pixels = images.astype(np.uint8)
    return ImageSet(
        pixels[:16],
        labels[:16],
        pixels[16:20],
        labels[16:20],
        (24, 24),
        2,
        "squares",
        "segmentation",
        pixels[20:],
        labels[20:],
    )


@pytest.fixture(params=RUNS)
def kind(
    request: pytest.FixtureRequest, few: ImageSet, squares: ImageSet
) -> tuple[TrainConfig, ImageSet]:
    """A run of each kind and its images."""
    name: str = request.param
    return RUNS[name], squares if name == "pixels" else few
