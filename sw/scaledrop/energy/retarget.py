# SPDX-License-Identifier: Apache-2.0
"""A technology table brought to another node and supply."""

from __future__ import annotations

from typing import TypeVar

from scaledrop.energy.band import Label
from scaledrop.energy.rows import AreaRow, Figure, Scaling
from scaledrop.energy.scaling import (
    converter_energy_factor,
    logic_area_factor,
    logic_energy_factor,
)
from scaledrop.energy.table import TechnologyTable
from scaledrop.errors import UserError

__all__ = ["retarget"]

AnyRow = TypeVar("AnyRow", bound=Figure)
TRUST = list(Label)


def _factor(row: Figure, node_nm: float, supply_v: float) -> float:
    if isinstance(row, AreaRow):
        return logic_area_factor(node_nm) / logic_area_factor(row.node_nm)
    if row.scaling is Scaling.CONVERTER:
        return converter_energy_factor(node_nm) / converter_energy_factor(row.node_nm)
    return logic_energy_factor(node_nm, supply_v) / logic_energy_factor(row.node_nm, row.supply_v)


def _moved(row: AnyRow, node_nm: float, supply_v: float) -> AnyRow:
    if row.scaling is Scaling.NONE:
        return row
    label = max(row.label, Label.CALC, key=TRUST.index)
    return row.with_band(
        row.band * _factor(row, node_nm, supply_v),
        node_nm=node_nm,
        supply_v=supply_v,
        label=label,
        source=f"{row.source}; scaled from {row.node_nm:g} nm, {row.supply_v:g} V",
    )


def retarget(table: TechnologyTable, node_nm: float, supply_v: float) -> TechnologyTable:
    """``table`` at another node: rows scale as their ``scaling`` says, and are labelled so.

    Args:
        node_nm: 7 to 130; with areas 16 to 45.
        supply_v: 0.4 to 1.8.

    Raises:
        UserError: node or supply outside of the scaling table.
    """
    rows = tuple(_moved(row, node_nm, supply_v) for row in table.rows)
    leakage = tuple(_moved(row, node_nm, supply_v) for row in table.leakage)
    try:
        areas = tuple(_moved(row, node_nm, supply_v) for row in table.areas)
    except UserError:
        # Energies reach further than areas.
        areas = ()
    return TechnologyTable(
        name=f"{table.name} at {node_nm:g} nm, {supply_v:g} V",
        description=table.description,
        clock_hz=table.clock_hz,
        rows=rows,
        leakage=leakage,
        areas=areas,
    )
