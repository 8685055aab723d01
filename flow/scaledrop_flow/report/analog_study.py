# SPDX-License-Identifier: Apache-2.0
"""Pictures of the analog study: converters, passes, cells, wires, and joules against quality.

``python -m scaledrop_flow.report.analog_study docs/studies/analog.csv docs/pictures`` draws them.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaledrop_flow.report.style import LIGHT, PLOT_HEIGHT, bare, drawing, legend, plot, save

__all__ = [
    "cells_picture",
    "converters_picture",
    "pareto_picture",
    "passes_picture",
    "read_table",
    "wires_picture",
]

Row = dict[str, str]
ACCURACY, AUROC, ECE = "accuracy", "auroc_mutual_information", "ece"


def read_table(table: Path) -> list[Row]:
    """The rows of ``scaledrop study analog``."""
    with table.open() as lines:
        return list(csv.DictReader(lines))


def _some(rows: Iterable[Row], sweep: str, passes: int = 0) -> list[Row]:
    return [row for row in rows if (row["sweep"], row["passes"]) == (sweep, str(passes))]


def _column(rows: Iterable[Row], name: str) -> list[float]:
    return [float(row[name]) for row in rows]


def _line(
    axes: Axes, rows: list[Row], name: str, colour: str, label: str, style: str = "o-"
) -> None:
    x, y = _column(rows, "setting"), _column(rows, name)
    axes.plot(x, y, style, color=colour, markersize=3.5, linewidth=1.2, label=label)


def _levels(axes: Axes, rows: list[Row]) -> None:
    """What the array with nothing wrong has."""
    (plain,) = _some(rows, "none")
    for name, colour in ((ACCURACY, LIGHT.accent), (AUROC, LIGHT.bad)):
        axes.axhline(float(plain[name]), color=colour, linewidth=0.8, linestyle=(0, (1, 1.5)))


def converters_picture(rows: list[Row]) -> Figure:
    """Accuracy and AUROC over the bits of the converters, exact marginal."""
    with plot("analog-converters", "bits of the converters", "accuracy, AUROC") as (
        figure,
        axes,
    ):
        _levels(axes, rows)
        some = _some(rows, "bits")
        _line(axes, some, ACCURACY, LIGHT.accent, "accuracy")
        _line(axes, some, AUROC, LIGHT.bad, "AUROC by mut. inf.")
        spread = _some(rows, "bits, spread 0.1")
        _line(axes, spread, ACCURACY, LIGHT.accent, "spread 10 %", "s--")
        _line(axes, spread, AUROC, LIGHT.bad, "", "s--")
        axes.set_ylim(0, 1)
        legend(axes)
    return figure


def passes_picture(rows: list[Row]) -> Figure:
    """AUROC over T at several widths of the converters, and what the exact marginal has."""
    with plot("analog-passes", "passes T", "AUROC by mut. inf.") as (figure, axes):
        for bits, colour, style in (("8", LIGHT.accent, "-"), ("4", LIGHT.bad, "--"),
                                    ("3", LIGHT.soft, ":")):  # fmt: skip
            some = [one for one in rows if one["sweep"] == "bits" and one["setting"] == bits]
            drawn = [one for one in some if one["passes"] != "0"]
            x, y = _column(drawn, "passes"), _column(drawn, AUROC)
            axes.plot(x, y, f"o{style}", color=colour, markersize=3.5, label=f"{bits} bits")
            (exact,) = [one for one in some if one["passes"] == "0"]
            axes.axhline(float(exact[AUROC]), color=colour, linewidth=0.8, linestyle=(0, (1, 1.5)))
        axes.set(xscale="log")
        axes.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        axes.minorticks_off()
        legend(axes)
    return figure


def cells_picture(rows: list[Row]) -> Figure:
    """Accuracy and AUROC over the spread of the cells, and over the share of stuck ones."""
    with drawing("analog-cells", PLOT_HEIGHT, 6.4) as figure:
        for axes, sweep, text in zip(
            figure.subplots(1, 2, sharey=True),
            ("spread", "stuck"),
            ("spread of a conductance", "share of stuck devices"),
            strict=True,
        ):
            bare(axes)
            axes.grid(color=LIGHT.grid, linewidth=0.5)
            _levels(axes, rows)
            some = _some(rows, sweep)
            _line(axes, some, ACCURACY, LIGHT.accent, "accuracy")
            _line(axes, some, AUROC, LIGHT.bad, "AUROC by mut. inf.")
            axes.set_xlabel(text)
        legend(figure.axes[1])
    return figure


def wires_picture(rows: list[Row]) -> Figure:
    """Accuracy over the resistance of a wire segment, relative to that of a cell."""
    with plot("analog-wires", "wire segment over cell, ohm / ohm", "accuracy") as (
        figure,
        axes,
    ):
        for cells, marker in (("1e+06", "o"), ("1e+04", "s")):
            for trim, colour in (("", LIGHT.bad), (", trimmed", LIGHT.accent)):
                some = _some(rows, f"wires, {cells} ohm cells{trim}")
                x = [float(one["setting"]) / float(cells) for one in some]
                label = f"{float(cells) / 1e3:g} kOhm{trim}"
                axes.plot(x, _column(some, ACCURACY), f"{marker}-", color=colour, markersize=3.5,
                          linewidth=1.2, label=label)  # fmt: skip
        axes.set(xscale="log")
        axes.set_xticks([1e-6, 1e-5, 1e-4], ["1e-6", "1e-5", "1e-4"])
        axes.minorticks_off()
        axes.legend(frameon=False, fontsize="small", loc="lower left")
    return figure


def pareto_picture(rows: list[Row]) -> Figure:
    """Joules of array and converters for one image against accuracy and AUROC, by bits and T."""
    with drawing("analog-pareto", PLOT_HEIGHT, 6.4) as figure:
        for axes, name, text in zip(
            figure.subplots(1, 2),
            (ACCURACY, AUROC),
            ("accuracy", "AUROC by mut. inf."),
            strict=True,
        ):
            bare(axes)
            axes.grid(color=LIGHT.grid, linewidth=0.5)
            axes.set(xlabel="nJ of array and converters an image", ylabel=text)
            for passes, colour, label in ((1, LIGHT.soft, "T = 1"), (5, LIGHT.bad, "T = 5"),
                                          (0, LIGHT.accent, "every mask")):  # fmt: skip
                some = [one for one in _some(rows, "bits", passes) if int(one["setting"]) > 1]
                x = [1e9 * value for value in _column(some, "analog_j")]
                y = _column(some, name)
                axes.plot(x, y, "o-", color=colour, markersize=3.5, linewidth=1.0, label=label)
                for row, at in zip(some, zip(x, y, strict=True), strict=True):
                    if passes == 0 and int(row["setting"]) < 6:
                        axes.annotate(row["setting"], at, (3, -9), textcoords="offset points",
                                      color=LIGHT.soft, fontsize="small")  # fmt: skip
        legend(figure.axes[1])
    return figure


if __name__ == "__main__":
    table, folder = map(Path, sys.argv[1:])
    found = read_table(table)
    for draw in (
        converters_picture,
        passes_picture,
        cells_picture,
        wires_picture,
        pareto_picture,
    ):
        save(draw(found), folder / f"analog-{draw.__name__.removesuffix('_picture')}.svg")
