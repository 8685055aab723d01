# SPDX-License-Identifier: Apache-2.0
"""The worst path of a netlist by OpenSTA, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.mapping import TOP

__all__ = ["StaPath", "has_sta", "sta_path"]

LIMIT_S = 600

_SLACK = re.compile(r"^worst slack (\S+)", re.M)


@dataclass(frozen=True)
class StaPath:
    """What OpenSTA said of a netlist.

    Attributes:
        path_s: The shortest clock period that setup allows, in seconds; None without a path.
        path: The longest path, cell by cell.
        tool: Name and version.
    """

    path_s: float | None
    path: str
    tool: str


def has_sta() -> bool:
    """Whether ``sta`` is on PATH."""
    return shutil.which("sta") is not None


def _script(liberty: Sequence[Path], netlist: Path, period: str) -> str:
    return "\n".join(
        (
            *(f"read_liberty {{{path.resolve()}}}" for path in liberty),
            f"read_verilog {{{netlist.resolve()}}}",
            f"link_design {TOP}",
            f"create_clock -name clk -period {period} [get_ports clk]",
            "foreach port [all_inputs] {",
            "  if {[get_property $port full_name] ne {clk}} { set_input_delay -clock clk 0 $port }",
            "}",
            "set_output_delay -clock clk 0 [all_outputs]",
            "report_worst_slack -digits 6",
            "puts {== path}",
            "report_checks -path_delay max -digits 4",
            "",
        )
    )


def _sta(*arguments: str, folder: Path, limit: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sta", *arguments], cwd=folder, capture_output=True, text=True, timeout=limit, check=False
    )


def _run(script: str, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "timing.tcl"
    path.write_text(script)
    result = _sta(
        "-no_init", "-no_splash", "-exit", str(path.resolve()), folder=folder, limit=LIMIT_S
    )
    text = result.stdout + result.stderr
    (folder / "timing.log").write_text(text)
    errors = [line for line in text.splitlines() if line.startswith("Error")]
    if result.returncode or errors or "== path" not in text:
        last = (errors or text.splitlines() or ["no message"])[0]
        raise UserError(f"sta failed: {last} (whole log: {folder / 'timing.log'})")
    return text


def _version(folder: Path) -> str:
    told = _sta("-version", folder=folder, limit=60).stdout.strip()
    return f"OpenSTA {told or 'of unknown version'}"


def sta_path(netlist: Path, library: CellLibrary, folder: Path, period_s: float) -> StaPath:
    """The worst path at a clock of ``period_s`` seconds.

    Raises:
        UserError: ``sta`` refuses the library or the netlist.
    """
    script = _script(library.files, netlist, f"{period_s / library.time_s:.9g}")
    before, _, path = _run(script, folder).partition("== path")
    slack = _SLACK.search(before)
    found = float(slack[1]) if slack else float("inf")
    needed = None if found == float("inf") else period_s - found * library.time_s
    return StaPath(needed, path.strip(), _version(folder))
