# SPDX-License-Identifier: Apache-2.0
"""One look for all pictures, and the same bytes from the same input.

A picture is drawn in a :class:`Palette` and leaves either as SVG text for the page, its colours
turned into the page's CSS variables so that one picture serves light and dark (:func:`svg`), or as
a file on its own in those colours (:func:`save`). No date, no random identifiers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaledrop.errors import UserError

__all__ = [
    "LIGHT",
    "PLOT_HEIGHT",
    "STAND_INS",
    "WIDTH",
    "Palette",
    "bare",
    "drawing",
    "legend",
    "plot",
    "rc",
    "save",
    "svg",
    "thinned",
]

WIDTH = 4.2
"""Inches: that of a phone; the page lets pictures grow."""


PLOT_HEIGHT = 2.8
"""Inches: that of a plot in the documents."""


@dataclass(frozen=True)
class Palette:
    """Colours as ``#rrggbb``, all different, each standing for one CSS variable of the page."""

    ink: str
    soft: str
    accent: str
    bad: str
    grid: str
    paper: str

    @property
    def variables(self) -> dict[str, str]:
        """From colour to the page's variable."""
        return {
            self.ink: "var(--ink)",
            self.soft: "var(--soft)",
            self.accent: "var(--accent)",
            self.bad: "var(--bad)",
            self.grid: "var(--line)",
            self.paper: "var(--card)",
        }


STAND_INS = Palette(*(f"#0102{i:02x}" for i in range(3, 9)))
"""For pictures that only the page shows: no colour that anything else might have."""
LIGHT = Palette("#1c1d21", "#62646c", "#2c6e9b", "#b3442e", "#dedcd4", "#fffefb")
"""The page by day, for pictures that are also shown on their own."""


def rc(palette: Palette, name: str) -> Any:
    """Settings of matplotlib; ``name`` fixes the identifiers in the SVG."""
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": f"scaledrop-{name}",
        "font.family": "sans-serif",
        "font.size": 9.5,
        "text.parse_math": False,
        "text.color": palette.ink,
        "axes.labelcolor": palette.soft,
        "axes.edgecolor": palette.grid,
        "xtick.color": palette.grid,
        "ytick.color": palette.grid,
        "xtick.labelcolor": palette.soft,
        "ytick.labelcolor": palette.ink,
        "xtick.major.pad": 5.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }


@contextmanager
def drawing(name: str, height: float, width: float = WIDTH) -> Iterator[Figure]:
    """A figure in :data:`LIGHT`, sizes in inches, to be filled within the context."""
    # Numbers below stand clear of a number at the foot of the left axis.
    with mpl.rc_context({**rc(LIGHT, name), "xtick.major.pad": 7.0}):
        figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
        yield figure
        # matplotlib makes ticks as late as it can, which would be without these settings.
        figure.draw_without_rendering()


def bare(axes: Axes) -> None:
    """No background, no tick marks, no left edge."""
    axes.patch.set_alpha(0)
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)


@contextmanager
def plot(
    name: str, x: str, y: str, grid: Literal["both", "x", "y"] = "both"
) -> Iterator[tuple[Figure, Axes]]:
    """One pair of bare, labelled axes with a grid, on a :func:`drawing` of its own."""
    with drawing(name, PLOT_HEIGHT) as figure:
        axes = figure.subplots()
        bare(axes)
        axes.set(xlabel=x, ylabel=y)
        axes.grid(axis=grid, color=LIGHT.grid, linewidth=0.5)
        yield figure, axes


def legend(axes: Axes, note: str = "") -> None:
    """What the lines mean, above the axes and so clear of them; ``note`` stands to the left."""
    axes.set_title(note, loc="left", fontsize="medium")
    entries = axes.get_legend_handles_labels()[1]
    if entries:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=len(entries),
            frameon=False,
            borderpad=0.2,
            borderaxespad=0.1,
            handlelength=1.4,
            columnspacing=1.2,
        )


def thinned(count: int) -> npt.NDArray[np.int64]:
    """Rows to draw of a long line, first and last among them: a picture needs no more than 400."""
    return np.unique(np.linspace(0, count - 1, 400).astype(np.int64))


def svg(figure: Figure, name: str, title: str, palette: Palette = LIGHT) -> str:
    """The figure as an element of the page.

    Args:
        figure: drawn in ``palette``.
        name: letters, digits and hyphens; makes identifiers unique among the pictures of a page.
        title: plain text, read out in place of the picture.
        palette: colours to turn into variables.
    """
    buffer = io.StringIO()
    with mpl.rc_context(rc(palette, name)):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r"font-family: [^;\"]*; ?", "", text)
    box = re.search(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', text)
    assert box is not None
    head = f'<svg viewBox="{box[1]}" role="img"><title>{escape(title)}</title>'
    text = text.replace(box[0], head, 1)
    for colour, variable in palette.variables.items():
        text = text.replace(colour, variable)
    return text.strip()


def save(figure: Figure, path: Path) -> None:
    """The figure as a file of its own, by day: the same bytes from the same figure.

    Raises:
        UserError: a name that ends neither in .svg nor in .png.
    """
    metadata: dict[str, dict[str, Any]] = {
        ".svg": {"Date": None, "Creator": None},
        ".png": {"Software": None},
    }
    if path.suffix not in metadata:
        raise UserError(f"path: must end in .svg or .png, not {path.name!r}; rename it")
    with mpl.rc_context(rc(LIGHT, path.stem)):
        figure.savefig(path, facecolor=LIGHT.paper, dpi=200, metadata=metadata[path.suffix])
