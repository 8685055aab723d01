# SPDX-License-Identifier: Apache-2.0
"""Technology tables: what one event costs in joules, with its band, its source and its trust."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from scaledrop.energy.documents import Number, read_rows
from scaledrop.errors import UserError

__all__ = ["Band", "Label", "Row", "TechnologyTable", "format_band", "format_joules", "load_table"]

TABLES = Path(__file__).parent / "tables"
UNITS = {name: f"{name}_j, in joules" for name in ("energy", "low", "high")}

_PREFIXES = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "uJ"), (1e-9, "nJ"), (1e-12, "pJ"), (1e-15, "fJ"))


class Label(StrEnum):
    """How far a figure is trusted; a row carries the label of its least trusted figure."""

    S = "S"
    """Read in the source itself."""
    S_ABS = "S-abs"
    """Read in the source's abstract or first page only."""
    S_SEC = "S-sec"
    """Read in a secondary source."""
    RUN = "RUN"
    """Reproduced by running a published tool."""
    CALC = "CALC"
    """Arithmetic on other figures, or a stated factor around one."""
    MEM = "MEM"
    """Remembered. Unverified."""


@dataclass(frozen=True)
class Band:
    """An energy in joules with its band, ``low <= value <= high``."""

    value: float
    low: float
    high: float

    def __add__(self, other: Band) -> Band:
        """Bounds add too: whatever made one figure high may make the other high as well."""
        return Band(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> Band:
        return Band(self.value * factor, self.low * factor, self.high * factor)


def _two_digits(joules: float) -> tuple[str, str]:
    # At two digits 995 pJ is 1.0 nJ and 9.96 pJ is 10 pJ.
    scale, unit = next((p for p in _PREFIXES if joules >= p[0] * 0.995), _PREFIXES[-1])
    figure = joules / scale
    return f"{figure:.1f}" if figure < 9.95 else f"{float(f'{figure:.1e}'):.0f}", unit


def format_joules(joules: float) -> str:
    """``"31 nJ"``: two significant digits."""
    return " ".join(_two_digits(joules))


def format_band(band: Band) -> str:
    """``"31 nJ (12 to 95 nJ)"``: two significant digits, the band always with the value."""
    (value, unit), (low, low_unit), (high, high_unit) = (
        _two_digits(joules) for joules in (band.value, band.low, band.high)
    )
    between = f"{low} to" if low_unit == high_unit else f"{low} {low_unit} to"
    return f"{value} {unit} ({between} {high} {high_unit})"


class Row(BaseModel):
    """What one event of one component costs.

    Attributes:
        component: Name, unique within the table.
        node_nm: Technology node in nanometres. Nothing is rescaled between nodes.
        supply_v: Supply in volts.
        bits, size: Width in bits, or number of devices, that the energy is for: exactly one.
        energy_j, low_j, high_j: Joules, and the band around them.
        source: Where the figures come from.
        label: Trust in the least trusted of the three figures.
        note: How the figures were made from the source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    component: str
    node_nm: Number
    supply_v: Number
    bits: int | None = None
    size: int | None = None
    energy_j: Number
    low_j: Number
    high_j: Number
    source: str
    label: Label
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.bits is None) == (self.size is None):
            raise ValueError("needs either bits or size, one of them; say what the energy is for")
        for name in ("bits", "size"):
            if (count := getattr(self, name)) is not None and count < 1:
                raise ValueError(f"{name} must be 1 or more, not {count}")
        for name in ("node_nm", "supply_v", "energy_j", "low_j", "high_j"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a finite number, 0 or more, not {value:g}")
        if self.low_j > self.energy_j:
            raise ValueError(f"low_j {self.low_j:g} is above energy_j {self.energy_j:g}; swap them")
        if self.energy_j > self.high_j:
            raise ValueError(
                f"energy_j {self.energy_j:g} is above high_j {self.high_j:g}; swap them"
            )
        if not self.source.strip():
            raise ValueError("source is empty; name the paper, tool or calculation")
        return self

    @property
    def band(self) -> Band:
        return Band(self.energy_j, self.low_j, self.high_j)

    @property
    def width(self) -> int:
        """``bits`` or ``size``, whichever the row gives."""
        return self.bits or self.size or 1


class TechnologyTable(BaseModel):
    """A named set of rows, one a component.

    Attributes:
        name: Short name, printed with every figure made from the table.
        description: What is common to the rows.
        rows: At least one :class:`Row`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.rows:
            raise ValueError("rows is empty; give one row a component")
        name, count = Counter(row.component for row in self.rows).most_common(1)[0]
        if count > 1:
            raise ValueError(f"component {name!r} appears {count} times; keep one row")
        return self

    def row(self, component: str) -> Row:
        """The row of ``component``.

        Raises:
            UserError: the table has none.
        """
        for row in self.rows:
            if row.component == component:
                return row
        raise UserError(f"table {self.name}: has no component {component!r}; add a row for it")


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
