# SPDX-License-Identifier: Apache-2.0
"""The verb that holds generated Verilog before other tools."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from scaledrop_flow.cli.options import app, write_json

__all__ = ["lint"]


@app.command()
def lint(
    verilog: Annotated[Path, typer.Argument(help="Generated Verilog.")],
    top: Annotated[str, typer.Option(help="Its top module; the file's name if not said.")] = "",
    out: Annotated[Path | None, typer.Option(help="JSON file for the verdicts.")] = None,
) -> None:
    """Let Verilator, Yosys and Icarus read Verilog; any complaint that is not waived fails."""
    from rich.table import Table

    from scaledrop_flow.console import console
    from scaledrop_flow.portability.readers import READERS, WAIVERS, read_with

    verdicts = read_with(list(READERS), verilog, top or verilog.stem)
    table = Table("tool", "read as", "verdict")
    for one in verdicts:
        said = one.skipped or (f"{len(one.complaints)} complaints" if one.complaints else "clean")
        table.add_row(one.tool, one.checked, said)
    console.print(table)
    for one in verdicts:
        for line in one.complaints:
            console.print(f"{one.tool}: {line}")
    console.print(f"waivers     {WAIVERS}")
    if out is not None:
        write_json(out, [asdict(one) for one in verdicts])
    if not all(one.ok for one in verdicts):
        raise typer.Exit(1)
