# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``scaledrop energy``: netlist."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from scaledrop.errors import UserError
from scaledrop_flow.cli.options import (
    CACHE,
    Cache,
    Config,
    DataSource,
    ModelFile,
    Out,
    Seed,
    app,
    write_json,
)

__all__ = ["energy_app", "energy_netlist"]

energy_app = typer.Typer(help="Joules of a prediction, and what they rest on.")
app.add_typer(energy_app, name="energy")

NAME = "netlist-power"


@energy_app.command("netlist")
def energy_netlist(
    liberty: Annotated[
        list[Path] | None,
        typer.Option(help="Liberty file of one library, again for each; else SCALEDROP_PDK."),
    ] = None,
    node: Annotated[float | None, typer.Option(help="Node in nm, if unknown.")] = None,
    block: Annotated[list[str] | None, typer.Option(help="Only this one; again for more.")] = None,
    config: Config = "lenet5-mnist",
    model: ModelFile = None,
    images: Annotated[int, typer.Option(help="Images that are recorded.")] = 2,
    passes: Annotated[int, typer.Option(help="Stochastic passes T.")] = 20,
    mode: Annotated[str, typer.Option(help="passes, shared or exact.")] = "shared",
    table: Annotated[str, typer.Option(help="Technology table: a name or a YAML file.")] = "mtj45",
    recalibrate: Annotated[
        Path | None, typer.Option(help="Write the table with the measured figures of one library.")
    ] = None,
    seed: Seed = 1,
    data: DataSource = None,
    out: Out = Path("build/netlist"),
    cache: Cache = CACHE,
) -> None:
    """Map the digital blocks to a cell library, and hold their power against the table."""
    from scaledrop.energy import load_table
    from scaledrop.walk import Inference, Mode
    from scaledrop_cosim.contract import Workload
    from scaledrop_flow.console import console
    from scaledrop_flow.data import images_for
    from scaledrop_flow.model import resolve
    from scaledrop_flow.netlist.libraries import find_liberty
    from scaledrop_flow.netlist.report import (
        as_json,
        printed,
        recalibrated,
        write_csv,
        write_table,
    )
    from scaledrop_flow.netlist.study import choose, compare

    priced, chosen = load_table(table), choose(block or ())
    libraries = find_liberty(liberty or ())
    if recalibrate is not None and len(libraries) > 1:
        raise UserError(
            f"recalibrate: needs one library, not {', '.join(libraries)}; use --liberty"
        )
    inference = Inference(Mode.named(mode), passes)
    network = resolve(None if model else config, model, None, cache).network
    pixels = images_for(network, images, data).pixels
    workload = Workload(network, pixels, passes, seed, inference=inference)
    found = compare(
        workload,
        libraries,
        priced,
        lambda text: console.print(f"  {text} ...", markup=False),
        chosen,
        node_nm=node,
    )
    told = {name: of for name, (_, of) in found.items()}
    about = {
        "command": " ".join(["scaledrop", *sys.argv[1:]]),
        "network": network.name,
        "images": images,
        "passes": passes,
        "mode": mode,
        "seed": seed,
        "table": priced.name,
    }
    write_csv(told, out / f"{NAME}.csv")
    write_json(out / f"{NAME}.json", as_json(told, about))
    for name, of in told.items():
        console.print(printed(name, of))
    console.print(
        f"wrote {out / 'netlist-power.csv'} and {out / 'netlist-power.json'}", markup=False
    )
    if recalibrate is not None:
        library, of = next(iter(found.values()))
        write_table(recalibrated(priced, of, library), recalibrate)
        console.print(f"wrote {recalibrate}", markup=False)
