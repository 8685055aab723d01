# SPDX-License-Identifier: Apache-2.0
"""The ``scaledrop`` command: one verb per step."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from scaledrop.errors import UserError

__all__ = ["app", "main"]

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
Lanes = Annotated[int, typer.Option(help="Channels scaled per cycle; 0 takes the most.")]
ModelFile = Annotated[Path | None, typer.Option(help="Frozen network instead of --config.")]
CheckpointFile = Annotated[
    Path | None, typer.Option(help="Checkpoint that --model was frozen from.")
]
DataFile = Annotated[Path | None, typer.Option(help="npz with images and labels.")]
DataSource = Annotated[
    Path | None,
    typer.Option(help="Folder of public sets, or own images: an npz, a folder of class folders."),
]
Cache = Annotated[Path, typer.Option(help="Folder for checkpoints and built simulations.")]

INTERRUPTED = 130
CACHE = Path(os.environ.get("SCALEDROP_CACHE") or platformdirs.user_cache_dir("scaledrop"))


def _write_json(path: Path, value: object) -> None:
    from scaledrop.atomic import write_atomically

    write_atomically(path, (json.dumps(value, indent=2) + "\n").encode())


@app.command()
def doctor() -> None:
    """Say which tools are there, what each unlocks, and how to get the missing ones."""
    from scaledrop_flow.console import show_findings
    from scaledrop_flow.doctor import examine

    findings = examine()
    show_findings(findings)
    if any(one.found is None for one in findings):
        raise typer.Exit(1)


@app.command()
def train(
    config: Annotated[
        str | None, typer.Option(help="Named configuration, or a YAML file; digits if not said.")
    ] = None,
    data: DataSource = None,
    widths: Annotated[
        str | None, typer.Option(help="Widths, such as 96,48; '' for no hidden layer.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the network.")] = None,
    p: Annotated[str | None, typer.Option(help="Dropout: one, one per layer, adaptive.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every random number.")] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Train the twin without dropout.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the interrupted training in --out.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Replace the training in --out.")
    ] = False,
    out: Out = Path("build/train"),
) -> None:
    """Train a network; writes checkpoint, train.json, log.csv and pictures.

    After an interruption the last finished epoch is kept, and --resume goes on to the same result.
    """
    from scaledrop_flow.console import console, show_training, training_progress
    from scaledrop_flow.steps.train_run import TrainChoices, TrainRun, interruption

    run = TrainRun(
        TrainChoices(
            out,
            config=config,
            data=data,
            widths=widths,
            p=p,
            name=name,
            epochs=epochs,
            seed=seed,
            twin=deterministic,
            device=device,
            resume=resume,
            restart=restart,
        )
    )
    path = out / "checkpoint"
    if run.finished:
        console.print(f"{path} is finished; nothing is left to do")
        return
    if resume and run.point is None:
        console.print(f"nothing to resume in {out}; starting at epoch 1")
    try:
        with training_progress(run.config.epochs) as bar:
            values = run(bar, bar.batch)
    except KeyboardInterrupt:
        print(f"scaledrop: {interruption(out, sys.argv[1:])}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    show_training(values)
    model = path.with_name("model.sdnet")
    console.print(f"wrote {path}, train.json, log.csv and pictures in {out}")
    console.print(f"next: scaledrop freeze {path}")
    given = "" if data is None else f" --data {data}"
    console.print(f"then: scaledrop evaluate --model {model}{given}")


data_app = typer.Typer(help="Public image sets: which are at hand, and getting one.")
app.add_typer(data_app, name="data")
DataRoot = Annotated[
    Path | None, typer.Option(help="Folder of public sets; SCALEDROP_DATA or the cache if not.")
]


@data_app.command("list")
def list_data(data: DataRoot = None) -> None:
    """Say which public sets are at hand and how to get the others."""
    from scaledrop_flow.console import show_sets
    from scaledrop_flow.image_source import set_statuses

    show_sets(set_statuses(data))


@data_app.command("fetch")
def fetch_data(
    name: Annotated[str, typer.Argument(help="Set, as 'scaledrop data list' names it.")],
    data: DataRoot = None,
) -> None:
    """Download a public set and check it against its published checksums."""
    from scaledrop.data import fetch
    from scaledrop_flow.console import console, download_progress

    with download_progress() as progress:
        paths = fetch(name, data, progress)
    for path in paths:
        console.print(f"have {path}")
    if not paths:
        console.print(f"{name} is embedded; there is nothing to fetch")


@app.command()
def freeze(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint of scaledrop train.")],
    out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
) -> None:
    """Turn a checkpoint into a frozen network of integers."""
    from scaledrop.frozen_file import save
    from scaledrop.training import load_checkpoint
    from scaledrop_flow.console import console
    from scaledrop_flow.steps.train import freeze_checkpoint

    path = out or checkpoint.with_name("model.sdnet")
    sha256 = save(freeze_checkpoint(load_checkpoint(checkpoint)), path)
    console.print(f"wrote {path}, sha256 {sha256}")


@app.command()
def evaluate(
    config: Config = None,
    model: ModelFile = None,
    images: Annotated[int, typer.Option(help="Images; 0 takes all.")] = 0,
    method: Annotated[
        str, typer.Option(help="Masks: passes (drawn), exact (all), probable (the likeliest).")
    ] = "passes",
    passes: Annotated[int, typer.Option(help="Stochastic passes T.")] = 20,
    mass: Annotated[float, typer.Option(help="probable: probability that may be left out.")] = 0.01,
    seed: Seed = 1,
    data: DataSource = None,
    shift: Annotated[
        str | None, typer.Option(help="Shift the images: rotate:ANGLE or KIND:SEVERITY.")
    ] = None,
    unknown: Annotated[
        str | None,
        typer.Option(help="Foreign images: a set, a file, rotate:ANGLE or KIND:SEVERITY."),
    ] = None,
    out: Out = Path("build/evaluate"),
    cache: Cache = CACHE,
) -> None:
    """Accuracy, calibration and uncertainty of a frozen network on the integer engine."""
    from scaledrop_flow.console import console, show_evaluation
    from scaledrop_flow.data import foreign_images, images_for, shifted
    from scaledrop_flow.model import resolve
    from scaledrop_flow.report.style import save
    from scaledrop_flow.steps.evaluate import evaluate as run
    from scaledrop_flow.steps.evaluate import sampling_of

    sampling = sampling_of(method, passes, seed, mass)
    network = resolve(config, model, None, cache, data).network
    known = images_for(network, images, data)
    foreign = foreign_images(network, known, unknown, data, seed) if unknown else None
    if shift is not None:
        known = shifted(network, known, shift, seed)
    result = run(network, known, sampling, foreign)
    _write_json(out / "report.json", result.report)
    for name, picture in result.pictures.items():
        save(picture, out / f"{name}.svg")
    show_evaluation(result.report)
    names = ", ".join(f"{name}.svg" for name in result.pictures)
    console.print(f"wrote {out / 'report.json'} and beside it {names}")


@app.command()
def generate(
    config: Config = None,
    model: ModelFile = None,
    rows: Rows = 64,
    columns: Columns = 16,
    lanes: Lanes = 0,
    max_passes: Annotated[int, typer.Option(help="Largest T of the hardware.")] = 255,
    out: Out = Path("build/verilog"),
    cache: Cache = CACHE,
) -> None:
    """Write Verilog and its JSON description."""
    from scaledrop.mapping import ArrayShape
    from scaledrop_flow.console import console
    from scaledrop_flow.model import resolve
    from scaledrop_flow.steps.generate import generate as run

    array = ArrayShape(rows, columns, lanes)
    result = run(resolve(config, model, None, cache).network, array, out, max_passes)
    console.print(f"wrote {result.verilog} and {result.sidecar}")


@app.command()
def cosim(
    config: Config = None,
    model: ModelFile = None,
    checkpoint: CheckpointFile = None,
    images: Annotated[int, typer.Option(help="Images; 0 takes all.")] = 360,
    passes: Annotated[int, typer.Option(help="Stochastic passes T.")] = 20,
    mode: Annotated[str, typer.Option(help="Inference mode: passes.")] = "passes",
    datapath: Annotated[str, typer.Option(help="Datapath: reference.")] = "reference",
    seed: Seed = 1,
    rows: Rows = 64,
    columns: Columns = 16,
    lanes: Lanes = 0,
    idle: Annotated[int, typer.Option(help="Input gaps, chance in 1/256 per cycle.")] = 0,
    stall: Annotated[int, typer.Option(help="Back-pressure, chance in 1/256.")] = 0,
    table: Annotated[str, typer.Option(help="Energy table: a name or a YAML file.")] = "mtj45",
    data: DataFile = None,
    out: Out = Path("build/cosim"),
    cache: Cache = CACHE,
) -> None:
    """Run the generated RTL against the frozen model, bit for bit, and write the report."""
    from scaledrop.mapping import ArrayShape
    from scaledrop_cosim.driver import Disturbance
    from scaledrop_flow.console import StepPrinter, console, show_cosim
    from scaledrop_flow.data import images_for
    from scaledrop_flow.model import resolve
    from scaledrop_flow.report.save import save_report
    from scaledrop_flow.steps.cosim import CosimChoices, cosimulate

    choices = CosimChoices(
        passes=passes,
        seed=seed,
        array=ArrayShape(rows, columns, lanes),
        mode=mode,
        datapath=datapath,
        disturbance=Disturbance(idle, stall),
        table=table,
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
    _write_json(out, entries)
    for entry in entries:
        console.print(f"{entry['name']:<28} {entry['value']:.4g} {entry['unit']}  {entry['note']}")


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="scale, lenet5 or exactness.")],
    data: DataSource = None,
    out: Out = Path("docs/studies"),
    cache: Cache = CACHE,
) -> None:
    """Measure again what docs/studies holds; minutes to an hour."""
    from scaledrop_flow.console import console
    from scaledrop_flow.studies import STUDIES
    from scaledrop_flow.studies.table import write_table

    if name not in STUDIES:
        raise UserError(f"study: {name!r} is not known; choose one of {', '.join(STUDIES)}")
    rows = STUDIES[name](data, cache, lambda text: console.print(f"  {text} ..."))
    path = out / f"{name}.csv"
    count = write_table(rows, path, f"scaledrop study {name}")
    console.print(f"wrote {count} rows to {path}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished co-simulation.")],
) -> None:
    """Draw the page of a finished run again."""
    from scaledrop_flow.console import console
    from scaledrop_flow.report.save import redraw

    console.print(f"wrote {redraw(folder)}")


def _one_line(message: str) -> str:
    return " ".join(message.split())


def main() -> None:
    """Run the command; a user's mistake is one line on standard error and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except typer.TyperException as error:
        print(f"scaledrop: {_one_line(error.format_message())} See --help.", file=sys.stderr)
        sys.exit(2)
    except UserError as error:
        print(f"scaledrop: {_one_line(str(error))}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"scaledrop: {where}{error.strerror}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:
        print("scaledrop: interrupted; run the same command again", file=sys.stderr)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
