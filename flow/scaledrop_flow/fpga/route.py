# SPDX-License-Identifier: Apache-2.0
"""Synthesis, packing, placing and routing of a plan, and the bitstream."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledrop.errors import UserError
from scaledrop_flow.fpga.plan import CELLS, NAME, Plan
from scaledrop_flow.synthesis.cells import CellCounts
from scaledrop_flow.synthesis.tools import run_tool

__all__ = [
    "RoutedSeed",
    "Routes",
    "SlowPath",
    "make_bitstream",
    "pack",
    "plain",
    "route_all",
    "synthesize",
]

REPORT = "report.json"

_KINDS = "TRELLIS_FF|TRELLIS_DPR16X4|LUT4|CCU2C|PFUMX|L6MUX21|MULT18X18D|DP16KD|SB_[A-Z0-9_]+?"
_ADDED = re.compile(rf"_(?:{_KINDS})_.*$")
_OUTER = ("demonstrator.system.accelerator.", "demonstrator.system.", "demonstrator.")


def plain(cell: str) -> str:
    """Our name of a cell: without what Yosys added, and without the outer modules."""
    name = _ADDED.sub("", cell)
    outer = next((one for one in _OUTER if name.startswith(one)), "")
    return name.removeprefix(outer)


@dataclass(frozen=True)
class SlowPath:
    """A slowest path: registers at its ends, delay in ns, cells between."""

    start: str
    end: str
    delay_ns: float
    cells: int


@dataclass(frozen=True)
class RoutedSeed:
    """What one seed of place and route reached."""

    seed: int
    mhz: float
    path: SlowPath


@dataclass(frozen=True)
class Routes:
    """All seeds at one target."""

    target_mhz: float
    seeds: tuple[RoutedSeed, ...]

    @property
    def best(self) -> RoutedSeed:
        """The fastest; of equal ones the first."""
        return max(self.seeds, key=lambda one: one.mhz)

    @property
    def median(self) -> float:
        return statistics.median(one.mhz for one in self.seeds)

    @property
    def spread(self) -> float:
        """Fastest less slowest."""
        reached = [one.mhz for one in self.seeds]
        return max(reached) - min(reached)

    @property
    def closed(self) -> bool:
        return self.best.mhz >= self.target_mhz


def synthesize(plan: Plan, folder: Path) -> CellCounts:
    """Map the design in ``folder``, which gets the plan's files.

    Raises:
        UserError: no Yosys, or it refuses.
    """
    plan.write(folder)
    run_tool("yosys", plan.commands["yosys"], folder)
    text = (folder / CELLS).read_text()
    cells = json.loads(text[text.index("{") :])["design"]["num_cells_by_type"]
    return CellCounts(plan.board.family, dict(cells))


def pack(plan: Plan, folder: Path) -> Mapping[str, Mapping[str, int]]:
    """Pack without placing: what of the device is used, whether it fits or not.

    Raises:
        UserError: no nextpnr, or it refuses.
    """
    arguments = plan.commands[plan.placer]
    # What is not placed has no configuration, and asking for one is an error.
    output = arguments.index("--textcfg" if plan.board.family == "ecp5" else "--asc")
    kept = [*arguments[:output], *arguments[output + 2 :]]
    run_tool(plan.placer, [*kept, "--pack-only", "--report", REPORT], folder)
    found: Mapping[str, Mapping[str, int]] = _report(folder)["utilization"]
    return found


def _report(folder: Path) -> Any:
    return json.loads((folder / REPORT).read_text())


def _slowest(report: Any) -> tuple[float, SlowPath]:
    clocks = report["fmax"]
    if not clocks:
        raise UserError("design: no path from register to register, so no clock to reach")
    name = min(clocks, key=lambda one: clocks[one]["achieved"] / clocks[one]["constraint"])
    clocked = [
        one for one in report["critical_paths"] if one["from"] == one["to"] == f"posedge {name}"
    ]
    steps = clocked[0]["path"]
    cells = sum(step["type"] == "logic" for step in steps)
    delay = sum(step["delay"] for step in steps)
    ends = (plain(steps[0]["from"]["cell"]), plain(steps[-1]["to"]["cell"]))
    return clocks[name]["achieved"], SlowPath(*ends, round(delay, 3), cells)


def route(plan: Plan, folder: Path, seed: int) -> RoutedSeed:
    """Place and route with one seed; leaves the configuration in ``folder``.

    Raises:
        UserError: nextpnr refuses, or nothing is clocked.
    """
    arguments = [*plan.commands[plan.placer], "--timing-allow-fail", "--report", REPORT]
    run_tool(plan.placer, [*arguments, "--seed", str(seed)], folder)
    mhz, path = _slowest(_report(folder))
    return RoutedSeed(seed, round(mhz, 3), path)


def configuration(plan: Plan) -> str:
    """Name of what place and route leaves."""
    return f"{NAME}.config" if plan.board.family == "ecp5" else f"{NAME}.asc"


def make_bitstream(plan: Plan, folder: Path, configured: bytes) -> bytes:
    """The bitstream of a configuration.

    Raises:
        UserError: the packer is missing or refuses.
    """
    (folder / configuration(plan)).write_bytes(configured)
    run_tool(plan.packer, plan.commands[plan.packer], folder)
    return (folder / plan.bitstream).read_bytes()


def route_all(
    plan: Plan,
    folder: Path,
    seeds: Sequence[int],
    target_mhz: float,
    tell: Callable[[RoutedSeed], None],
) -> tuple[Routes, bytes]:
    """Place and route once a seed; with the configuration of the fastest.

    Args:
        tell: Called with what each seed reached, as it comes.

    Raises:
        UserError: nextpnr refuses, or nothing is clocked.
    """
    reached: list[RoutedSeed] = []
    best = b""
    for seed in seeds:
        one = route(plan, folder, seed)
        tell(one)
        if not reached or one.mhz > max(other.mhz for other in reached):
            best = (folder / configuration(plan)).read_bytes()
        reached.append(one)
    return Routes(target_mhz, tuple(reached)), best
