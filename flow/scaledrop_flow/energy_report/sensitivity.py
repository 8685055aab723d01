# SPDX-License-Identifier: Apache-2.0
"""What every row of a technology table does to a total: the swings of a tornado."""

from __future__ import annotations

from collections.abc import Callable

from scaledrop.energy import TechnologyTable
from scaledrop.energy.table import Label
from scaledrop_flow.energy_report.data import Swing

__all__ = ["swings_of"]


def swings_of(table: TechnologyTable, total: Callable[[TechnologyTable], float]) -> list[Swing]:
    """One swing a row, the others at their values, in the order of the table.

    Args:
        table: Around whose values it swings.
        total: Joules per image with a table; called twice a row.
    """

    def moved(component: str, end: str) -> float:
        rows = [
            row.model_copy(update={"energy_j": getattr(row, end)})
            if row.component == component
            else row
            for row in table.rows
        ]
        return total(table.model_copy(update={"rows": tuple(rows)}))

    return [
        Swing(
            row.component,
            moved(row.component, "low_j"),
            moved(row.component, "high_j"),
            row.label is Label.MEM,
        )
        for row in table.rows
    ]
