# SPDX-License-Identifier: Apache-2.0
"""Pictures of the studies of the method, each drawn from its table.

``python -m scaledrop_flow.report.method_studies docs/studies docs/pictures`` draws those whose
tables are there. Lines are means over the seeds, bands one standard deviation.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure

from scaledrop_flow.report.study_lines import (
    Row,
    band,
    distinct,
    log_labels,
    read_rows,
    side_by_side,
    some,
)
from scaledrop_flow.report.style import LIGHT, WIDTH, bare, drawing, save

__all__ = ["PICTURES", "draw_all"]


def variance_picture(rows: Sequence[Row]) -> Figure:
    """Predictive variance over p, trained at each p and programmed to it."""
    found, sets = some(rows, experiment="variance"), distinct(rows, "set")
    with side_by_side("study-variance", sets, "p", "predictive variance") as (figure, grid):
        for axes, name in zip(grid, sets, strict=True):
            for style, case in enumerate(("trained", "programmed")):
                band(axes, some(found, set=name, case=case), "p", "variance", f"p {case}", style)
            axes.set_ylim(bottom=0)
    return figure


def rotation_picture(rows: Sequence[Row]) -> Figure:
    """AUROC of turned images over the angle."""
    found, sets = some(rows, experiment="rotation"), distinct(rows, "set")
    with side_by_side("study-rotation", sets, "degrees", "AUROC") as (figure, grid):
        lines = (
            ("scale dropout", "auroc_entropy", "entropy"),
            ("twin", "auroc_entropy", "entropy, twin"),
            ("scale dropout", "auroc_mutual_information", "mutual information"),
        )
        for axes, name in zip(grid, sets, strict=True):
            for style, (case, score, label) in enumerate(lines):
                band(axes, some(found, set=name, case=case), "angle", score, label, style)
            axes.set(ylim=(0.4, 1.0), xticks=[0, 45, 90, 135, 180])
    return figure


def passes_picture(rows: Sequence[Row]) -> Figure:
    """NLL of T passes less that of the exact marginal, in per cent of it."""
    sets = distinct(rows, "set")
    with side_by_side("study-passes", sets, "passes T", "NLL above exact, %") as (figure, grid):
        for axes, name in zip(grid, sets, strict=True):
            for style, p in enumerate(distinct(some(rows, set=name), "p")):
                mine = some(rows, set=name, p=p)
                drawn = [
                    row for seed in distinct(mine, "seed") for row in _gaps(some(mine, seed=seed))
                ]
                band(axes, drawn, "passes", "gap", f"p = {p}", style)
            axes.axhline(1, color=LIGHT.soft, linewidth=0.8, linestyle=":")
            axes.set(xscale="log", xticks=[1, 5, 20, 100], xticklabels=["1", "5", "20", "100"])
            axes.minorticks_off()
    return figure


def _gaps(rows: Sequence[Row]) -> list[Row]:
    """Of one seed: how far the NLL of drawn passes is above the exact one, in per cent."""
    exact = [float(row["nll"]) for row in rows if row["passes"] == "exact"]
    drawn = [row for row in rows if row["passes"].isdigit()]
    return [{**row, "gap": str(100 * (float(row["nll"]) / exact[0] - 1))} for row in drawn]


def drift_picture(rows: Sequence[Row]) -> Figure:
    """Mean and largest change of a class probability over the drift, and the mass that moved."""
    sets = distinct(rows, "set")
    with side_by_side(
        "study-drift", sets, "standard deviation of p", "change of a probability"
    ) as (figure, grid):
        lines = (
            ("mean_moved", "mean"),
            ("most_moved", "largest"),
            ("mass", "mass moved"),
            ("bound", "bound"),
        )
        for axes, name in zip(grid, sets, strict=True):
            mine = some(rows, set=name, offset="a layer")
            mine = some(mine, p=distinct(mine, "p")[0])
            for style, (column, label) in enumerate(lines):
                band(axes, mine, "sigma", column, label, style)
            log_labels(axes, (1e-4, 1e-3, 1e-2, 0.1, 1))
    return figure


def correlated_picture(rows: Sequence[Row]) -> Figure:
    """What 20 passes are worth over the correlation in time."""
    found, sets = some(rows, kind="markov"), distinct(rows, "set")
    with side_by_side("study-correlated", sets, "correlation of a bit", "effective passes") as (
        figure,
        grid,
    ):
        for axes, name in zip(grid, sets, strict=True):
            mine = some(found, set=name)
            band(axes, mine, "correlation", "effective_passes", "of 20 passes", 0)
            band(axes, mine, "correlation", "effective_passes_of_a_bit", "of 20 bits", 1)
            axes.set_ylim(bottom=0)
    return figure


def shift_picture(rows: Sequence[Row]) -> Figure:
    """Accuracy and ECE over the severity, mean over the corruptions."""
    sets = distinct(rows, "set")
    with side_by_side("study-shift", sets, "severity", "accuracy, ECE") as (figure, grid):
        for axes, name in zip(grid, sets, strict=True):
            for style, network in enumerate(distinct(rows, "network")):
                mine = some(rows, set=name, network=network)
                for column, offset in (("accuracy", 0), ("ece", 4)):
                    label = network if column == "accuracy" else f"{network}, ECE"
                    band(axes, _over_kinds(mine, column), "severity", column, label, style + offset)
            axes.set_ylim(0, 1)
    return figure


def _over_kinds(rows: Sequence[Row], column: str) -> list[Row]:
    """Mean over the corruptions for each seed and severity."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        found.setdefault((row["seed"], row["severity"]), []).append(float(row[column]))
    return [{"severity": key[1], column: str(np.mean(values))} for key, values in found.items()]


