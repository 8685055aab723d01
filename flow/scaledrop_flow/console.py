# SPDX-License-Identifier: Apache-2.0
"""What a person sees while the flow works: progress, and a summary at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from scaledrop.energy import Band, format_band
from scaledrop.training import EpochRecord
from scaledrop_flow.doctor import Finding
from scaledrop_flow.steps.cosim import Listener

__all__ = [
    "StepPrinter",
    "console",
    "show_cosim",
    "show_evaluation",
    "show_findings",
    "training_progress",
]

console = Console(highlight=False, soft_wrap=True)


@contextmanager
def _bar(label: str, total: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(label, total=total, note="")
        yield lambda done, note: progress.update(task, completed=done, note=note)


@contextmanager
def training_progress(epochs: int) -> Iterator[Any]:
    """A bar over the epochs; yields the callback for :func:`scaledrop.training.train`."""
    with _bar("train", epochs) as update:

        def progress(record: EpochRecord) -> None:
            note = f"epoch {record.epoch} loss {record.loss:.3f} accuracy {record.accuracy:.3f}"
            update(record.epoch, note)

        yield progress


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
        table.add_row(
            one.name, one.found or "missing", one.unlocks, "" if one.found else one.remedy
        )
    console.print(table)


def show_cosim(report: Mapping[str, Any]) -> None:
    """Verdict, accuracy, cycles and energy of a run in a few lines."""
    accuracy, cycles, energy = report["accuracy"], report["cycles"], report["energy_j"]
    shown = {
        name: "not run" if value is None else f"{value:.4f}" for name, value in accuracy.items()
    }
    checked = report["checked"]["total"]
    differing = report["mismatches"]
    console.print(f"checked     {checked:,} values of the RTL, {differing:,} mismatches")
    for name in report["skips"]:
        console.print(f"skipped     {name}")
    console.print("accuracy    " + ", ".join(f"{name} {value}" for name, value in shown.items()))
    predicted = cycles["predicted"] or "not compared"
    console.print(f"cycles      predicted {predicted}, simulated {cycles['simulated']}")
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
