# SPDX-License-Identifier: Apache-2.0
"""Published energies of one prediction: rows with source and trust, and a reader's own rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, StrictBool, model_validator

from scaledrop.energy.band import Label
from scaledrop.energy.documents import Number, read_rows
from scaledrop.errors import UserError

__all__ = ["PUBLISHED", "Published", "load_published", "with_own"]

PUBLISHED = Path(__file__).parent / "published.yaml"
UNITS = dict.fromkeys(
    ("energy", "uj", "joules", "energy_per_image", "per_image"),
    "uj_per_image, in microjoules",
)


class Published(BaseModel):
    """What one prediction costs according to a publication.

    Attributes:
        name: Unique within a file.
        method: What is drawn.
        hardware: What it runs on.
        dataset, network: What was measured; empty where not known.
        uj_per_image: Microjoules, all passes.
        source: Where the figure comes from.
        label: How far it is trusted.
        verified: Somebody has seen the figure, or what it is calculated from, in its source.
        baseline: A claim of "100 times less" is about it; false for the paper that makes the claim
            and its forerunners, which are shown and decide nothing.
        note: How it was made from the source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    method: str
    hardware: str
    dataset: str = ""
    network: str = ""
    uj_per_image: Number
    source: str
    label: Label
    verified: StrictBool
    baseline: StrictBool = True
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (math.isfinite(self.uj_per_image) and self.uj_per_image > 0):
            raise ValueError(
                f"uj_per_image must be a finite number above 0, not {self.uj_per_image:g}; "
                "give microjoules per image"
            )
        for field in ("name", "source"):
            if not getattr(self, field).strip():
                raise ValueError(f"{field} is empty; say what was published where")
        if self.verified and self.label is Label.MEM:
            raise ValueError(
                "verified is true but label is MEM; say false, or give the label of what was read"
            )
        return self

    @property
    def joules(self) -> float:
        """Per image."""
        return self.uj_per_image * 1e-6

    @property
    def title(self) -> str:
        """The name, called unverified where it is."""
        return self.name if self.verified else f"{self.name} (unverified)"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    rows: tuple[Published, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.rows:
            raise ValueError("rows is empty; give one row a publication")
        name, count = Counter(row.name for row in self.rows).most_common(1)[0]
        if count > 1:
            raise ValueError(f"name {name!r} appears {count} times; keep one row")
        return self


def load_published(path: Path = PUBLISHED) -> tuple[Published, ...]:
    """The rows that ship with the package, or those of a file of the same form.

    Raises:
        UserError: there is no such file, or it breaks a rule. The message names row and field.
    """
    if not path.is_file():
        raise UserError(f"published: no file {path.name}; give a YAML file like {PUBLISHED.name}")
    file = read_rows(path, _File, kind="published", key="name", example=PUBLISHED.name, units=UNITS)
    return file.rows


def with_own(rows: Iterable[Published], own: Iterable[Published]) -> tuple[Published, ...]:
    """``rows`` with a reader's ``own`` in place of those of the same name, and the rest of them
    behind."""
    replaced = {row.name: row for row in rows}
    replaced |= {row.name: row for row in own}
    return tuple(replaced.values())
