# SPDX-License-Identifier: Apache-2.0
"""Pictures of the macrospin: regimes and closed forms, and the law against cmtj.

``python -m scaledrop_flow.report.macrospin docs/studies/macrospin.csv docs/pictures`` draws both.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scaledrop.device.closed_forms import brown_time, fast_reversal, neel_brown
from scaledrop.device.fokker_planck import switching_probability
from scaledrop_flow.report.style import LIGHT, bare, drawing, save

__all__ = ["agreement_picture", "regimes_picture"]

DELTA = 40.0


def regimes_picture() -> Figure:
    """Contours of P over pulse width and drive, and P = 1/2 of the closed forms."""
    time = np.geomspace(0.2, 1e5, 44)
    drive = np.concatenate([np.linspace(0.35, 1.6, 34), np.linspace(1.65, 6, 22)])
    core = switching_probability(drive[:, None], DELTA, time)
    below, above = drive[drive < 0.97], np.linspace(1.03, 6, 200)[:, None]
    slow = neel_brown(below[:, None], DELTA, time, brown_time(below[:, None], DELTA))
    with drawing("regimes", 3.4) as figure:
        axes = figure.subplots()
        axes.contour(time, drive, core, [0.1, 0.5, 0.9], colors=LIGHT.accent, linewidths=[1, 2, 1])
        axes.contour(time, below, slow, [0.5], colors=LIGHT.bad, linestyles="dashed")
        fast = fast_reversal(above, DELTA, time)
        axes.contour(time, above[:, 0], fast, [0.5], colors=LIGHT.ink, linestyles="dotted")
        axes.set(xscale="log", ylim=(0.3, 4), xlabel="pulse width over tau_D", ylabel="I / Ic0")
        axes.set_xticks([1, 10, 100, 1e3, 1e4, 1e5], ["1", "10", "100", "1e3", "1e4", "1e5"])
        axes.minorticks_off()
        names = ["P = 0.1, 0.5, 0.9", "Neel-Brown, 0.5", "fast reversal, 0.5"]
        lines = [
            Line2D([], [], color=LIGHT.accent),
            Line2D([], [], color=LIGHT.bad, linestyle="--"),
            Line2D([], [], color=LIGHT.ink, linestyle=":"),
        ]
        axes.legend(lines, names, frameon=False, title=f"Delta = {DELTA:g}", alignment="left")
        axes.grid(color=LIGHT.grid, linewidth=0.5)
        bare(axes)
    return figure


def agreement_picture(table: Path) -> Figure:
    """z-scores of cmtj under the law, by drive, from the table of ``scaledrop study macrospin``."""
    with table.open() as lines:
        rows = list(csv.DictReader(lines))
    with drawing("agreement", 2.6) as figure:
        axes = figure.subplots()
        for name, colour in (("fast", LIGHT.accent), ("steady", LIGHT.bad)):
            some = [row for row in rows if row["layer"] == name]
            axes.plot(
                [float(row["drive"]) for row in some],
                [float(row["z"]) for row in some],
                "o",
                color=colour,
                markersize=3.5,
                label=f"{name} layer",
            )
        for line in (-3, 3):
            axes.axhline(line, color=LIGHT.ink, linewidth=1, linestyle=(0, (2, 2)))
        axes.set(ylim=(-4, 4), xscale="log", xlabel="I / Ic0", ylabel="z-score")
        axes.set_xticks([0.8, 1, 2, 3, 5], ["0.8", "1", "2", "3", "5"])
        axes.minorticks_off()
        axes.grid(color=LIGHT.grid, linewidth=0.5)
        axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
        bare(axes)
    return figure


if __name__ == "__main__":
    table, folder = map(Path, sys.argv[1:])
    save(regimes_picture(), folder / "device-regimes.svg")
    save(agreement_picture(table), folder / "device-agreement.svg")
