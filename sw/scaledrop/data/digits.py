# SPDX-License-Identifier: Apache-2.0
"""Handwritten digits, 8 x 8, carried by scikit-learn: real images without a download."""

from __future__ import annotations

import numpy as np
import sklearn.datasets

from scaledrop.data.image_set import ImageSet
from scaledrop.data.split import held_out
from scaledrop.errors import UserError

__all__ = ["load_digits"]

TEST_IMAGES = 360


def load_digits(seed: int = 0) -> ImageSet:
    """1437 training and 360 held-out test images, stratified by class, in the set's own order.

    A value v of 0 to 16 becomes the pixel ``(255 * v + 8) // 16``, the nearest of 0 to 255.

    Args:
        seed: choice of the held-out images, not of training; results are given on that of 0.

    Raises:
        UserError: a negative seed.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, test part.
    """
    if seed < 0:
        raise UserError(f"seed: must be 0 or more, not {seed}; 0 is the usual split")
    values, labels = sklearn.datasets.load_digits(return_X_y=True)
    pixels = ((255 * values.astype(np.int64) + 8) // 16).astype(np.uint8).reshape(-1, 8, 8)
    labels = labels.astype(np.int64)
    held = held_out(labels, TEST_IMAGES, seed)
    return ImageSet(
        pixels[~held],
        labels[~held],
        pixels[held],
        labels[held],
        (8, 8),
        10,
        "digits",
        label_names=tuple(map(str, range(10))),
    )
