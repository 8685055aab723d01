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
    bar_of,
    level_of,
    reference_level,
)
from scaledrop_flow.energy_report.page import (
    EnergySection,
    Picture,
    render_page,
    render_section,
)
from scaledrop_flow.energy_report.roofline import roofline_picture
from scaledrop_flow.energy_report.tables import (
    bars_table,
    breakdown_table,
    comparison_table,
    sources_table,
)
from scaledrop_flow.energy_report.tornado import tornado_picture
from scaledrop_flow.energy_report.utilisation import ceilings_of, points_of
from scaledrop_flow.energy_report.waterfall import waterfall_picture

__all__ = [
    "Bar",
    "Ceiling",
    "EnergySection",
    "Kind",
    "Level",
    "Picture",
    "RooflinePoint",
    "Step",
    "band_picture",
    "bar_of",
    "bars_table",
    "breakdown_picture",
    "breakdown_table",
    "ceilings_of",
    "comparison_table",
    "level_of",
    "points_of",
    "reference_level",
    "render_page",
    "render_section",
    "roofline_picture",
    "sources_table",
    "tornado_picture",
    "waterfall_picture",
]
