# SPDX-License-Identifier: Apache-2.0
"""What a person sees while the flow works: progress, and a summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from scaledrop.energy import Band, format_band
from scaledrop.training import EpochRecord
from scaledrop_flow.doctor import Finding
from scaledrop_flow.image_source import SetStatus
from scaledrop_flow.steps.cosim import Listener

__all__ = [
    "StepPrinter",
    "TrainingBar",
    "console",
    "download_progress",
    "show_cosim",
    "show_evaluation",
    "show_findings",
    "show_sets",
    "show_training",
    "training_progress",
]

console = Console(highlight=False, soft_wrap=True)

DRAW_SECONDS, LINE_SECONDS = 0.1, 10.0
"""Between two updates of the bar, and between two lines where there is no terminal."""


@contextmanager
def _bar(label: str, total: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(label, total=total, note="")
        yield lambda done, note: progress.update(task, completed=done, note=note)


class TrainingBar:
    """Where a training stands and how long it still takes: a bar on a terminal, else a line now
    and then.

    Called with each :class:`EpochRecord`; :meth:`batch` is called after each batch.

    Parameters:
        epochs: of the training.
        update: of the bar, with the epochs done and a note.
    """

    def __init__(self, epochs: int, update: Callable[[float, str], None]) -> None:
        self.epochs, self.update = epochs, update
        self.note, self.drawn, self.printed = "", 0.0, time.monotonic()
        self.begun: tuple[float, float] | None = None

    def __call__(self, record: EpochRecord) -> None:
        self.note = f"epoch {record.epoch} loss {record.loss:.3f} accuracy {record.accuracy:.3f}"
        if record.validation_accuracy is not None:
            self.note += f" validation {record.validation_accuracy:.3f}"
        self.update(record.epoch, self.note)
        now = time.monotonic()
        if not console.is_terminal and now - self.printed > LINE_SECONDS:
            self.printed = now
            console.print(f"  {self.note}, {self._left(now, record.epoch)}")

    def batch(self, epoch: int, batch: int, batches: int) -> None:
        """``batch`` of the ``batches`` of an epoch is done; all count from 1."""
        now, done = time.monotonic(), epoch - 1 + batch / batches
        self.begun = self.begun or (now, done)
        if now - self.drawn > DRAW_SECONDS:
            self.drawn = now
            self.update(done, self.note)

    def _left(self, now: float, done: float) -> str:
        since, first = self.begun or (now, done)
        seconds = (now - since) / max(done - first, 1e-9) * (self.epochs - done)
        return f"about {seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"


@contextmanager
def training_progress(epochs: int) -> Iterator[TrainingBar]:
    """A bar over the epochs; yields the callback for :func:`scaledrop.training.train`."""
    with _bar("train", epochs) as update:
        yield TrainingBar(epochs, update)


@contextmanager
def download_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar over the bytes; yields the callback for :func:`scaledrop.data.fetch`."""
    with _bar("fetch", 1) as update:
        yield lambda file, done, total: update(done / max(total, 1), file)


def show_sets(sets: Iterable[SetStatus]) -> None:
    """Which public sets are at hand, and how to get the others."""
    table = Table("set")
    for title in ("where", "how to get it"):
        table.add_column(title, overflow="fold")
    for one in sets:
        where = "embedded" if one.folder is None else str(one.folder)
        table.add_row(one.name, where if one.at_hand else "missing", one.remedy)
    console.print(table)


def show_training(values: Mapping[str, Any]) -> None:
    """The last epoch and the scales of a finished training (``train.json``)."""
    last = values["history"][-1]
    text = f"epoch {last['epoch']}: loss {last['loss']:.4f}, training accuracy"
    text += f" {last['accuracy']:.4f}"
    if last["validation_accuracy"] is not None:
        text += f", validation accuracy {last['validation_accuracy']:.4f}"
    console.print(f"{text}, {values['wall_s']:.1f} s on {values['device']}")
    for one in values["scales"]:
        console.print(
            f"scales      {one['layer']}: mean {one['mean']:.3f}, deviation {one['std']:.3f}"
        )


