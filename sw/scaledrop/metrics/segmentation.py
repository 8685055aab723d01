# SPDX-License-Identifier: Apache-2.0
"""Overlap of predicted and true regions, counted over all pixels of all images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import multiclass_confusion_matrix

from scaledrop.errors import UserError
from scaledrop.metrics.checks import Floats, Labels

__all__ = ["SegmentationScores", "segmentation_scores"]


@dataclass(frozen=True, eq=False)
class SegmentationScores:
    """All between 0 and 1, 1 best, never NaN.

    A class that neither the labels nor the predictions hold has no overlap to speak of: it is not
    ``present``, its entries are 0 and the means leave it out. A class that only one of them holds
    is present with 0.

    Attributes:
        confusion: (K, K) int64 pixels, ``[label, predicted]``.
    """

    confusion: npt.NDArray[np.int64]

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """(K,) whether labels or predictions hold the class."""
        found: npt.NDArray[np.bool_] = self._sizes > 0
        return found

    @property
    def iou(self) -> Floats:
        """(K,) ``|P and L| / |P or L|``, the Jaccard index."""
        hits: Floats = np.diag(self.confusion).astype(np.float64)
        return hits / np.maximum(self._sizes - hits, 1)

    @property
    def dice(self) -> Floats:
        """(K,) ``2 |P and L| / (|P| + |L|)``, the F1 score."""
        result: Floats = 2.0 * np.diag(self.confusion) / np.maximum(self._sizes, 1)
        return result

    @property
    def mean_iou(self) -> float:
        """Mean of ``iou`` over the classes present."""
        return float(self.iou[self.present].mean())

    @property
    def mean_dice(self) -> float:
        """Mean of ``dice`` over the classes present."""
        return float(self.dice[self.present].mean())

    @property
    def pixel_accuracy(self) -> float:
        """Share of the pixels whose prediction is the label."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def _sizes(self) -> npt.NDArray[np.int64]:
        """(K,) ``|P| + |L|``."""
        sizes: npt.NDArray[np.int64] = self.confusion.sum(axis=0) + self.confusion.sum(axis=1)
        return sizes


def _in_range(field: str, values: npt.NDArray[np.integer], classes: int, remedy: str) -> None:
    if values.size and (values.min() < 0 or values.max() >= classes):
        found = f"{values.min()} to {values.max()}"
        raise UserError(f"{field}: must be 0 to {classes - 1}, not {found}; {remedy}")


def segmentation_scores(
    predicted: Labels, labels: Labels, classes: int, ignore: int | None = None
) -> SegmentationScores:
    """Counts of one data set; overlap is of the whole set, not a mean over images.

    Args:
        predicted: (N, H, W) or any shape, integers 0 to K - 1.
        labels: the same shape, integers 0 to K - 1, or ``ignore``.
        classes: K, 2 or more.
        ignore: label of pixels that do not count (void), inside or outside 0 to K - 1.

    Raises:
        UserError: shapes or dtypes differ, a value out of range, or no pixel that counts.
    """
    p, y = np.asarray(predicted), np.asarray(labels)
    if classes < 2:
        raise UserError(f"classes: must be 2 or more, not {classes}; count the background")
    if p.shape != y.shape or p.dtype.kind not in "iu" or y.dtype.kind not in "iu":
        raise UserError(
            f"predicted: must be {y.shape} integers as labels are, not {p.shape} {p.dtype} against "
            f"{y.dtype}; take the argmax over the classes"
        )
    counted = np.ones(y.shape, dtype=np.bool_) if ignore is None else y != ignore
    if not counted.any():
        raise UserError("labels: no pixel counts; give pixels whose label is not the ignored one")
    _in_range("labels", y[counted], classes, "give the void label as ignore")
    _in_range("predicted", p[counted], classes, "take the argmax over the classes")
    pair = [torch.from_numpy(v[counted].astype(np.int64)) for v in (p, y)]
    counts = multiclass_confusion_matrix(*pair, num_classes=classes)
    return SegmentationScores(counts.numpy().astype(np.int64))
