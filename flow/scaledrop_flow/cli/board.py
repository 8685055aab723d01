# SPDX-License-Identifier: Apache-2.0
"""The verb for a board that is at hand: board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaledrop_flow.cli.options import (
    CACHE,
    Cache,
    Config,
    DataSource,
    ModelFile,
    app,
    write_json,
)

__all__ = ["board"]


@app.command()
def board(
    port: Annotated[str, typer.Option(help="Serial port, such as /dev/ttyUSB1 or COM3.")],
    sidecar: Annotated[
        Path, typer.Option("--sidecar", "--description", help="The .json beside the bitstream.")
    ],
    config: Config = None,
    model: ModelFile = None,
    images: Annotated[int, typer.Option(help="Test images; 0 takes all.")] = 10,
    passes: Annotated[int, typer.Option(help="Stochastic passes T.")] = 20,
    mode: Annotated[str, typer.Option(help="passes, shared or exact.")] = "shared",
    masks: Annotated[int, typer.Option(help="exact: most probable masks; 0 is all.")] = 0,
    min_votes: Annotated[
        int, typer.Option(help="Abstain where the predicted class has fewer; 0 never does.")
    ] = 0,
    baud: Annotated[int, typer.Option(help="Of the line; 0 takes the sidecar's.")] = 0,
    data: DataSource = None,
    out: Annotated[Path | None, typer.Option(help="Report to write, JSON.")] = None,
    cache: Cache = CACHE,
) -> None:
    """Send test images to a board and say what it answers; compare it with the golden model."""
    from scaledrop.driver.description import read_json
    from scaledrop.driver.port import open_serial
    from scaledrop.walk import Inference, Mode
    from scaledrop_flow.board import BoardChoices, demonstrator_of, run_board
    from scaledrop_flow.board_report import BoardPrinter, board_report, show_board
    from scaledrop_flow.data import images_for
    from scaledrop_flow.model import resolve

    description = read_json(sidecar)
    source = demonstrator_of(description)
    choices = BoardChoices(Inference(Mode.named(mode), passes, masks), min_votes)
    network = resolve(config, model, None, cache).network
    chosen = images_for(network, images, data)
    with open_serial(port, baud or source["baud"]) as transport:
        printer = BoardPrinter(chosen, source)
        result = run_board(transport, description, network, chosen, choices, printer)
    show_board(result)
    if out is not None:
        write_json(out, board_report(result, description, choices, chosen))
    if not result.ok:
        raise typer.Exit(1)
