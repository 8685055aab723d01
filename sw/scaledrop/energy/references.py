# SPDX-License-Identifier: Apache-2.0
"""Estimates of the same network by other tools, with the configuration each was made for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from scaledrop.energy.band import Label
from scaledrop.energy.documents import Number, read_rows
from scaledrop.errors import UserError

__all__ = ["REFERENCES", "Reference", "load_references"]

REFERENCES = Path(__file__).parent / "references.yaml"
UNITS = dict.fromkeys(("energy", "nj", "energy_per_pass", "per_pass"), "nj_per_pass, in nanojoules")
ROUNDING = 0.02
"""Parts are printed at two digits: their sum may differ from the total by this share."""


class Reference(BaseModel):
    """What another tool says of one pass.

    Attributes:
        name: Unique within a file.
        tool: With its version.
        network: What was estimated.
        cell: Kind of memory cell.
        on_ohm, off_ohm: Its resistances, where it has any.
        node_nm: Technology node in nanometres.
        rows, columns: Of one array.
        weight_bits, input_bits, adc_bits: Widths.
        nj_per_pass: Nanojoules per image and pass.
        parts_nj: What they are made of, where known; sums to the total.
        source, label, note: As in a technology table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    tool: str
    network: str
    cell: str
    on_ohm: Number | None = None
    off_ohm: Number | None = None
    node_nm: Number
    rows: int
    columns: int
    weight_bits: int
    input_bits: int
    adc_bits: int
    nj_per_pass: Number
    parts_nj: Mapping[str, Number] = {}
    source: str
    label: Label
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for field in ("rows", "columns", "weight_bits", "input_bits", "adc_bits"):
            if (count := getattr(self, field)) < 1:
                raise ValueError(f"{field} must be 1 or more, not {count}")
        figures = {"node_nm": self.node_nm, "nj_per_pass": self.nj_per_pass}
        for field in ("on_ohm", "off_ohm"):
            if (ohms := getattr(self, field)) is not None:
                figures[field] = ohms
        for field, value in (figures | dict(self.parts_nj)).items():
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{field} must be a finite number above 0, not {value:g}")
        total = sum(self.parts_nj.values())
        if self.parts_nj and abs(total - self.nj_per_pass) > ROUNDING * self.nj_per_pass:
            raise ValueError(
                f"parts_nj sum to {total:g}, not to nj_per_pass {self.nj_per_pass:g}; add what is "
                "missing as other"
            )
        return self

    @property
    def joules(self) -> float:
        """Per image and pass."""
        return self.nj_per_pass * 1e-9

    @property
    def parts(self) -> dict[str, float]:
        """Joules of each part, per image and pass; empty where not known."""
        return {name: nj * 1e-9 for name, nj in self.parts_nj.items()}

    @property
    def configuration(self) -> str:
        """In one line."""
        ohms = (
            ""
            if self.on_ohm is None or self.off_ohm is None
            else f", {self.on_ohm / 1e3:g} and {self.off_ohm / 1e3:g} kOhm"
        )
        return (
            f"{self.network}, {self.weight_bits}-bit weights and "
            f"{self.input_bits}-bit inputs, {self.rows} x {self.columns} arrays of {self.cell}"
            f"{ohms}, {self.adc_bits}-bit converter, {self.node_nm:g} nm"
        )


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    rows: tuple[Reference, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, count in Counter(row.name for row in self.rows).items():
            if count > 1:
                raise ValueError(f"name {name!r} appears {count} times; keep one row")
        return self


def load_references(path: Path = REFERENCES) -> tuple[Reference, ...]:
    """Estimates that ship with the package, or those of a file of the same form.

    Raises:
        UserError: there is no such file, or it breaks a rule. The message names row and field.
    """
    if not path.is_file():
        raise UserError(f"references: no file {path.name}; give a YAML file like {REFERENCES.name}")
    return read_rows(
        path, _File, kind="references", key="name", example=REFERENCES.name, units=UNITS
    ).rows
