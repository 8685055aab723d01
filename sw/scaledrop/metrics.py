# SPDX-License-Identifier: Apache-2.0
"""Accuracy, calibration and out-of-distribution scores; torchmetrics where it has them.

``probabilities`` is (N, K), rows summing to 1; ``labels`` is (N,), 0 to K - 1; N >= 1. All take
NumPy arrays, return a float and raise :class:`UserError` on another shape or range.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import (
    binary_auroc,
    multiclass_accuracy,
    multiclass_calibration_error,
)

from scaledrop.errors import UserError

__all__ = ["accuracy", "auroc", "brier", "expected_calibration_error", "negative_log_likelihood"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]


def _checked(probabilities: Floats, labels: Labels) -> tuple[Floats, npt.NDArray[np.int64]]:
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    if p.ndim != 2 or 0 in p.shape:
        raise UserError(f"probabilities: shape must be (N, K), not {p.shape}; average the passes")
    if not (p >= 0).all() or not np.allclose(p.sum(axis=1), 1.0):
        raise UserError("probabilities: rows must be 0 or more and sum to 1; apply softmax first")
    if y.shape != (len(p),) or y.dtype.kind not in "iu":
        raise UserError(f"labels: must be ({len(p)},) integers, not {y.shape} {y.dtype}")
    if y.min() < 0 or y.max() >= p.shape[1]:
        raise UserError(f"labels: must be 0 to {p.shape[1] - 1}, not {y.min()} to {y.max()}")
    # torchmetrics takes anything outside [0, 1] for logits, even one rounding error above 1.
    return np.clip(p, 0.0, 1.0), y.astype(np.int64)


def accuracy(probabilities: Floats, labels: Labels) -> float:
    """``mean [argmax_k p_k = y]``, ties to the lowest class."""
    p, y = _checked(probabilities, labels)
    predicted = torch.from_numpy(np.argmax(p, axis=1))
    return float(
        multiclass_accuracy(predicted, torch.from_numpy(y), num_classes=p.shape[1], average="micro")
    )


def expected_calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """``sum_b n_b / N * |accuracy_b - confidence_b|`` over bins of equal width of the largest p."""
    p, y = _checked(probabilities, labels)
    if bins < 1:
        raise UserError(f"bins: must be at least 1, not {bins}; 15 is usual")
    return float(
        multiclass_calibration_error(
            torch.from_numpy(p),
            torch.from_numpy(y),
            num_classes=p.shape[1],
            n_bins=bins,
            norm="l1",
        )
    )


def negative_log_likelihood(probabilities: Floats, labels: Labels) -> float:
    """``-mean ln p_y``, nats; a probability of 0 counts as the smallest normal float64."""
    p, y = _checked(probabilities, labels)
    chosen = np.maximum(p[np.arange(len(y)), y], np.finfo(np.float64).tiny)
    return float(-np.log(chosen).mean())


def brier(probabilities: Floats, labels: Labels) -> float:
    """``mean sum_k (p_k - [k = y])^2``: the sum over classes, 0 to 2."""
    p, y = _checked(probabilities, labels)
    return float(np.square(p - np.eye(p.shape[1])[y]).sum(axis=1).mean())


def auroc(in_scores: Floats, out_scores: Floats) -> float:
    """``P(out > in) + P(out = in) / 2``: out-of-distribution is the positive class.

    Args:
        in_scores: (N,) scores of images of the training distribution, such as the entropy.
        out_scores: (M,) scores of foreign images; larger means more foreign.
    """
    inside, outside = (np.asarray(s, dtype=np.float64).ravel() for s in (in_scores, out_scores))
    for field, scores in (("in_scores", inside), ("out_scores", outside)):
        if not scores.size or not np.isfinite(scores).all():
            raise UserError(f"{field}: must be one or more finite numbers; check the predictions")
    # Ranks carry the order, ties included, through the sigmoid and the float32 of torchmetrics.
    _, ranks = np.unique(np.concatenate([inside, outside]), return_inverse=True)
    target = np.repeat([0, 1], [len(inside), len(outside)])
    return float(
        binary_auroc(torch.from_numpy(ranks / max(ranks.max(), 1)), torch.from_numpy(target))
    )
