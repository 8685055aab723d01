# SPDX-License-Identifier: Apache-2.0
"""Technology tables: what actions cost, and what components draw and take while they stand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

from scaledrop.energy.band import Band
from scaledrop.energy.documents import Number, read_rows
from scaledrop.energy.rows import AreaRow, Figure, LeakageRow, Row
from scaledrop.errors import UserError

__all__ = ["TechnologyTable", "load_table"]

TABLES = Path(__file__).parent / "tables"
UNITS = {
    **{name: f"{name}_j, in joules" for name in ("energy", "low", "high")},
    "power": "power_w, in watts",
    "area": "area_um2, in square micrometres",
    "clock": "clock_hz, in hertz",
}

AnyRow = TypeVar("AnyRow", bound=Figure)


class TechnologyTable(BaseModel):
    """A named set of rows.

    Attributes:
        name: Short name, printed with every figure made from the table.
        description: What is common to the rows.
        clock_hz: Clock of the accelerator in hertz.
        rows: Joules per action; at least one.
        leakage: Watts while on.
        areas: Square micrometres.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    clock_hz: Number = 100e6
    rows: tuple[Row, ...]
    leakage: tuple[LeakageRow, ...] = ()
    areas: tuple[AreaRow, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.rows:
            raise ValueError("rows is empty; give one row a component")
        if not (math.isfinite(self.clock_hz) and self.clock_hz > 0):
            raise ValueError(f"clock_hz must be a finite number above 0, not {self.clock_hz:g}")
        lists: tuple[Sequence[Figure], ...] = (self.rows, self.leakage, self.areas)
        for rows in filter(None, lists):
            counted = Counter((row.component, row.capacity) for row in rows)
            (name, capacity), count = counted.most_common(1)[0]
            if count > 1:
                size = "" if capacity is None else f" of {capacity} bytes"
                raise ValueError(f"component {name!r}{size} appears {count} times; keep one row")
        return self

    def row(self, component: str, capacity: int | None = None) -> Row:
        """Joules of an action of ``component``, of a memory of ``capacity`` bytes.

        Between two capacities of the table the energy is interpolated, both axes logarithmic. A
        memory smaller than the smallest costs as much as that; a memory larger than the largest is
        made of banks of the largest, of which one works at a time.

        Raises:
            UserError: the table has none.
        """
        return self._find(self.rows, component, capacity, "rows")

    def leak(self, component: str) -> LeakageRow:
        """Watts of ``component``.

        Raises:
            UserError: the table has none.
        """
        return self._find(self.leakage, component, None, "leakage")

    def area(self, component: str) -> AreaRow:
        """Square micrometres of ``component``.

        Raises:
            UserError: the table has none.
        """
        return self._find(self.areas, component, None, "areas")

    def _find(
        self, rows: Sequence[AnyRow], component: str, capacity: int | None, kind: str
    ) -> AnyRow:
        found = [row for row in rows if row.component == component]
        if not found:
            where = "" if kind == "rows" else f" among its {kind}"
            raise UserError(
                f"table {self.name}: has no component {component!r}{where}; add a row for it"
            )
        sized = sorted((row for row in found if row.capacity), key=lambda row: row.capacity or 0)
        if not sized:
            return found[0]
        if capacity is None or capacity <= (sized[0].capacity or 0):
            return sized[0]
        for small, large in pairwise(sized):
            if capacity <= (large.capacity or 0):
                return _between(small, large, capacity)
        return sized[-1]


def _between(small: AnyRow, large: AnyRow, capacity: int) -> AnyRow:
    """A row of ``capacity`` bytes between two of the table."""
    assert small.capacity and large.capacity
    if capacity == large.capacity:
        return large
    part = math.log(capacity / small.capacity) / math.log(large.capacity / small.capacity)

    def mixed(low: float, high: float) -> float:
        return low * (high / low) ** part if low > 0 < high else low + part * (high - low)

    figures = (mixed(*pair) for pair in zip(small.figures, large.figures, strict=True))
    return small.with_band(Band(*figures), capacity=capacity)


def load_table(source: str | Path) -> TechnologyTable:
    """A table by the name of one that ships with the package (``"mtj45"``), or by its file.

    Raises:
        UserError: there is no such file, or it breaks a rule. The message names row and field.
    """
    path = Path(source)
    if path.suffix not in {".yaml", ".yml"}:
        path = TABLES / f"{source}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in TABLES.glob("*.yaml")))
        raise UserError(f"table: no file {path.name}; give a YAML file or one of: {known}")
    return read_rows(
        path, TechnologyTable, kind="table", key="component", example="mtj45.yaml", units=UNITS
    )
