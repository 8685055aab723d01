# SPDX-License-Identifier: Apache-2.0
"""The verb ``scaledrop asic``: a network on the cells of a library, and what to hand off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaledrop_flow.cli.options import (
    CACHE,
    Cache,
    Columns,
    Config,
    Convolution,
    Datapath,
    DataSource,
    Lanes,
    ModelFile,
    Rows,
    Seed,
    app,
)

__all__ = ["asic"]


@app.command()
def asic(
    lib: Annotated[
        list[str],
        typer.Option(help="Folder of SCALEDROP_PDK, or a Liberty file; again for more files."),
    ],
    config: Config = None,
    model: ModelFile = None,
    rows: Rows = 64,
    columns: Columns = 16,
    lanes: Lanes = 0,
    max_passes: Annotated[int, typer.Option(help="Largest T of the hardware.")] = 255,
    datapath: Datapath = "reference",
    convolution: Convolution = "auto",
    crossbar: Annotated[str, typer.Option(help="macro: a black box; digital: cells.")] = "macro",
    memory_bits: Annotated[
        int, typer.Option(help="Memories of more bits, and all with contents, are black boxes.")
    ] = 1024,
    clock_ns: Annotated[float, typer.Option(help="Clock period to reach, in ns.")] = 20.0,
    dont_use: Annotated[
        list[str] | None, typer.Option(help="Cells to leave alone, such as *lpflow*; again.")
    ] = None,
    images: Annotated[int, typer.Option(help="Images that power is told for; 0 leaves it.")] = 2,
    verify: Annotated[
        int, typer.Option(help="Images that the mapped netlist is co-simulated with.")
    ] = 0,
    passes: Annotated[int, typer.Option(help="Stochastic passes T of these images.")] = 20,
    mode: Annotated[str, typer.Option(help="passes, shared or exact.")] = "shared",
    seed: Seed = 1,
    data: DataSource = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to hand off; build/asic/LIB if not said.")
    ] = None,
    cache: Cache = CACHE,
) -> None:
    """Map to standard cells: netlist, area by block, worst path, power, a folder to hand off."""
    from scaledrop.mapping import ArrayShape
    from scaledrop.walk import Inference, Mode
    from scaledrop_cosim.contract import Workload
    from scaledrop_flow.asic.choices import AsicChoices
    from scaledrop_flow.asic.library import find_library
    from scaledrop_flow.asic.printed import show_asic
    from scaledrop_flow.asic.run import run_asic
    from scaledrop_flow.console import console
    from scaledrop_flow.data import images_for
    from scaledrop_flow.model import resolve

    name, files = find_library(lib)
    choices = AsicChoices(
        array=ArrayShape(rows, columns, lanes),
        datapath=datapath,
        convolution=convolution,
        max_passes=max(max_passes, passes),
        crossbar=crossbar,
        memory_bits=memory_bits,
        clock_ns=clock_ns,
        dont_use=tuple(dont_use or ()),
    )
    inference = Inference(Mode.named(mode), passes)
    network = resolve(config, model, None, cache).network

    def workload(number: int) -> Workload | None:
        if number < 1:
            return None
        pixels = images_for(network, number, data).pixels
        return Workload(network, pixels, passes, seed, inference=inference)

    root = out or Path("build/asic") / name
    result = run_asic(
        network,
        files,
        choices,
        root,
        cache,
        lambda text: console.print(f"  {text}", markup=False),
        workload(images),
        workload(verify),
    )
    show_asic(result, root)
    if not result.ok:
        raise typer.Exit(1)
