# SPDX-License-Identifier: Apache-2.0
"""What every metric refuses, in one place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = ["Floats", "Labels", "bins_in_range", "finite", "probabilities_and_labels"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]


def probabilities_and_labels(
    probabilities: Floats, labels: Labels
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """(..., K) and (...) as (N, K) float64 in [0, 1] and (N,) int64.

    Raises:
        UserError: another shape or dtype, rows that do not sum to 1, a label outside 0 to K - 1.
    """
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    if p.ndim < 2 or 0 in p.shape:
        raise UserError(f"probabilities: shape must be (..., K), not {p.shape}; average the passes")
    if not (p >= 0).all() or not np.allclose(p.sum(axis=-1), 1.0):
        raise UserError("probabilities: rows must be 0 or more and sum to 1; apply softmax first")
    if y.shape != p.shape[:-1] or y.dtype.kind not in "iu":
        raise UserError(
            f"labels: must be {p.shape[:-1]} integers, not {y.shape} {y.dtype}; "
            "give one class for each row of probabilities"
        )
    if y.min() < 0 or y.max() >= p.shape[-1]:
        raise UserError(
            f"labels: must be 0 to {p.shape[-1] - 1}, not {y.min()} to {y.max()}; "
            "leave out what has no class"
        )
    # Rounding may leave a sum, and so a certain class, a hair above 1.
    return np.clip(p, 0.0, 1.0).reshape(-1, p.shape[-1]), y.ravel().astype(np.int64)


def bins_in_range(bins: int) -> int:
    """``bins``, 1 or more."""
    if bins < 1:
        raise UserError(f"bins: must be at least 1, not {bins}; 15 is usual")
    return bins


def finite(field: str, scores: Floats) -> Floats:
    """Scores of any shape as a flat float64 array: one or more, no NaN, no infinity."""
    flat: Floats = np.asarray(scores, dtype=np.float64).ravel()
    if not flat.size or not np.isfinite(flat).all():
        raise UserError(f"{field}: must be one or more finite numbers; check the predictions")
    return flat
