# SPDX-License-Identifier: Apache-2.0
"""The verb ``fuzz``: random networks through the RTL."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledrop_flow.cli.options import INTERRUPTED, Seed, app, write_json

if TYPE_CHECKING:
    from scaledrop_flow.fuzz.campaign import Choices

__all__ = ["fuzz"]


@app.command()
def fuzz(
    count: Annotated[int, typer.Option(help="Random networks.")] = 500,
    seed: Seed = 1,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 2,
    verilator: Annotated[
        int, typer.Option(help="Each so-many-th goes through Verilator; 0 for none.")
    ] = 20,
    shrink: Annotated[
        int, typer.Option(help="Seconds for making a failure small; 0 leaves it.")
    ] = 120,
    replay: Annotated[
        Path | None, typer.Option(help="Run this stored case instead, and nothing else.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Folder for failures; failures/ in --out if not said.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for report.json.")] = Path("build/fuzz"),
) -> None:
    """Run random networks through the RTL and compare every value and every counter."""
    from scaledrop_flow.fuzz.campaign import Choices

    if replay is not None:
        _replay(replay)
    else:
        _campaign(Choices(count, seed, jobs, verilator, shrink), out, store or out / "failures")


def _replay(path: Path) -> None:
    from scaledrop_flow.fuzz.case import read_case
    from scaledrop_flow.fuzz.run import run_case

    outcome = run_case(read_case(path))
    typer.echo(f"{path}: {outcome}")
    if not outcome.ok:
        raise typer.Exit(1)


def _campaign(choices: Choices, out: Path, folder: Path) -> None:
    from scaledrop_flow.fuzz.campaign import run_campaign
    from scaledrop_flow.fuzz.progress import progress
    from scaledrop_flow.fuzz.report import lines, report, store

    start = time.monotonic()
    with progress(choices.count) as listener:
        campaign = run_campaign(choices, listener)
    values = report(campaign, time.monotonic() - start)
    write_json(out / "report.json", values)
    for line in lines(values):
        typer.echo(line)
    for path in store(campaign, folder):
        typer.echo(f"stored {path}; run it again with scaledrop fuzz --replay {path}")
    if campaign.interrupted:
        raise typer.Exit(INTERRUPTED)
    if campaign.failures:
        raise typer.Exit(1)
