# SPDX-License-Identifier: Apache-2.0
"""Pictures of a training run and of an evaluation, as matplotlib figures in the page's style.

They take plain arrays and the dataclasses of :mod:`scaledrop.metrics`, decide nothing and read no
files. :func:`scaledrop_flow.report.style.svg` puts one on the page,
:func:`scaledrop_flow.report.style.save` into a file.
"""

from scaledrop_flow.report.evaluation.confidence import reliability_picture, risk_coverage_picture
from scaledrop_flow.report.evaluation.segmentation import segmentation_picture
from scaledrop_flow.report.evaluation.training import (
    scale_picture,
    training_picture,
    variance_picture,
)
from scaledrop_flow.report.evaluation.uncertainty import entropy_split_picture, ood_picture

__all__ = [
    "entropy_split_picture",
    "ood_picture",
    "reliability_picture",
    "risk_coverage_picture",
    "scale_picture",
    "segmentation_picture",
    "training_picture",
    "variance_picture",
]
