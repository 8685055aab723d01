# SPDX-License-Identifier: Apache-2.0
"""What the energy pictures share: rows from the top, an axis in joules, figures beside bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

from scaledrop.energy import Band, format_band, format_joules
from scaledrop_flow.report.style import LIGHT, bare, drawing

__all__ = ["WIDE", "beside", "bracket", "joule_axis", "key", "microjoules", "rows", "told"]

WIDE = 6.4
"""Inches: names, bars and figures side by side, readable at the width of a README."""
ROW = 0.34


@contextmanager
def rows(name: str, labels: Sequence[str], above: float = 0.4) -> Iterator[tuple[Figure, Axes]]:
    """Axes with one row a label, the first on top; ``above`` inches are left for a legend."""
    with drawing(name, 0.65 + above + ROW * len(labels), WIDE) as figure:
        axes = figure.subplots()
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.grid(axis="x", color=LIGHT.grid, linewidth=0.5)
        axes.set_axisbelow(True)
        bare(axes)
        yield figure, axes


def joule_axis(axes: Axes, label: str, low: float, high: float, log: bool) -> None:
    """The x axis from ``low`` to ``high`` joules, with SI prefixes."""
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=8))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(low, high)
    axes.xaxis.set_major_formatter(EngFormatter("J", sep=" "))
    axes.set_xlabel(label)


def beside(axes: Axes, x: float, y: float, text: str, colour: str = LIGHT.ink) -> None:
    """Figures to the right of ``x``, on paper, so that no line runs through them."""
    axes.annotate(
        text,
        (x, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize="small",
        color=colour,
        bbox={"facecolor": LIGHT.paper, "linewidth": 0, "pad": 1.0},
    )


def key(figure: Figure, handles: Sequence[Artist], columns: int = 4) -> None:
    """The legend, above everything and as wide as the picture."""
    figure.legend(
        handles=list(handles),
        loc="outside upper center",
        ncols=columns,
        frameon=False,
        handlelength=1.3,
        columnspacing=1.4,
        borderaxespad=0.1,
        fontsize="small",
    )


def bracket(axes: Axes, y: float, low: float, high: float, colour: str = LIGHT.ink) -> None:
    """A band as a line with ends."""
    axes.plot([low, high], [y, y], color=colour, linewidth=1, solid_capstyle="butt")
    for end in (low, high):
        axes.plot([end, end], [y - 0.13, y + 0.13], color=colour, linewidth=1)


def microjoules(text: str) -> str:
    """Micro as people write it where it need not be ASCII."""
    return text.replace("uJ", "µJ")


def told(band: Band) -> str:
    """The figure as text: with its band where it has one."""
    if band.low == band.high:
        return microjoules(format_joules(band.value))
    return microjoules(format_band(band))
