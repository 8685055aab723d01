# SPDX-License-Identifier: Apache-2.0
"""Lines over the rows of a study: means over the seeds, and bands of one standard deviation."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaledrop_flow.report.style import LIGHT, PLOT_HEIGHT, bare, drawing

__all__ = ["WIDE", "Row", "band", "distinct", "log_labels", "read_rows", "side_by_side", "some"]

Row = Mapping[str, str]
WIDE = 7.0
STYLES = ("-", "--", ":", "-.")
COLOURS = (LIGHT.accent, LIGHT.bad, LIGHT.ink, LIGHT.soft)


def read_rows(table: Path) -> list[Row]:
    """The rows of a study's table."""
    with table.open(newline="") as lines:
        return list(csv.DictReader(lines))


def some(rows: Iterable[Row], **wanted: str) -> list[Row]:
    """Rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def distinct(rows: Iterable[Row], name: str) -> list[str]:
    """Values of a column, in order of appearance."""
    return list(dict.fromkeys(row[name] for row in rows))


def band(axes: Axes, rows: Sequence[Row], x: str, y: str, label: str, style: int = 0) -> None:
    """Mean of ``y`` over the seeds against ``x``, with one standard deviation."""
    places = sorted({float(row[x]) for row in rows})
    groups = [[float(row[y]) for row in rows if float(row[x]) == place] for place in places]
    mean, spread = (np.array([of(group) for group in groups]) for of in (np.mean, np.std))
    colour = COLOURS[style % len(COLOURS)]
    line = STYLES[style // len(COLOURS) % len(STYLES)]
    axes.plot(
        places, mean, f"o{line}", color=colour, markersize=3, linewidth=1.2, label=label or None
    )
    axes.fill_between(places, mean - spread, mean + spread, color=colour, alpha=0.12, linewidth=0)


@contextmanager
def side_by_side(
    name: str, titles: Sequence[str], x: str, y: str
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Bare axes with a grid, one for each title, to be filled within the context; each gets a
    legend."""
    with drawing(name, PLOT_HEIGHT, WIDE) as figure:
        grid = list(np.atleast_1d(figure.subplots(1, len(titles))))
        for axes, title in zip(grid, titles, strict=True):
            bare(axes)
            axes.set(xlabel=x)
            axes.grid(color=LIGHT.grid, linewidth=0.5)
            axes.set_title(title, fontsize="medium", loc="left")
        grid[0].set_ylabel(y)
        yield figure, grid
        for axes in grid:
            axes.legend(frameon=False, fontsize=7, handlelength=1.6, labelspacing=0.3)


def log_labels(axes: Axes, places: Sequence[float]) -> None:
    """A logarithmic y with these places named, without mathematics in the text."""
    axes.set_yscale("log")
    axes.set_yticks(list(places), [f"{place:g}" for place in places])
    axes.minorticks_off()
