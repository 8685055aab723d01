# SPDX-License-Identifier: Apache-2.0
"""What is claimed, held against what was measured; no verdict is written by hand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from scaledrop.energy.band import Label
from scaledrop.energy.documents import read_rows

__all__ = ["CLAIMS", "Claim", "Finding", "Verdict", "load_claims"]

CLAIMS = Path(__file__).parent / "claims.yaml"


class Verdict(StrEnum):
    """What the measurement says of a claim."""

    YES = "reproduced"
    PART = "reproduced in part"
    NO = "not reproduced"
    UNTESTED = "not tested"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        measured: In words and numbers, from the tables alone.
        on: What it was measured on.
        verdict: That follows.
        reason: Why it does not reproduce, or cannot be tested, where that is known.
    """

    measured: str
    on: str
    verdict: Verdict
    reason: str = ""


class Claim(BaseModel):
    """A row of the file of claims.

    Attributes:
        claim: Unique name.
        says: What is claimed.
        source, label: Where it was read, and how far that is trusted.
        check: Name of the function of :mod:`scaledrop_flow.comparison.checks`.
        wanted: Number that is claimed; 0 where there is none.
        scores: Columns that the check looks at.
        rivals: Methods that Scale-Dropout is held against.
        reason: Why it is not tested here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: str
    says: str
    source: str
    label: Label
    check: str
    wanted: float = 0.0
    scores: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    reason: str = ""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    rows: tuple[Claim, ...]

    @model_validator(mode="after")
    def _check(self) -> _File:
        names = [row.claim for row in self.rows]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"claim {twice[0]!r} appears {names.count(twice[0])} times; keep one")
        return self


def load_claims(path: Path = CLAIMS) -> tuple[Claim, ...]:
    """The claims of a file.

    Raises:
        UserError: the file breaks a rule. The message names row and field.
    """
    return read_rows(path, _File, kind="claims", key="claim", example=CLAIMS.name, units={}).rows
