# SPDX-License-Identifier: Apache-2.0
"""OpenSTA: the power of every cell at two activities, and the longest path.

Old versions of OpenSTA add the rising and the falling energy of a table for every change, twice
what Liberty means. A probe of one flip-flop with known energies tells by how much to divide.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.mapping import TOP, Mapped
from scaledrop_flow.netlist.probe import PROBE, PROBE_J, PROBE_LIBERTY, PROBE_PERIOD_S

__all__ = ["CellPower", "StaReport", "analyse", "overcount", "read_report", "sta_command"]

LIMIT_S = 600
REMEDY = "sta: not found; install OpenSTA (Debian: apt install opensta)"

_CELL = re.compile(r"^ *(\S+) +(\S+) +(\S+) +(\S+) +(\S+)$")
_NUMBER = re.compile(r"[-+]?[0-9.]+(?:e[-+]?[0-9]+)?$", re.I)
_SLACK = re.compile(r"^worst slack (\S+)", re.M)


@dataclass(frozen=True)
class CellPower:
    """Watts of a cell: inside, to charge the net it drives, and leaked."""

    internal: float
    switching: float
    leakage: float


@dataclass(frozen=True)
class StaReport:
    """What OpenSTA said of a netlist.

    Attributes:
        idle, busy: Cell to its power when no net changes, and when each changes once a cycle.
        period_s: Of the clock, in seconds.
        path_s: The longest path from clock or input, in seconds; None if there is none.
        path: The same as OpenSTA tells it, cell by cell.
        tool: Name and version.
    """

    idle: Mapping[str, CellPower]
    busy: Mapping[str, CellPower]
    period_s: float
    path_s: float | None
    tool: str
    path: str = ""


def sta_command() -> str:
    """Path of ``sta``.

    Raises:
        UserError: it is not on PATH.
    """
    found = shutil.which("sta")
    if found is None:
        raise UserError(REMEDY)
    return found


def read_report(text: str) -> dict[str, CellPower]:
    """Cell to power, of ``report_power -instances``; other lines are passed over."""
    found = {}
    for line in text.splitlines():
        row = _CELL.match(line)
        if row and all(_NUMBER.match(one) for one in row.groups()[:4]):
            internal, switching, leakage = (float(one) for one in row.groups()[:3])
            found[row[5]] = CellPower(internal, switching, leakage)
    return found


def _script(liberty: Sequence[Path], netlist: Path, period: str) -> str:
    reports = [
        f"set_power_activity -global -activity {activity}\n"
        f"puts {{== {activity}}}\nreport_power -instances [get_cells *] -digits 9"
        for activity in (0, 1)
    ]
    return "\n".join(
        (
            *(f"read_liberty {{{path.resolve()}}}" for path in liberty),
            f"read_verilog {{{netlist.resolve()}}}",
            f"link_design {TOP}",
            f"create_clock -name clk -period {period} [get_ports clk]",
            # Unclocked logic would be taken for a billion times slower.
            "foreach port [all_inputs] {",
            "  if {[get_property $port full_name] ne {clk}} { set_input_delay -clock clk 0 $port }",
            "}",
            "set_output_delay -clock clk 0 [all_outputs]",
            *reports,
            "puts {== end}",
            "report_worst_slack -digits 6",
            "puts {== path}",
            "report_checks -path_delay max -digits 4",
            "",
        )
    )


def _run(script: str, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "power.tcl"
    path.write_text(script)
    result = subprocess.run(
        [sta_command(), "-no_init", "-no_splash", "-exit", str(path.resolve())],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    text = result.stdout + result.stderr
    (folder / "power.log").write_text(text)
    errors = [line for line in text.splitlines() if line.startswith("Error")]
    if result.returncode or errors or "== end" not in text:
        last = (errors or text.splitlines() or ["no message"])[0]
        raise UserError(f"sta failed: {last} (whole log: {folder / 'power.log'})")
    return text


def version() -> str:
    """``OpenSTA`` and its version."""
    result = subprocess.run(
        [sta_command(), "-version"], capture_output=True, text=True, timeout=60, check=False
    )
    return f"OpenSTA {result.stdout.strip() or 'of unknown version'}"


def _reports(text: str) -> tuple[dict[str, CellPower], dict[str, CellPower], float]:
    """Idle, busy, and the worst slack in the library's unit of time."""
    idle, rest = text.split("== 0", 1)[1].split("== 1", 1)
    busy, end = rest.split("== end", 1)
    slack = _SLACK.search(end)
    return read_report(idle), read_report(busy), float(slack[1]) if slack else float("inf")


def overcount(folder: Path) -> float:
    """How many times too much internal power this ``sta`` reports; 1 where it is right.

    Raises:
        UserError: clock pins and outputs are wrong by different factors, so that none corrects it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "probe.lib").write_text(PROBE_LIBERTY)
    (folder / "probe.v").write_text(PROBE.format(top=TOP))
    period = f"{PROBE_PERIOD_S * 1e9:g}"
    script = _script([folder / "probe.lib"], folder / "probe.v", period)
    idle, busy, _ = _reports(_run(script, folder))
    clock = idle["f"].internal * PROBE_PERIOD_S / PROBE_J[0]
    both = busy["f"].internal * PROBE_PERIOD_S / PROBE_J[1]
    if not clock or abs(both / clock - 1) > 0.01:
        raise UserError(
            f"sta: reports {clock:.3g} and {both:.3g} times the energy of the probe; "
            "use another version"
        )
    return round(clock, 3)


def analyse(
    mapped: Mapped, library: CellLibrary, folder: Path, period_s: float = 10e-9
) -> StaReport:
    """Timing and power of every cell at a clock of ``period_s`` seconds.

    The energy of a cycle does not depend on the period.

    Raises:
        UserError: there is no ``sta``, or it refuses the library or the netlist.
    """
    over = overcount(folder)
    period = f"{period_s / library.time_s:.9g}"
    script = _script(library.power_files, mapped.netlist, period)
    text = _run(script, folder)
    idle, busy, slack = _reports(text)
    missing = [name for name in mapped.cells if name not in busy]
    if missing:
        raise UserError(f"sta: gives no power of cell {missing[0]}; see {folder / 'power.log'}")
    path = None if slack == float("inf") else period_s - slack * library.time_s
    told = text.partition("== path")[2].strip()
    return StaReport(_divided(idle, over), _divided(busy, over), period_s, path, version(), told)


def _divided(side: Mapping[str, CellPower], by: float) -> dict[str, CellPower]:
    return {
        name: CellPower(one.internal / by, one.switching, one.leakage) for name, one in side.items()
    }
