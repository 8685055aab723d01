# SPDX-License-Identifier: Apache-2.0
"""Random number generators and the joules of one number: spin unit, shift register, published."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from scaledrop.energy.band import Band, Label
from scaledrop.energy.documents import Number, read_rows
from scaledrop.energy.rows import Row
from scaledrop.energy.table import TechnologyTable
from scaledrop.numbers import DROP_BITS

__all__ = [
    "FAIR_BITS",
    "GENERATORS",
    "LFSR_BITS",
    "Generator",
    "Gives",
    "lfsr",
    "load_generators",
    "spin_unit",
]

GENERATORS = Path(__file__).parent / "generators.yaml"
UNITS = {name: f"{name}_j, in joules" for name in ("energy", "low", "high")}
LFSR_BITS = 32
"""Stages of the shift register."""
FAIR_BITS = Band(DROP_BITS, 2, DROP_BITS)
"""Fair bits for one bit of probability p: a word of DROP_BITS compared with p in fixed time, or 2
in the mean where the comparison goes bit by bit and stops at the first difference."""


class Gives(StrEnum):
    """What a published generator gives."""

    FAIR_BIT = "fair_bit"
    GAUSSIAN = "gaussian"


@dataclass(frozen=True)
class Generator:
    """What one number of a network costs.

    Attributes:
        name: Of the generator.
        joules: Of one bit of probability p, or of one Gaussian sample.
        gaussian: Which of the two it gives.
        source, label, note: As in a technology table.
    """

    name: str
    joules: Band
    gaussian: bool
    source: str
    label: Label
    note: str = ""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    generator: str
    gives: Gives
    node_nm: Number
    energy_j: Number
    low_j: Number
    high_j: Number
    source: str
    label: Label
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("node_nm", "energy_j", "low_j", "high_j"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a finite number, 0 or more, not {value:g}")
        if not self.low_j <= self.energy_j <= self.high_j:
            raise ValueError(
                f"low_j {self.low_j:g}, energy_j {self.energy_j:g} and high_j {self.high_j:g} must "
                "be in this order; sort them"
            )
        if not self.source.strip():
            raise ValueError("source is empty; name the paper")
        return self


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    rows: tuple[_Row, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, count in Counter(row.generator for row in self.rows).items():
            if count > 1:
                raise ValueError(f"generator {name!r} appears {count} times; keep one row")
        return self


def load_generators(path: Path = GENERATORS) -> tuple[Generator, ...]:
    """Generators of a file; a fair bit is priced as :data:`FAIR_BITS` of them.

    Raises:
        UserError: the file breaks a rule. The message names row and field.
    """
    file = read_rows(
        path, _File, kind="generators", key="generator", example=GENERATORS.name, units=UNITS
    )
    return tuple(_of_row(row) for row in file.rows)


def _of_row(row: _Row) -> Generator:
    gaussian = row.gives is Gives.GAUSSIAN
    needed = Band(1, 1, 1) if gaussian else FAIR_BITS
    joules = Band(row.energy_j * needed.value, row.low_j * needed.low, row.high_j * needed.high)
    note = row.note
    if not gaussian:
        note += f" Fair bits: {DROP_BITS} make one of probability p, 2 in the mean for low."
    name = row.generator.replace("_", " ")
    return Generator(name, joules, gaussian, row.source, row.label, note.strip())


def _from_rows(rows: Iterable[Row], name: str, joules: Band, note: str) -> Generator:
    """With the sources of the rows, and the label of the least trusted."""
    rows, order = tuple(rows), list(Label)
    label = max((row.label for row in rows), key=order.index)
    source = "; ".join(dict.fromkeys(row.source for row in rows))
    return Generator(name, joules, False, source, label, note)


def spin_unit(table: TechnologyTable) -> Generator:
    """Reset, write and read of the junction: a bit of probability p at once.

    Raises:
        UserError: the table lacks a row of the spin unit.
    """
    rows = [table.row(name) for name in ("spin_reset", "spin_write", "spin_read")]
    joules = sum((row.band for row in rows), Band(0.0, 0.0, 0.0))
    return _from_rows(rows, "spin unit", joules, "One reset, one write, one read.")


def lfsr(table: TechnologyTable) -> Generator:
    """A shift register of :data:`LFSR_BITS` stages, each read and written at a clock, and a
    comparator of DROP_BITS.

    Value and low: one clock gives all DROP_BITS new bits (leap-forward). High: one clock a bit.
    Its exclusive-ors, and its clock while it waits, are not counted.

    Raises:
        UserError: the table lacks registers or comparators.
    """
    register, comparator = table.row("register"), table.row("comparator")
    shift = register.band * (2 * LFSR_BITS / register.width)
    compare = comparator.band * (DROP_BITS / comparator.width)
    joules = compare + Band(shift.value, shift.low, shift.high * DROP_BITS)
    note = f"{LFSR_BITS} stages; pseudorandom. Exclusive-ors and idle clock are not counted."
    return _from_rows((register, comparator), "shift register", joules, note)
