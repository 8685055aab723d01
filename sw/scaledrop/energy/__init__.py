# SPDX-License-Identifier: Apache-2.0
"""Joules, seconds and area of one prediction: counted events times a technology table."""

from scaledrop.energy.band import Band, Label, format_area, format_band, format_joules, total
from scaledrop.energy.estimate import Machine, estimate
from scaledrop.energy.outcome import NOT_COUNTED, Component, EnergyEstimate
from scaledrop.energy.retarget import retarget
from scaledrop.energy.rows import AreaRow, LeakageRow, Row, Scaling
from scaledrop.energy.rules import EVENTS, adc_bits
from scaledrop.energy.sensitivity import Swing, sensitivity
from scaledrop.energy.sizes import Capacities, Sizes
from scaledrop.energy.table import TechnologyTable, load_table

__all__ = [
    "EVENTS",
    "NOT_COUNTED",
    "AreaRow",
    "Band",
    "Capacities",
    "Component",
    "EnergyEstimate",
    "Label",
    "LeakageRow",
    "Machine",
    "Row",
    "Scaling",
    "Sizes",
    "Swing",
    "TechnologyTable",
    "adc_bits",
    "estimate",
    "format_area",
    "format_band",
    "format_joules",
    "load_table",
    "retarget",
    "sensitivity",
    "total",
]
