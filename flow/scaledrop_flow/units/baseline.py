# SPDX-License-Identifier: Apache-2.0
"""Figures that were agreed on, by version of the tools; what differs from them, and by how much."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop_flow.units.measure import SEEDS, Cells, Figures, figures_from, versions

__all__ = ["Difference", "baseline_path", "compare", "read_baseline", "write_baseline"]

FORMAT = 1
CELLS_SHARE, CELLS_LEAST = 0.02, 8
"""Cells may grow or shrink by this share, or this many."""

CLOCK_SHARE = 0.10
"""The median clock may fall or rise by this share: three seeds of one text differ by as much."""


@dataclass(frozen=True)
class Difference:
    """A figure beyond its tolerance."""

    unit: str
    figure: str
    was: float
    now: float
    allowed: float

    def __str__(self) -> str:
        moved = f"{self.was:g} -> {self.now:g}, {self.allowed:.3g} allowed"
        return f"{self.unit} {self.figure}: {moved}"


def baseline_path(folder: Path, tools: Mapping[str, str] | None = None) -> Path:
    """File of the baseline of these versions of the tools, by default those at hand."""
    told = (tools or versions()).values()
    return folder / f"{'_'.join(one.replace(' ', '-') for one in told)}.json"


def write_baseline(path: Path, figures: Mapping[str, Figures], label: str) -> None:
    """Keep ``figures``, in the place of those of the same units, and whatever else is there.

    Args:
        label: Of the version of the design that they are of.

    Raises:
        UserError: see :func:`read_baseline`.
    """
    figures = {**(read_baseline(path) if path.exists() else {}), **figures}
    values = {
        "format": FORMAT,
        "label": label,
        "tools": versions(),
        "seeds": list(SEEDS),
        "tolerances": {"cells": CELLS_SHARE, "cells_least": CELLS_LEAST, "clock": CLOCK_SHARE},
        "units": {name: asdict(one) for name, one in sorted(figures.items())},
    }
    write_atomically(path, (json.dumps(values, indent=1) + "\n").encode())


def read_baseline(path: Path) -> dict[str, Figures]:
    """Name of a unit to its figures.

    Raises:
        UserError: there is none for these tools, or the file is of another format.
    """
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        remedy = "record one with scaledrop units --record LABEL"
        raise UserError(f"baseline: no {path}; {remedy}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"baseline: {path} cannot be read ({error}); record it again") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise UserError(f"baseline: {path} is not of format {FORMAT}; record it again")
    return {name: figures_from(one) for name, one in values["units"].items()}


def _cells(unit: str, family: str, was: Cells, now: Cells) -> list[Difference]:
    found = []
    for figure, before in asdict(was).items():
        after = getattr(now, figure)
        allowed = max(CELLS_LEAST, CELLS_SHARE * before) if before or after else 0
        if figure in ("memories", "multipliers"):
            allowed = 0
        if abs(after - before) > allowed:
            found.append(Difference(unit, f"{family} {figure}", before, after, allowed))
    return found


def compare(was: Mapping[str, Figures], now: Mapping[str, Figures]) -> list[Difference]:
    """What of ``now`` is beyond the tolerances; units that only one of the two has are left out."""
    found = []
    for name in sorted(set(was) & set(now)):
        before, after = was[name], now[name]
        found += _cells(name, "ice40", before.ice40, after.ice40)
        found += _cells(name, "ecp5", before.ecp5, after.ecp5)
        clock, reached = before.median_mhz, after.median_mhz
        if clock and reached and abs(reached - clock) > CLOCK_SHARE * clock:
            found.append(Difference(name, "ecp5 MHz", clock, reached, CLOCK_SHARE * clock))
    return found
