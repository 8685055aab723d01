# SPDX-License-Identifier: Apache-2.0
"""Speed of a mapped netlist: nextpnr places and routes it, once a seed."""

from __future__ import annotations

import json
import re
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from scaledrop.errors import UserError
from scaledrop_flow.synthesis.cells import Netlist
from scaledrop_flow.synthesis.tools import run_tool

__all__ = ["Routed", "SlowestPath", "place_and_route"]

NEXTPNR = "nextpnr-ecp5"


class SlowestPath(NamedTuple):
    """Registers or memories between which the slowest path runs, by their names in the Verilog."""

    start: str
    end: str


@dataclass(frozen=True)
class Routed:
    """Clock frequencies that a design reached, one per seed, and the LUTs it took when packed.

    ``paths`` are the slowest ones, one per seed as well.
    """

    mhz: tuple[float, ...]
    lut4: int
    paths: tuple[SlowestPath, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.mhz)

    @property
    def spread(self) -> float:
        """Best less worst."""
        return max(self.mhz) - min(self.mhz)


def _name(cell: str) -> str:
    """What a cell was made from: ``core.step`` for ``core.step[3]_TRELLIS_FF_Q``."""
    return re.sub(r"(\[\d+\])?(_TRELLIS_FF|_LUT4|\$|\.\d+\.\d+).*", "", cell)


def _slowest(report: Any) -> SlowestPath:
    """The slowest path from register to register of nextpnr's report."""
    paths = [
        path["path"]
        for path in report["critical_paths"]
        if path["from"].startswith("posedge") and path["to"].startswith("posedge")
    ]
    longest = max(paths, key=lambda path: sum(step["delay"] for step in path))
    return SlowestPath(_name(longest[0]["from"]["cell"]), _name(longest[-1]["to"]["cell"]))


def place_and_route(
    netlist: Netlist, seeds: Sequence[int], target_mhz: int = 200, device: str = "25k"
) -> Routed:
    """Place and route an ECP5 netlist on an LFE5U (``device``), speed grade 6, without pads.

    Raises:
        UserError: another family, no seed, no nextpnr, nextpnr refuses, or no clocked path.
    """
    if netlist.counts.family != "ecp5":
        raise UserError(f"family: must be ecp5 to be placed, not {netlist.counts.family!r}")
    if not seeds:
        raise UserError("seeds: must be one or more")
    fixed = [f"--{device}", "--package", "CABGA381", "--speed", "6", "--out-of-context"]
    fixed += ["--freq", str(target_mhz), "--timing-allow-fail", "--json", "netlist.json"]
    fixed += ["--quiet", "--log", "log.txt", "--report", "report.json"]
    reached, paths, luts = [], [], 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "netlist.json").write_text(netlist.text)
        for seed in seeds:
            run_tool(NEXTPNR, [*fixed, "--seed", str(seed)], folder)
            report = json.loads((folder / "report.json").read_text())
            if not report["fmax"]:
                raise UserError("verilog: no path from register to register, so no clock to reach")
            reached.append(min(clock["achieved"] for clock in report["fmax"].values()))
            paths.append(_slowest(report))
            luts = report["utilization"]["TRELLIS_COMB"]["used"]
    return Routed(tuple(reached), luts, tuple(paths))
