# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``scaledrop energy``: the estimate itself, and netlist."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from scaledrop.errors import UserError
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
    Out,
    Rows,
    Seed,
    app,
    write_json,
)

__all__ = ["energy", "energy_app", "energy_netlist"]

energy_app = typer.Typer(help="Joules of a prediction, and what they rest on.")
app.add_typer(energy_app, name="energy")


@energy_app.callback(invoke_without_command=True)
def energy(
    context: typer.Context,
    config: Config = None,
    model: ModelFile = None,
    topology: Annotated[
        str | None, typer.Option(help="Full size from its shapes: lenet5, vgg_small, resnet18 ...")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="report.json of a co-simulation: count by its RTL.")
    ] = None,
    mode: Annotated[str, typer.Option(help="passes, shared or exact.")] = "shared",
    datapath: Datapath = "folded",
    passes: Annotated[int, typer.Option(help="Stochastic passes T.")] = 20,
    masks: Annotated[int, typer.Option(help="exact: most probable masks; 0 is all.")] = 1024,
    images: Annotated[int, typer.Option(help="Test images that are counted.")] = 20,
    density: Annotated[
        float | None, typer.Option(help="Fraction of ones in the pixels' bits, for no images.")
    ] = None,
    rows: Rows = 64,
    columns: Columns = 16,
    lanes: Lanes = 0,
    convolution: Convolution = "auto",
    converter_bits: Annotated[
        int | None, typer.Option(help="Of a converter; lossless if not said.")
    ] = None,
    table: Annotated[str, typer.Option(help="Technology table: a name or a YAML file.")] = "mtj45",
    node: Annotated[float | None, typer.Option(help="Bring the table to this node, in nm.")] = None,
    supply: Annotated[float, typer.Option(help="Supply at that node, in volts.")] = 0.9,
    spin: Annotated[str | None, typer.Option(help="Device card that prices the spin unit.")] = None,
    published: Annotated[
        Path | None, typer.Option(help="YAML of published figures, added to those at hand.")
    ] = None,
    seed: Seed = 1,
    data: DataSource = None,
    out: Out = Path("build/energy"),
    cache: Cache = CACHE,
) -> None:
    """Joules, time and area of one prediction, with bands, breakdown, pictures and comparisons."""
    if context.invoked_subcommand is not None:
        return
    from scaledrop.energy import load_table
    from scaledrop.energy.published import load_published, with_own
    from scaledrop.mapping import ArrayShape
    from scaledrop.walk import Mode
    from scaledrop_flow.energy.choices import counted_by, network_of, table_of
    from scaledrop_flow.energy.configurations import Setting, Way
    from scaledrop_flow.energy.printed import show_energy
    from scaledrop_flow.energy.result import evaluate_energy
    from scaledrop_flow.energy.save import save_energy

    rows_at_hand = load_published()
    if published is not None:
        rows_at_hand = with_own(rows_at_hand, load_published(published))
    chosen = network_of(config, model, topology, images, density, data, cache)
    setting = Setting(
        array=ArrayShape(rows, columns, lanes),
        drives=chosen.drives,
        convolution=convolution,
        passes=passes,
        masks=masks,
        seed=seed,
        converter_bits=converter_bits,
    )
    if datapath not in ("reference", "folded"):
        raise UserError(f"datapath: must be reference or folded, not {datapath!r}")
    way = Way(f"{mode}, {datapath}", Mode.named(mode), datapath == "folded")
    counted = None if run is None else counted_by(run, chosen.network, setting, way)
    priced = table_of(table, node, supply, spin, chosen.network)
    own_node = load_table(table)
    result = evaluate_energy(chosen.network, setting, way, priced, rows_at_hand, own_node, counted)
    save_energy(result, " ".join(["scaledrop", *sys.argv[1:]]), out)
    show_energy(result, out)


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
