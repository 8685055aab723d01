# SPDX-License-Identifier: Apache-2.0
"""The verb for boards: fpga."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledrop.errors import UserError
from scaledrop_flow.cli.options import CACHE, Cache, Config, Convolution, ModelFile, app

if TYPE_CHECKING:
    from scaledrop.array_shape import ArrayShape

__all__ = ["fpga"]


def _seeds(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if not part.isdecimal():
            raise UserError(f"seeds: {part!r} is not a whole number; give such as 1,2,3")
    return tuple(map(int, parts))


def _array(own: ArrayShape, rows: int | None, columns: int | None, lanes: int | None) -> ArrayShape:
    """The board's with what the user chose; with its lanes if the user chose nothing."""
    if lanes is None:
        lanes = own.lanes if rows is None and columns is None else 0
    return replace(own, rows=rows or own.rows, columns=columns or own.columns, lanes=lanes)


@app.command()
def fpga(
    board: Annotated[str, typer.Option(help="ulx3s, orangecrab or icebreaker.")] = "ulx3s",
    config: Config = None,
    model: ModelFile = None,
    rows: Annotated[int | None, typer.Option(help="Word lines; the board's if not said.")] = None,
    columns: Annotated[int | None, typer.Option(help="Bit lines; the board's if not said.")] = None,
    lanes: Annotated[
        int | None, typer.Option(help="Channels scaled per cycle; 0 takes the most.")
    ] = None,
    datapath: Annotated[str | None, typer.Option(help="reference or folded.")] = None,
    form: Annotated[
        str | None, typer.Option(help="full or small; the board's if not said.")
    ] = None,
    convolution: Convolution = "auto",
    max_passes: Annotated[int | None, typer.Option(help="Largest T of the hardware.")] = None,
    source: Annotated[str, typer.Option(help="Of the random bits: lfsr or ring.")] = "lfsr",
    seed: Annotated[int, typer.Option(help="Of the LFSR.")] = 0,
    freq: Annotated[
        float | None, typer.Option(help="Clock of the design in MHz; the board's if not said.")
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="Of place and route, such as 1,2,3; the fastest is kept.")
    ] = "1",
    baud: Annotated[int | None, typer.Option(help="Of the serial line, bit/s.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; build/fpga/BOARD if not said.")] = None,
    cache: Cache = CACHE,
) -> None:
    """Make the bitstream of a network for a board, with its clock and what it takes."""
    from scaledrop_flow.fpga.boards import named_board
    from scaledrop_flow.fpga.design import FpgaChoices, clock_of
    from scaledrop_flow.fpga.make import make_fpga
    from scaledrop_flow.fpga.printed import BuildPrinter, show_build
    from scaledrop_flow.model import resolve

    chosen = named_board(board)
    choices = FpgaChoices(
        array=_array(chosen.array, rows, columns, lanes),
        datapath=datapath or chosen.datapath,
        form=form or chosen.form,
        clock_hz=clock_of(chosen, freq),
        baud=baud or chosen.baud,
        convolution=convolution,
        max_passes=max_passes or chosen.max_passes,
        source=source,
        seed=seed,
    )
    routed = _seeds(seeds)
    folder = out or Path("build/fpga") / chosen.name
    network = resolve(config, model, None, cache).network
    with BuildPrinter() as printer:
        result = make_fpga(network, chosen, choices, routed, folder, printer)
    show_build(result, folder)
