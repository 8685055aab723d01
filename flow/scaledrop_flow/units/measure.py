# SPDX-License-Identifier: Apache-2.0
"""Cells and clock of one unit; what was measured once is kept, so that a run can be resumed."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop_flow.synthesis.cells import FAMILIES, OPTIONS, CellCounts, synthesize
from scaledrop_flow.synthesis.place import place_and_route
from scaledrop_flow.synthesis.tools import tool_version
from scaledrop_flow.units.catalogue import Unit

__all__ = [
    "LARGEST_PLACED",
    "SEEDS",
    "TOOLS",
    "Cells",
    "Figures",
    "figures_from",
    "measure",
    "versions",
]

SEEDS = (1, 2, 3)
LARGEST_PLACED = 6000
"""LUT4; what takes more is mapped only: a seed would take minutes."""
TOOLS = ("yosys", "nextpnr-ecp5")


@dataclass(frozen=True)
class Cells:
    """What a unit takes: four-input tables, flip-flops, block memories, multipliers."""

    lut4: int
    flipflops: int
    memories: int
    multipliers: int


@dataclass(frozen=True)
class Figures:
    """A unit as measured.

    Attributes:
        ice40: Of the unit alone.
        ecp5: Of the unit alone.
        mhz: Between registers on ECP5, LFE5U-25F speed grade 6, one figure a seed; empty where
            the clock was not asked for, or the unit takes more than ``LARGEST_PLACED``.
    """

    ice40: Cells
    ecp5: Cells
    mhz: tuple[float, ...]

    @property
    def median_mhz(self) -> float | None:
        return round(statistics.median(self.mhz), 1) if self.mhz else None

    @property
    def spread_mhz(self) -> float | None:
        """Best less worst."""
        return round(max(self.mhz) - min(self.mhz), 1) if self.mhz else None


def versions() -> dict[str, str]:
    """Tool to its version, as baselines are named by."""
    return {tool: tool_version(tool) for tool in TOOLS}


def _cells(counts: CellCounts) -> Cells:
    return Cells(counts.lut4, counts.flipflops, counts.memories, counts.multipliers)


def _measured(unit: Unit, seeds: Sequence[int]) -> Figures:
    ice40, ecp5 = (
        _cells(synthesize(unit.verilog, family, options=OPTIONS[family]).counts)
        for family in FAMILIES
    )
    mhz: tuple[float, ...] = ()
    if seeds and ecp5.lut4 <= LARGEST_PLACED:
        netlist = synthesize(unit.registered, "ecp5", options=OPTIONS["ecp5"])
        mhz = tuple(round(one, 2) for one in place_and_route(netlist, seeds).mhz)
    return Figures(ice40, ecp5, mhz)


def _key(unit: Unit, seeds: Sequence[int]) -> str:
    told = [*versions().values(), json.dumps(dict(OPTIONS)), str(list(seeds)), unit.registered]
    return hashlib.sha256("\n".join([*told, unit.verilog]).encode()).hexdigest()[:20]


def figures_from(values: Mapping[str, object]) -> Figures:
    """The inverse of ``dataclasses.asdict``."""
    ice40, ecp5, mhz = values["ice40"], values["ecp5"], values["mhz"]
    assert isinstance(ice40, dict) and isinstance(ecp5, dict) and isinstance(mhz, list)
    return Figures(Cells(**ice40), Cells(**ecp5), tuple(mhz))


def measure(unit: Unit, cache: Path, seeds: Sequence[int] = SEEDS) -> Figures:
    """Map ``unit`` to both families; place and route it on ECP5 once a seed.

    Args:
        cache: Figures lie here under the digest of texts, options, seeds and tools' versions.
        seeds: Of place and route; none leaves the clock away.

    Raises:
        UserError: a tool is missing or fails.
    """
    path = cache / "units" / f"{_key(unit, seeds)}.json"
    if path.exists():
        return figures_from(json.loads(path.read_text()))
    found = _measured(unit, seeds)
    write_atomically(path, (json.dumps(asdict(found)) + "\n").encode())
    return found
