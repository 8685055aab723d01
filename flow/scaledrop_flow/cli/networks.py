# SPDX-License-Identifier: Apache-2.0
"""Verbs for those who train: data, train, freeze, evaluate, study."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from scaledrop.errors import UserError
from scaledrop_flow.cli.options import (
    CACHE,
    INTERRUPTED,
    Cache,
    Config,
    DataSource,
    ModelFile,
    Out,
    Seed,
    app,
    write_json,
)

__all__ = ["evaluate", "fetch_data", "freeze", "list_data", "study", "train"]


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
    console.print(f"wrote {path}, train.json, log.csv and pictures in {out}", markup=False)
    freeze_it = ["scaledrop", "freeze", str(path)]
    given = [] if data is None else ["--data", str(data)]
    evaluate_it = ["scaledrop", "evaluate", "--model", str(model), *given]
    console.print(f"next: {shlex.join(freeze_it)}", markup=False)
    console.print(f"then: {shlex.join(evaluate_it)}", markup=False)


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
    write_json(out / "report.json", result.report)
    for name, picture in result.pictures.items():
        save(picture, out / f"{name}.svg")
    show_evaluation(result.report)
    names = ", ".join(f"{name}.svg" for name in result.pictures)
    console.print(f"wrote {out / 'report.json'} and beside it {names}")


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="Which; an unknown one lists them all.")],
    data: DataSource = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="The small form, in seconds: its figures mean nothing.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this case; again for more.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="Only this data set; again for more.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds instead of its own, as 0,1,2.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes; 0 is one a core, one on a GPU.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    out: Out = Path("docs/studies"),
    cache: Cache = CACHE,
) -> None:
    """Measure again what docs/studies holds; minutes to hours. Stopped, it goes on where it was."""
    from scaledrop_flow.comparison.choices import Choices, seeds_of
    from scaledrop_flow.console import console
    from scaledrop_flow.studies import STUDIES
    from scaledrop_flow.studies.run import run_study

    chosen = Choices(smoke, tuple(only or ()), tuple(sets or ()), seeds_of(seeds), jobs, device)
    if name not in STUDIES:
        raise UserError(f"study: {name!r} is not known; choose one of {', '.join(STUDIES)}")
    say = lambda text: console.print(f"  {text} ...", markup=False)  # noqa: E731
    path, count = run_study(name, STUDIES[name], data, cache, say, chosen, out)
    console.print(f"wrote {count} rows to {path}", markup=False)
