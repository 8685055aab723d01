# SPDX-License-Identifier: Apache-2.0
"""How far the total moves with each row of the table: the lengths of a tornado chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from scaledrop.energy.band import Band, Label
from scaledrop.energy.estimate import Machine, estimate
from scaledrop.energy.rows import Figure
from scaledrop.energy.table import TechnologyTable

__all__ = ["Swing", "sensitivity"]

AnyRow = TypeVar("AnyRow", bound=Figure)


@dataclass(frozen=True)
class Swing:
    """Total joules per image with one row at its low and at its high figure, the others at their
    values.

    Attributes:
        name: Of the row.
        low, high: Joules per image.
        unverified: The row is remembered.
    """

    name: str
    low: float
    high: float
    unverified: bool = False

    @property
    def width(self) -> float:
        return abs(self.high - self.low)


def _at(row: AnyRow, figure: float) -> AnyRow:
    return row.with_band(Band(figure, figure, figure))


def _pinned(table: TechnologyTable, kind: str, name: str, end: str) -> TechnologyTable:
    """The table with every row called ``name`` in one list at one end of its band."""
    rows = {
        key: tuple(
            _at(row, getattr(row.band, end)) if key == kind and row.component == name else row
            for row in getattr(table, key)
        )
        for key in ("rows", "leakage")
    }
    return table.model_copy(update=rows)


def sensitivity(
    events: Mapping[str, Mapping[str, int]],
    machine: Machine,
    table: TechnologyTable,
    images: int,
) -> tuple[Swing, ...]:
    """One swing for each component of the table's energies and leakages, the widest first.

    Args and Raises: as :func:`scaledrop.energy.estimate.estimate`.
    """
    swings = []
    for kind, what in (("rows", ""), ("leakage", " leakage")):
        for name in dict.fromkeys(row.component for row in getattr(table, kind)):
            low, high = (
                estimate(events, machine, _pinned(table, kind, name, end), images).joules.value
                for end in ("low", "high")
            )
            labels = {row.label for row in getattr(table, kind) if row.component == name}
            swings.append(Swing(f"{name}{what}", low, high, Label.MEM in labels))
    return tuple(sorted(swings, key=lambda swing: -swing.width))
