# SPDX-License-Identifier: Apache-2.0
"""Pictures, tables and a page of energy estimates, each from plain figures."""

from scaledrop_flow.energy_report.bands import band_picture
from scaledrop_flow.energy_report.breakdown import breakdown_picture
from scaledrop_flow.energy_report.data import (
    Bar,
    Ceiling,
    Kind,
    Level,
    RooflinePoint,
    Step,
    Swing,
    bar_of,
    level_of,
    reference_level,
)
from scaledrop_flow.energy_report.roofline import roofline_picture
from scaledrop_flow.energy_report.tornado import tornado_picture
from scaledrop_flow.energy_report.waterfall import waterfall_picture

__all__ = [
    "Bar",
    "Ceiling",
    "Kind",
    "Level",
    "RooflinePoint",
    "Step",
    "Swing",
    "band_picture",
    "bar_of",
    "breakdown_picture",
    "level_of",
    "reference_level",
    "roofline_picture",
    "tornado_picture",
    "waterfall_picture",
]