def ablation_picture(rows: Sequence[Row]) -> Figure:
    """AUROC by mutual information over p, a line for each phi."""
    pairs = list(dict.fromkeys((row["set"], row["layers"]) for row in rows))
    titles = [f"{name}, {layers} layers" for name, layers in pairs]
    with side_by_side("study-ablation", titles, "p", "AUROC by mut. inf.") as (figure, grid):
        for axes, (name, layers) in zip(grid, pairs, strict=True):
            mine = some(rows, set=name, layers=layers)
            for style, phi in enumerate(distinct(mine, "phi")):
                some_phi = some(mine, phi=phi)
                band(axes, some_phi, "p", "auroc_mutual_information", f"phi = {phi}", style)
    return figure


def norms_picture(rows: Sequence[Row]) -> Figure:
    """k of each layer by drop and remedy: measured, and a ring where the closed form says."""
    found = some(rows, fact="variance shift")
    cases = list(dict.fromkeys((row["setting"], row["remedy"]) for row in found))
    with drawing("study-norms", 0.5 * len(cases) + 0.6, WIDTH + 1.6) as figure:
        axes = figure.subplots()
        bare(axes)
        for place, (setting, remedy) in enumerate(cases):
            mine = some(found, setting=setting, remedy=remedy)
            for style, layer in enumerate(distinct(mine, "of")):
                at = some(mine, of=layer)
                k, closed = (
                    np.mean([float(r[c]) for r in at]) for c in ("measured", "closed_form")
                )
                y = place + 0.22 * (style - 1)
                colour = (LIGHT.accent, LIGHT.bad, LIGHT.ink, LIGHT.soft)[style % 4]
                label = layer if place == 0 else None
                axes.plot(k, y, "o", color=colour, markersize=4, label=label)
                axes.plot(closed, y, "o", color=colour, markersize=7, fillstyle="none")
        axes.axvline(1, color=LIGHT.soft, linewidth=0.8)
        axes.set_yticks(range(len(cases)), ["\n".join(case) for case in cases], fontsize=7)
        axes.set(ylim=(len(cases) - 0.5, -0.6), xlabel="k")
        axes.legend(frameon=False, fontsize=7)
    return figure


def faults_picture(rows: Sequence[Row]) -> Figure:
    """Accuracy over the rate of each fault, on the digits; methods beside these two are grey."""
    mine = some(rows, set="digits")
    kinds = [kind for kind in distinct(mine, "fault") if kind != "none"]
    with side_by_side("study-faults", kinds, "rate", "accuracy") as (figure, grid):
        for axes, kind in zip(grid, kinds, strict=True):
            for method in distinct(mine, "method"):
                known = method in STANDOUT
                found = some(mine, method=method, fault=kind)
                rates = sorted({float(row["rate"]) for row in found})
                means = [
                    np.mean([float(r["accuracy"]) for r in found if float(r["rate"]) == rate])
                    for rate in rates
                ]
                colour = STANDOUT.get(method, LIGHT.soft)
                axes.plot(
                    rates,
                    means,
                    color=colour,
                    linewidth=1.4 if known else 0.5,
                    label=method if known else None,
                    zorder=3 if known else 2,
                )
            axes.set_ylim(0, 1)
    return figure


STANDOUT = {"scale-dropout": LIGHT.accent, "deterministic": LIGHT.bad}

PICTURES: Mapping[str, tuple[str, Callable[[Sequence[Row]], Figure]]] = MappingProxyType(
    {
        "study-variance": ("first", variance_picture),
        "study-rotation": ("first", rotation_picture),
        "study-passes": ("passes", passes_picture),
        "study-drift": ("drift", drift_picture),
        "study-correlated": ("correlated", correlated_picture),
        "study-shift": ("shift", shift_picture),
        "study-ablation": ("ablation", ablation_picture),
        "study-norms": ("facts", norms_picture),
        "study-faults": ("faults", faults_picture),
    }
)
"""From the picture's name to the study and what draws it."""


def draw_all(tables: Path, folder: Path) -> list[Path]:
    """Draw the pictures whose tables are in ``tables``: the whole one, else that of a part of the
    study (``NAME-part.csv``). The paths written."""
    written = []
    for name, (study, picture) in PICTURES.items():
        found = [tables / f"{study}{part}.csv" for part in ("", "-part")]
        for table in [one for one in found if one.exists()][:1]:
            written.append(folder / f"{name}.svg")
            save(picture(read_rows(table)), written[-1])
    return written


if __name__ == "__main__":
    for path in draw_all(Path(sys.argv[1]), Path(sys.argv[2])):
        print(path)
