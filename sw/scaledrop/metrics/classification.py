# SPDX-License-Identifier: Apache-2.0
"""Accuracy, proper scores and calibration of class probabilities.

``probabilities`` is (..., K), rows summing to 1; ``labels`` is (...) integers, 0 to K - 1; one row
or more. A map of pixels, (N, H, W, K) with (N, H, W), is N * H * W rows. All take NumPy arrays and
raise :class:`UserError` on another shape or range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.metrics.checks import Floats, Labels, bins_in_range, probabilities_and_labels

__all__ = [
    "ReliabilityCurve",
    "accuracy",
    "adaptive_calibration_error",
    "brier",
    "expected_calibration_error",
    "negative_log_likelihood",
    "reliability_curve",
]


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Confidence, the largest probability, against accuracy, in B bins.

    Attributes:
        edges: (B + 1,) rising; bin b holds ``edges[b] < confidence <= edges[b + 1]``.
        confidence: (B,) mean confidence of the bin; 0 where it is empty.
        accuracy: (B,) share of right predictions in the bin; 0 where it is empty.
        count: (B,) rows in the bin.
    """

    edges: Floats
    confidence: Floats
    accuracy: Floats
    count: npt.NDArray[np.int64]

    @property
    def error(self) -> float:
        """``sum_b n_b / N * |accuracy_b - confidence_b|``, 0 to 1."""
        gap = np.abs(self.accuracy - self.confidence)
        return float((self.count * gap).sum() / self.count.sum())


def accuracy(probabilities: Floats, labels: Labels) -> float:
    """``mean [argmax_k p_k = y]``, 0 to 1; ties to the lowest class."""
    p, y = probabilities_and_labels(probabilities, labels)
    return float((p.argmax(axis=1) == y).mean())


def negative_log_likelihood(probabilities: Floats, labels: Labels) -> float:
    """``-mean ln p_y``, nats; a probability of 0 counts as the smallest normal float64."""
    p, y = probabilities_and_labels(probabilities, labels)
    chosen = np.maximum(p[np.arange(len(y)), y], np.finfo(np.float64).tiny)
    return float(-np.log(chosen).mean())


def brier(probabilities: Floats, labels: Labels) -> float:
    """``mean sum_k (p_k - [k = y])^2``: the sum over classes, 0 to 2."""
    p, y = probabilities_and_labels(probabilities, labels)
    p[np.arange(len(y)), y] -= 1.0
    return float(np.square(p).sum(axis=1).mean())


def _equal_mass_edges(confidence: Floats, bins: int) -> Floats:
    ordered, count = np.sort(confidence), len(confidence)
    last = -(-np.arange(1, bins + 1) * count // bins) - 1
    return np.concatenate([[0.0], ordered[last]])


def reliability_curve(
    probabilities: Floats, labels: Labels, bins: int = 15, equal_mass: bool = False
) -> ReliabilityCurve:
    """Accuracy by confidence.

    Args:
        probabilities: (..., K).
        labels: (...).
        bins: B, 1 or more.
        equal_mass: bins of equal count instead of equal width. Equal confidences share a bin, the
            lowest they reach, so that the order of the rows does not matter; bins may stay empty.

    Not torchmetrics: it sums in float32, wrong from 2**24 pixels on, and gives a confidence of
    exactly 1 a bin of its own.

    Source: bins open below and closed above, Guo et al., arXiv 1706.04599, section 2.
    """
    p, y = probabilities_and_labels(probabilities, labels)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    wide = np.linspace(0.0, 1.0, bins_in_range(bins) + 1)
    edges = _equal_mass_edges(confidence, bins) if equal_mass else wide
    chosen = np.searchsorted(edges[1:], confidence, side="left")
    count = np.bincount(chosen, minlength=bins)
    sums = [np.bincount(chosen, weights=v, minlength=bins) for v in (confidence, right)]
    means = [s / np.maximum(count, 1) for s in sums]
    return ReliabilityCurve(edges, means[0], means[1], count.astype(np.int64))


def expected_calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """``sum_b n_b / N * |accuracy_b - confidence_b|`` over bins of equal width, 0 to 1."""
    return reliability_curve(probabilities, labels, bins).error


def adaptive_calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """The same sum over bins of equal count; see :func:`reliability_curve` for ties.

    Source: AdaECE of Mukhoti et al., arXiv 2002.09437, after Nguyen & O'Connor, EMNLP 2015.
    """
    return reliability_curve(probabilities, labels, bins, equal_mass=True).error
