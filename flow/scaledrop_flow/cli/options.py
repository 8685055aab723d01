# SPDX-License-Identifier: Apache-2.0
"""The command itself, and the options that several verbs share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

__all__ = [
    "CACHE",
    "INTERRUPTED",
    "Bus",
    "Cache",
    "CheckpointFile",
    "Columns",
    "Config",
    "Convolution",
    "DataSource",
    "Datapath",
    "FormName",
    "Lanes",
    "ModelFile",
    "Out",
    "Rows",
    "Seed",
    "Weights",
    "app",
    "write_json",
]

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Scale-Dropout Bayesian binary neural networks, from training to RTL.",
)

Config = Annotated[str | None, typer.Option(help="Named configuration; digits if not said.")]
Out = Annotated[Path, typer.Option(help="Folder for what the step writes.")]
Seed = Annotated[int, typer.Option(help="Seed of every random number of the step.")]
Rows = Annotated[int, typer.Option(help="Word lines of a crossbar tile.")]
Columns = Annotated[int, typer.Option(help="Bit lines of a crossbar tile.")]
Datapath = Annotated[str, typer.Option(help="reference or folded: equal results.")]
Weights = Annotated[str, typer.Option(help="memory, or baked into the logic: equal results.")]
Bus = Annotated[str, typer.Option(help="none, or axi: registers, streams and a driver.")]
FormName = Annotated[str, typer.Option("--form", help="full, or small: infers, and no more.")]
Convolution = Annotated[str, typer.Option(help="unrolled, taps, or auto: the fewest cycles.")]
Lanes = Annotated[int, typer.Option(help="Channels scaled per cycle; 0 takes the most.")]
ConverterBits = Annotated[int, typer.Option(help="Of a column's converter; 0 is lossless.")]
ConverterStep = Annotated[
    int, typer.Option(help="Sums that share a code, a power of two; 0 covers what sums do.")
]
MidRise = Annotated[bool, typer.Option("--mid-rise", help="The converter has an edge at 0.")]
ModelFile = Annotated[Path | None, typer.Option(help="Frozen network instead of --config.")]
CheckpointFile = Annotated[
    Path | None, typer.Option(help="Checkpoint that --model was frozen from.")
]
DataSource = Annotated[
    Path | None,
    typer.Option(help="Folder of public sets, or own images: an npz, a folder of class folders."),
]
Cache = Annotated[Path, typer.Option(help="Folder for checkpoints and built simulations.")]

INTERRUPTED = 130
CACHE = Path(os.environ.get("SCALEDROP_CACHE") or platformdirs.user_cache_dir("scaledrop"))


def write_json(path: Path, value: object) -> None:
    """A report, whole or not at all."""
    from scaledrop.atomic import write_atomically

    write_atomically(path, (json.dumps(value, indent=2) + "\n").encode())
