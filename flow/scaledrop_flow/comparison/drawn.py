# SPDX-License-Identifier: Apache-2.0
"""The pictures of the comparison: accuracy against joules, unknown images, reliability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from scaledrop_flow.comparison.tables import Line
from scaledrop_flow.energy_report.layout import WIDE, rows
from scaledrop_flow.report.style import LIGHT, bare, drawing, legend, plot

__all__ = ["auroc_picture", "energy_picture", "reliability_picture"]

MARKED = ("scale-dropout", "deterministic", "mc-dropout", "deep-ensemble")
COLOURS = (LIGHT.accent, LIGHT.ink, LIGHT.bad, LIGHT.soft)


def energy_picture(lines: Sequence[Line], name: str) -> Figure:
    """Accuracy of every seed against joules of an image with their band; names at the right, in the
    order of the means, each with a line to its mean. What has no price is left out."""
    lines = [line for line in lines if line.priced]
    ordered = sorted(lines, key=lambda line: line.over("accuracy").mean)
    with drawing(name, 0.9 + 0.24 * len(lines), WIDE) as figure:
        axes = figure.subplots()
        bare(axes)
        axes.set_xscale("log")
        axes.grid(color=LIGHT.grid, linewidth=0.5)
        axes.set(xlabel="joules an image, estimated, with their band", ylabel="accuracy")
        axes.xaxis.set_major_formatter(EngFormatter("J", sep=" "))
        values = [value for line in lines for value in line.over("accuracy").values]
        room = max(max(values) - min(values), 0.01) * 0.08
        axes.set_ylim(min(values) - room, max(values) + room)
        for at, line in enumerate(ordered):
            colour = LIGHT.accent if line.method == "scale-dropout" else LIGHT.ink
            low, value, high = (
                line.over(column).mean * 1e-6 for column in ("uj_low", "uj", "uj_high")
            )
            found = line.over("accuracy")
            axes.plot([low, high], [found.mean] * 2, color=LIGHT.grid, linewidth=2, zorder=1)
            axes.plot([value] * len(found.values), found.values, "o", color=colour, markersize=2.5)
            axes.plot([value], [found.mean], "D", color=colour, markersize=4.5)
            place = 1.03, (at + 0.5) / len(ordered)
            axes.annotate(
                line.title,
                (value, found.mean),
                xytext=place,
                textcoords="axes fraction",
                va="center",
                fontsize="small",
                color=colour,
                arrowprops={
                    "arrowstyle": "-",
                    "color": LIGHT.grid,
                    "linewidth": 0.6,
                    "relpos": (0, 0.5),
                },
            )
    return figure


def auroc_picture(lines: Sequence[Line], name: str) -> Figure:
    """AUROC by entropy against both unknown sets: every seed a point, the mean a bar."""
    with rows(name, [line.title for line in lines]) as (figure, axes):
        kinds = (("auroc_1", LIGHT.accent, -0.16), ("auroc_2", LIGHT.bad, 0.16))
        for column, colour, shift in kinds:
            what = lines[0][f"unknown_{column[-1]}"]
            for at, line in enumerate(lines):
                found = line.over(column)
                places = [at + shift] * len(found.values)
                label = what if at == 0 else None
                axes.plot(found.values, places, "o", color=colour, markersize=3.5, label=label)
                axes.plot([found.mean] * 2, [at + shift - 0.14, at + shift + 0.14], color=colour)
        axes.set_xlabel("AUROC by entropy; 0.5 is chance")
        legend(axes)
    return figure


def reliability_picture(bins: Sequence[dict[str, str]], name: str) -> Figure:
    """Accuracy against confidence: four methods in colour, the others in grey.

    Args:
        bins: Rows of one set.
    """
    by_method: dict[str, list[tuple[float, float]]] = {}
    for row in bins:
        point = float(row["confidence"]), float(row["accuracy"])
        by_method.setdefault(row["method"], []).append(point)
    with plot(name, "confidence", "accuracy") as (figure, axes):
        axes.plot([0, 1], [0, 1], color=LIGHT.grid, linewidth=1)
        for key, points in by_method.items():
            x, y = np.array(sorted(points)).T
            if key in MARKED:
                colour = COLOURS[MARKED.index(key)]
                axes.plot(x, y, "o-", color=colour, markersize=2.5, linewidth=1.2, label=key)
            else:
                axes.plot(x, y, color=LIGHT.grid, linewidth=0.8, zorder=1)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
        axes.legend(frameon=False, fontsize="small", loc="upper left")
    return figure
