# SPDX-License-Identifier: Apache-2.0
"""Selective prediction: answer only where the uncertainty is low, and count the errors left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.metrics.checks import Floats, finite

__all__ = ["RiskCoverage", "risk_coverage"]


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Risk at coverages 1/N, 2/N, ..., 1.

    Attributes:
        coverage: (N,) share of the inputs that are answered, the least uncertain first.
        risk: (N,) share of wrong answers among them, 0 to 1.
        optimal: (N,) the same for an oracle that puts every wrong answer last.
    """

    coverage: Floats
    risk: Floats
    optimal: Floats

    @property
    def aurc(self) -> float:
        """``mean_k risk_k``, 0 to 1; 0 is best; the error rate if the score says nothing."""
        return float(self.risk.mean())

    @property
    def e_aurc(self) -> float:
        """``mean_k (risk_k - optimal_k)``, >= 0: what the order of the score costs."""
        return max(0.0, float((self.risk - self.optimal).mean()))


def _expected_errors(scores: Floats, wrong: npt.NDArray[np.bool_]) -> Floats:
    """(N,) errors among the first k, on average over the orders of equal scores."""
    _, group, size = np.unique(scores, return_inverse=True, return_counts=True)
    errors = np.bincount(group, weights=wrong)
    before, start = np.cumsum(errors) - errors, np.cumsum(size) - size
    position = np.arange(1, len(scores) + 1) - np.repeat(start, size)
    result: Floats = np.repeat(before, size) + position * np.repeat(errors / size, size)
    return result


def risk_coverage(uncertainty: Floats, wrong: npt.NDArray[np.bool_]) -> RiskCoverage:
    """Risk against coverage.

    Inputs of equal uncertainty cannot be told apart: the risk inside such a group is the mean over
    all their orders, so that neither the order of the data nor the sorting routine matters.

    Args:
        uncertainty: (N,) or any shape, float, finite; lower is answered first.
        wrong: the same shape, bool: whether the prediction is not the label.

    Raises:
        UserError: another shape or dtype, no inputs, or not finite.

    Source: Geifman et al., arXiv 1805.08206; the optimum is counted, not their approximation.
    """
    scores, errors = finite("uncertainty", uncertainty), np.asarray(wrong)
    if errors.shape != np.shape(uncertainty) or errors.dtype != np.bool_:
        raise UserError(
            f"wrong: must be {np.shape(uncertainty)} bool, not {errors.shape} {errors.dtype}; "
            "give predicted != labels"
        )
    accepted = np.arange(1, scores.size + 1)
    right = scores.size - int(errors.sum())
    return RiskCoverage(
        coverage=accepted / scores.size,
        risk=_expected_errors(scores, errors.ravel()) / accepted,
        optimal=np.maximum(accepted - right, 0) / accepted,
    )
