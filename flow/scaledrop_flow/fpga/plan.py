# SPDX-License-Identifier: Apache-2.0
"""What Amaranth's platform makes of a design: its files, and the commands that build it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledrop_flow.fpga.boards import Board

__all__ = ["CELLS", "NAME", "Plan", "make_plan", "tools_of"]

NAME = "top"
CELLS = "cells.json"
"""Cells by type, as Yosys counts them."""

PLACERS = {"ecp5": "nextpnr-ecp5", "ice40": "nextpnr-ice40"}
PACKERS = {"ecp5": "ecppack", "ice40": "icepack"}
OPTIONS = {
    "ecp5": ("-nowidelut", "-nowidelut -nodsp"),
    "ice40": ("-dsp", ""),
}
"""Of synthesis, with the device's multipliers and without."""

CONSTRAINTS = {"ecp5": f"{NAME}.lpf", "ice40": f"{NAME}.pcf"}
BITSTREAMS = {"ecp5": f"{NAME}.bit", "ice40": f"{NAME}.bin"}
LOGS = (f"{NAME}.rpt", f"{NAME}.tim")

# Whole wires stand in the way of Yosys' mapper: its names for bits of them can clash.
FLAT = f"hierarchy -top {NAME}\nproc\nflatten\nsplitnets"
COUNTED = f"tee -q -o {CELLS} stat -json"


@dataclass(frozen=True)
class Plan:
    """Files of a build and its commands; the same design gives the same bytes.

    Attributes:
        board: What it is for.
        files: Name to text.
        commands: Tool to arguments, in order: synthesis, place and route, bitstream.
    """

    board: Board
    files: Mapping[str, str]
    commands: Mapping[str, tuple[str, ...]]

    @property
    def placer(self) -> str:
        return PLACERS[self.board.family]

    @property
    def packer(self) -> str:
        return PACKERS[self.board.family]

    @property
    def verilog(self) -> str:
        """The whole design in one file."""
        return self.files[f"{NAME}.debug.v"]

    @property
    def constraints(self) -> str:
        """Name of the file of pins and clocks."""
        return CONSTRAINTS[self.board.family]

    @property
    def bitstream(self) -> str:
        return BITSTREAMS[self.board.family]

    def write(self, folder: Path) -> None:
        """Leave in ``folder`` what the commands read."""
        for name in (f"{NAME}.il", f"{NAME}.ys", self.constraints):
            (folder / name).write_text(self.files[name])


def tools_of(board: Board) -> tuple[str, str, str]:
    """Tools of a build, in the order in which they run."""
    return ("yosys", PLACERS[board.family], PACKERS[board.family])


def _arguments(words: Sequence[str]) -> tuple[str, ...]:
    return tuple("log.txt" if word in LOGS else word for word in words)


def make_plan(board: Board, top: Any, multipliers: bool = True, loops: bool = False) -> Plan:
    """Elaborate ``top`` for the board; no tool but Amaranth's own is run.

    Args:
        multipliers: Take those of the device; else all are made of tables.
        loops: The design has loops without a register, whose timing nobody can tell.

    Raises:
        UserError: the package of boards is missing.
    """
    made = board.make_platform().build(
        top,
        name=NAME,
        do_build=False,
        emit_src=False,
        debug_verilog=True,
        synth_opts=OPTIONS[board.family][not multipliers],
        nextpnr_opts="--ignore-loops" if loops else "",
        script_after_read=FLAT,
        script_after_synth=COUNTED,
    )
    files = {name: text for name, text in made.files.items() if isinstance(text, str)}
    lines = json.loads(files[f"build_{NAME}.json"])["commands"]
    commands = {line[0]: _arguments(line[1:]) for line in lines}
    return Plan(board, files, commands)
