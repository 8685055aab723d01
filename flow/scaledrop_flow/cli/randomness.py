# SPDX-License-Identifier: Apache-2.0
"""The verb ``randomness``: judge a recorded stream of bits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaledrop_flow.cli.options import app, write_json

__all__ = ["randomness"]


@app.command()
def randomness(
    file: Annotated[Path, typer.Argument(help="Recorded bits.")],
    p: Annotated[
        float | None, typer.Option(help="Programmed probability of a 1; estimated if not said.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Level of each test.")] = 0.01,
    form: Annotated[
        str | None,
        typer.Option("--format", help="bits (text), bytes or csv; by the suffix if not said."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="File for the whole report.")] = None,
) -> None:
    """Test bits for bias, correlation and drift; estimate their entropy; status 1 if rejected."""
    from scaledrop.randomness import assess, read_bits
    from scaledrop_flow.randomness_table import show_randomness

    report = assess(read_bits(file, form), p, alpha)
    show_randomness(report)
    if json is not None:
        write_json(json, {"file": str(file), **report.as_dict()})
    if not report.passed:
        raise typer.Exit(1)