class StepPrinter(Listener):
    """Prints each step as it begins, and counts images while the RTL runs."""

    def __init__(self, total: int) -> None:
        self.total, self.last = total, 0.0

    def step(self, name: str) -> None:
        console.print(f"  {name} ...")

    def images(self, finished: int) -> None:
        now = time.monotonic()
        if now - self.last > 1 or finished == self.total:
            self.last = now
            console.print(f"    {finished} of {self.total} images")


def show_findings(findings: list[Finding]) -> None:
    """The doctor's table."""
    table = Table("tool", "found", "unlocks", "how to get it")
    for one in findings:
        absent = "not there, optional" if one.optional else "missing"
        table.add_row(one.name, one.found or absent, one.unlocks, "" if one.found else one.remedy)
    console.print(table)


def _bits_of(layer: Mapping[str, Any]) -> str:
    """What became of a layer's bits, in a line."""
    text = f"{layer['name']}: p {layer['programmed']:.4f} programmed, {layer['measured']:.4f}"
    if "tests" not in layer:
        return f"{text} drawn; {layer['note']}"
    held, judged = layer["tests"] - layer["failures"], "pass" if layer["passed"] else "do not pass"
    return f"{text} drawn; {held} of {layer['tests']} tests hold, {judged}"


def show_cosim(report: Mapping[str, Any]) -> None:
    """Verdict, accuracy, cycles and energy of a run in a few lines."""
    accuracy, cycles, energy = report["accuracy"], report["cycles"], report["energy_j"]
    shown = {
        name: "not run" if value is None else f"{value:.4f}" for name, value in accuracy.items()
    }
    checked = report["checked"]["total"]
    differing = report["mismatches"]
    netlist = report.get("netlist")
    if netlist is not None:
        told = f"{netlist['kind']}, {netlist['cells']:,} cells, {netlist['tool']}"
        console.print(f"netlist     {told}, sha256 {netlist['sha256'][:16]}")
    subject = "RTL" if netlist is None else "netlist"
    console.print(f"checked     {checked:,} values of the {subject}, {differing:,} mismatches")
    for name in report["skips"]:
        console.print(f"skipped     {name}")
    console.print("accuracy    " + ", ".join(f"{name} {value}" for name, value in shown.items()))
    for layer in (report["spin"] or {"layers": ()})["layers"]:
        console.print(f"bits        {_bits_of(layer)}")
    predicted = cycles["predicted"] or "not compared"
    simulated = cycles["simulated"] or "not counted"
    console.print(f"cycles      predicted {predicted}, simulated {simulated}")
    if energy is not None:
        band = Band(energy["value"], energy["low"], energy["high"])
        console.print(f"energy      {format_band(band)} per image, as listed on the page")
    if report["ok"]:
        console.print("result      every back end equals the golden model")
    else:
        console.print(f"result      MISMATCH: {report['first_difference']}")


def show_evaluation(report: Mapping[str, Any]) -> None:
    """Scores of an evaluation, one table."""
    table = Table("score", "value", title=f"{report['images']} images of {report['data']}")
    for name, value in report.items():
        if isinstance(value, float):
            table.add_row(name.replace("_", " "), f"{value:.5g}")
    for name in ("mean_iou", "mean_dice", "pixel_accuracy"):
        if "segmentation" in report:
            table.add_row(name.replace("_", " "), f"{report['segmentation'][name]:.4f}")
    console.print(table)
    if "unknown" not in report:
        return
    unknown = report["unknown"]
    table = Table(
        "score", "AUROC", "AUPR out", "AUPR in", "FPR95", title=f"against {unknown['data']}"
    )
    for score in ("entropy", "mutual_information", "one_minus_max"):
        values = unknown[score]
        shown = (values[name] for name in ("auroc", "aupr_out", "aupr_in", "fpr95"))
        table.add_row(score.replace("_", " "), *(f"{value:.4f}" for value in shown))
    console.print(table)
