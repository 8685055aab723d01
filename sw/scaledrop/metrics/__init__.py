# SPDX-License-Identifier: Apache-2.0
"""Accuracy, calibration, out-of-distribution, selective and segmentation scores of predictions.

NumPy arrays in, floats and small dataclasses out; torchmetrics where it is exact.
"""

from scaledrop.metrics.classification import (
    ReliabilityCurve,
    accuracy,
    adaptive_calibration_error,
    brier,
    expected_calibration_error,
    negative_log_likelihood,
    reliability_curve,
)
from scaledrop.metrics.ood import OodScores, auroc, ood_scores, roc_curve
from scaledrop.metrics.segmentation import SegmentationScores, segmentation_scores
from scaledrop.metrics.selective import RiskCoverage, risk_coverage

__all__ = [
    "OodScores",
    "ReliabilityCurve",
    "RiskCoverage",
    "SegmentationScores",
    "accuracy",
    "adaptive_calibration_error",
    "auroc",
    "brier",
    "expected_calibration_error",
    "negative_log_likelihood",
    "ood_scores",
    "reliability_curve",
    "risk_coverage",
    "roc_curve",
    "segmentation_scores",
]
