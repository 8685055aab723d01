# SPDX-License-Identifier: Apache-2.0
"""Area of Verilog on two FPGA families: Yosys maps it, its cells are counted."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop_flow.synthesis.tools import run_tool

__all__ = ["FAMILIES", "OPTIONS", "CellCounts", "Netlist", "synthesize"]

FAMILIES = ("ice40", "ecp5")

OPTIONS: Mapping[str, tuple[str, ...]] = {"ice40": (), "ecp5": ("-nowidelut",)}
"""With which areas are compared: what a wide table of ECP5 saves in speed it takes in tables."""

TOP = "top"

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
