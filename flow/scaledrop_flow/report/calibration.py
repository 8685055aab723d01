# SPDX-License-Identifier: Apache-2.0
"""Picture of the calibration study: how many devices hold their probability, at the worst.

``python -m scaledrop_flow.report.calibration docs/studies/calibration.csv docs/pictures`` draws it.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from matplotlib.figure import Figure

from scaledrop_flow.report.style import LIGHT, bare, drawing, save

__all__ = ["held_picture"]

KINDS = (
    ("held_own_code", "own code, trimmed at 27 C", LIGHT.bad, "s"),
    ("within_reach", "some code would do", LIGHT.soft, "|"),
    ("held_calibrated", "calibrator", LIGHT.accent, "o"),
)


def held_picture(table: Path) -> Figure:
    """Share of devices within 0.01 for each wafer: the least over all scenes and probabilities."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    wafers = list(dict.fromkeys(row["wafer"] for row in rows))
    with drawing("calibration", 2.6) as figure:
        axes = figure.subplots()
        for key, label, colour, marker in KINDS:
            least = [
                100 * min(float(row[key]) for row in rows if row["wafer"] == one) for one in wafers
            ]
            size = 11 if marker == "|" else 5
            axes.plot(least, range(len(wafers)), marker, color=colour, markersize=size, label=label)
        axes.set(
            xlim=(-4, 104), xlabel="devices within 0.01 of p, %", ylim=(len(wafers) - 0.4, -0.6)
        )
        axes.set_yticks(range(len(wafers)), wafers)
        axes.grid(axis="x", color=LIGHT.grid, linewidth=0.5)
        axes.legend(
            frameon=False,
            ncols=1,
            loc="center",
            bbox_to_anchor=(0.5, 0.45),
            fontsize=7,
            labelspacing=0.9,
        )
        bare(axes)
    return figure


if __name__ == "__main__":
    source, folder = map(Path, sys.argv[1:])
    save(held_picture(source), folder / "calibration.svg")
