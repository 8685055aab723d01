# SPDX-License-Identifier: Apache-2.0
"""Handwritten digits, 8 x 8, carried by scikit-learn: real images without a download."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sklearn.datasets

from scaledrop.errors import UserError

__all__ = ["ImageSet", "load_digits"]

TEST_IMAGES = 360


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A classification set with its held-out part.

    Attributes:
        train_images, test_images: (N, *shape) uint8 pixels.
        train_labels, test_labels: (N,) int64, 0 to classes - 1.
        shape: shape of one image.
        classes: number of labels.
        name: short name.
    """

    train_images: npt.NDArray[np.uint8]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.uint8]
    test_labels: npt.NDArray[np.int64]
    shape: tuple[int, ...]
    classes: int
    name: str


def _quotas(counts: npt.NDArray[np.int64], total: int) -> npt.NDArray[np.int64]:
    """``total`` shared in proportion to ``counts``: largest remainder, the lowest class first."""
    quotas, remainders = np.divmod(counts * total, counts.sum())
    for label in np.argsort(-remainders, kind="stable")[: total - quotas.sum()]:
        quotas[label] += 1
    return np.asarray(quotas, dtype=np.int64)


def _test_rows(labels: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.bool_]:
    """Held-out rows: per class, those with the smallest 64-bit words of PCG64(seed), one per row.

    The raw words of a bit generator are the one stream that NumPy promises never to change.
    """
    words = np.asarray(np.random.PCG64(seed).random_raw(len(labels)))
    held = np.zeros(len(labels), dtype=np.bool_)
    for label, quota in enumerate(_quotas(np.bincount(labels), TEST_IMAGES)):
        rows = np.flatnonzero(labels == label)
        held[rows[np.argsort(words[rows], kind="stable")[:quota]]] = True
    return held


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
    held = _test_rows(labels, seed)
    return ImageSet(pixels[~held], labels[~held], pixels[held], labels[held], (8, 8), 10, "digits")
