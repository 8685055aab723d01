# SPDX-License-Identifier: Apache-2.0
"""Joules of one prediction: event counts times energies from a technology table."""

from scaledrop.energy.estimate import NOT_COUNTED, Component, EnergyEstimate, estimate
from scaledrop.energy.rules import EVENTS, Sizes, adc_bits
from scaledrop.energy.table import Band, Row, TechnologyTable, format_band, load_table

__all__ = [
    "EVENTS",
    "NOT_COUNTED",
    "Band",
    "Component",
    "EnergyEstimate",
    "Row",
    "Sizes",
    "TechnologyTable",
    "adc_bits",
    "estimate",
    "format_band",
    "load_table",
]
