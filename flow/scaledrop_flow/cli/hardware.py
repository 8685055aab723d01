# SPDX-License-Identifier: Apache-2.0
"""Verbs for those who build: doctor, generate, cosim, golden, bench, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledrop.errors import UserError
from scaledrop_flow.cli.options import (
    CACHE,
    Bus,
    Cache,
    CheckpointFile,
    Columns,
    Config,
    ConverterBits,
    ConverterStep,
    Convolution,
    Datapath,
    DataSource,
    FormName,
    Lanes,
    MidRise,
    ModelFile,
    Out,
    Rows,
    Seed,
    Weights,
    app,
    write_json,
)

if TYPE_CHECKING:
    from scaledrop.array_shape import ArrayShape

__all__ = ["bench", "cosim", "doctor", "generate", "golden", "report"]


@app.command()
def doctor() -> None:
    """Say which tools are there, what each unlocks, and how to get the missing ones."""
    from scaledrop_flow.console import show_findings
    from scaledrop_flow.doctor import examine

    findings = examine()
    show_findings(findings)
    if any(one.found is None and not one.optional for one in findings):
        raise typer.Exit(1)


def _array(rows: int, columns: int, lanes: int, bits: int, step: int, mid_rise: bool) -> ArrayShape:
    from scaledrop.array_shape import ArrayShape
    from scaledrop.converter import Converter, default_converter

    if bits == 0:
        if step or mid_rise:
            raise UserError("converter_bits: 0 is lossless, with no step; give the bits")
        return ArrayShape(rows, columns, lanes)
    wide = default_converter(bits, rows)
    one = Converter(bits, step or wide.step, mid_rise or wide.mid_rise)
    return ArrayShape(rows, columns, lanes, one)


@app.command()
def generate(
    config: Config = None,
    model: ModelFile = None,
    rows: Rows = 64,
    columns: Columns = 16,
    lanes: Lanes = 0,
    converter_bits: ConverterBits = 0,
    converter_step: ConverterStep = 0,
    mid_rise: MidRise = False,
    max_passes: Annotated[int, typer.Option(help="Largest T of the hardware.")] = 255,
    datapath: Datapath = "reference",
    weights: Weights = "memory",
    convolution: Convolution = "auto",
    bus: Bus = "none",
    form: FormName = "full",
    pixel_bits: Annotated[int, typer.Option(help="axi: width of the pixels' stream.")] = 32,
    out: Out = Path("build/verilog"),
    cache: Cache = CACHE,
) -> None:
    """Write Verilog and its JSON description; with a bus, what a driver needs too."""
    from scaledrop.form import Form
    from scaledrop_flow.console import console
    from scaledrop_flow.model import resolve
    from scaledrop_flow.steps.generate import generate as run

    array = _array(rows, columns, lanes, converter_bits, converter_step, mid_rise)
    network = resolve(config, model, None, cache).network
    result = run(
        network,
        array,
        out,
        max_passes,
        datapath,
        convolution,
        bus,
        pixel_bits,
        form=Form.named(form),
        weights=weights,
    )
    *first, last = result.files
    console.print(f"wrote {', '.join(map(str, first))} and {last}")


@app.command()
def cosim(
    config: Config = None,
    model: ModelFile = None,
    checkpoint: CheckpointFile = None,
    images: Annotated[int, typer.Option(help="Images; 0 takes all.")] = 360,
    passes: Annotated[int, typer.Option(help="Stochastic passes T.")] = 20,
    mode: Annotated[str, typer.Option(help="passes, shared or exact.")] = "passes",
    masks: Annotated[int, typer.Option(help="exact: most probable masks; 0 is all.")] = 0,
    datapath: Datapath = "reference",
    weights: Weights = "memory",
    convolution: Convolution = "auto",
    bus: Bus = "none",
    form: FormName = "full",
    netlist: Annotated[
        str | None,
        typer.Option(help="generic, ice40 or ecp5: simulate this netlist, not the RTL."),
    ] = None,
    seed: Seed = 1,
    rows: Rows = 64,
    columns: Columns = 16,
    lanes: Lanes = 0,
    converter_bits: ConverterBits = 0,
    converter_step: ConverterStep = 0,
    mid_rise: MidRise = False,
    idle: Annotated[int, typer.Option(help="Input gaps, chance in 1/256 per cycle.")] = 0,
    stall: Annotated[int, typer.Option(help="Back-pressure, chance in 1/256.")] = 0,
    table: Annotated[str, typer.Option(help="Energy table: a name or a YAML file.")] = "mtj45",
    spin: Annotated[
        str | None, typer.Option(help="Device card that makes the bits; ideal if not said.")
    ] = None,
    device_seed: Annotated[
        int | None, typer.Option(help="spin: a device by the card's spreads; nominal if not said.")
    ] = None,
    temperature: Annotated[float, typer.Option(help="spin: degrees Celsius.")] = 26.85,
    supply: Annotated[float, typer.Option(help="spin: actual over nominal supply.")] = 1.0,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="spin: the RTL finds and holds the drive codes.")
    ] = False,
    data: DataSource = None,
    out: Out = Path("build/cosim"),
    cache: Cache = CACHE,
) -> None:
    """Run the generated RTL against the frozen model, bit for bit, and write the report."""
    from scaledrop.form import Form
    from scaledrop.walk import Inference, Mode
    from scaledrop_cosim.driver import Disturbance
    from scaledrop_flow.console import StepPrinter, console, show_cosim
    from scaledrop_flow.data import images_for
    from scaledrop_flow.model import resolve
    from scaledrop_flow.report.save import save_report
    from scaledrop_flow.steps.cosim import CosimChoices, SpinChoice, cosimulate

    device = None
    if spin is not None:
        device = SpinChoice(spin, device_seed, temperature, supply, calibrate)
    elif calibrate:
        raise UserError("calibrate: needs a device to hold; name its card with --spin")
    choices = CosimChoices(
        inference=Inference(Mode.named(mode), passes, masks),
        seed=seed,
        array=_array(rows, columns, lanes, converter_bits, converter_step, mid_rise),
        convolution=convolution,
        datapath=datapath,
        weights=weights,
        bus=bus,
        form=Form.named(form),
        disturbance=Disturbance(idle, stall),
        table=table,
        spin=device,
        netlist=netlist,
    )
    resolved = resolve(config, model, checkpoint, cache)
    chosen = images_for(resolved.network, images, data)
    printer = StepPrinter(len(chosen.pixels))
    result = cosimulate(
        resolved.network,
        resolved.net,
        chosen,
        choices,
        out,
        cache,
        listener=printer,
        no_net=resolved.note,
    )
    report = save_report(result, choices, chosen, " ".join(["scaledrop", *sys.argv[1:]]), out)
    show_cosim(report)
    console.print(f"report      {out / 'index.html'}")
    if not report["ok"]:
        raise typer.Exit(1)


@app.command()
def golden(
    config: Config = None,
    model: ModelFile = None,
    images: Annotated[int, typer.Option(help="Images.")] = 8,
    passes: Annotated[int, typer.Option(help="Stochastic passes T.")] = 4,
    seed: Seed = 1,
    out: Out = Path("tests/golden"),
    cache: Cache = CACHE,
) -> None:
    """Make the golden vectors again: a frozen network and what it must compute."""
    from scaledrop.frozen_file import save
    from scaledrop_cosim.contract import Workload
    from scaledrop_flow.console import console
    from scaledrop_flow.data import images_for
    from scaledrop_flow.model import resolve
    from scaledrop_flow.steps.golden import write_vectors

    network = resolve(config, model, None, cache).network
    chosen = images_for(network, images)
    save(network, out / f"{network.name}.sdnet")
    path = out / f"{network.name}.json"
    write_vectors(Workload(network, chosen.pixels, passes, seed), path)
    console.print(f"wrote {path}")


@app.command()
def bench(
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("build/bench.json"),
    repeats: Annotated[int, typer.Option(help="Runs of each side; medians are kept.")] = 5,
    cache: Cache = CACHE,
) -> None:
    """Measure speeds as ratios within one run."""
    from scaledrop_flow.bench import run_benchmarks
    from scaledrop_flow.console import console

    entries = run_benchmarks(cache, repeats)
    write_json(out, entries)
    for entry in entries:
        console.print(f"{entry['name']:<28} {entry['value']:.4g} {entry['unit']}  {entry['note']}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished co-simulation.")],
) -> None:
    """Draw the page of a finished run again."""
    from scaledrop_flow.console import console
    from scaledrop_flow.report.save import redraw

    console.print(f"wrote {redraw(folder)}")
