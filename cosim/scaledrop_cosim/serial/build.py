# SPDX-License-Identifier: Apache-2.0
"""Builds a demonstrator in a shell that has a clock and the other end of its line."""

from __future__ import annotations

from pathlib import Path

from scaledrop_cosim.axi.build import build_top
from scaledrop_cosim.simulation import HDL

__all__ = ["SERIAL", "build_demonstrator"]

SERIAL = "scaledrop_serial"
"""The shell around a demonstrator."""


def build_demonstrator(verilog: str, module: str, divisor: int, cache: Path) -> Path:
    """Compile the Verilog of a demonstrator, or find it built; returns the executable.

    Args:
        verilog: Its text.
        module: Its name in there.
        divisor: Clock cycles of a bit on its line.

    Raises:
        UserError: a tool is missing or failed, or the cache cannot be written.
    """
    shell = (HDL / "serial_shell.sv").read_text()
    macros = {"SCALEDROP_DEMONSTRATOR": module, "SCALEDROP_DIVISOR": divisor}
    lines = [f"`define {name} {value}" for name, value in macros.items()]
    return build_top("\n".join([*lines, shell, verilog]), SERIAL, cache)
