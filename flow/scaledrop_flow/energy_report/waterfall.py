# SPDX-License-Identifier: Apache-2.0
"""From one architecture to another in named steps, each with its value and its high end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from scaledrop.energy import format_joules
from scaledrop.energy.comparison import figure as digits
from scaledrop.errors import UserError
from scaledrop_flow.energy_report.colours import PARTS
from scaledrop_flow.energy_report.data import Step
from scaledrop_flow.energy_report.layout import beside, joule_axis, key, microjoules, rows, told
from scaledrop_flow.report.style import LIGHT

__all__ = ["waterfall_picture"]

HEIGHT = 0.6
TOTAL, LESS, MORE = LIGHT.soft, LIGHT.accent, PARTS[5]
FAR = 8.0
"""Totals further apart than this are drawn on a logarithmic axis."""


def change(before: float, after: float) -> str:
    """What a step does, in words: a share up to a half, else a factor."""
    if after == before:
        return "no change"
    ratio = before / after if after < before else after / before
    if ratio < 2:
        return f"{(after - before) / before:+.1%}".replace("%", " %").replace("-", "\u2212")
    return f"{'÷' if after < before else '×'} {digits(ratio)}"  # noqa: RUF001


def waterfall_picture(steps: Sequence[Step]) -> Figure:
    """The first and the last total as bars, what each step between takes away or adds as a piece.

    A tick with a dotted line is the high end of the total behind that step.

    Args:
        steps: The first is where it begins; two or more, each above 0.

    Raises:
        UserError: fewer than two steps, or a total that is not above 0.
    """
    if len(steps) < 2 or any(step.joules.value <= 0 for step in steps):
        raise UserError("steps: must be two or more, each above 0 joules; add where it begins")
    values = [step.joules.value for step in steps]
    log = max(values) / min(values) > FAR
    floor = min(values) / 3 if log else 0.0
    highest = max(step.joules.high for step in steps)
    labels = [step.name for step in steps] + ["result"]
    with rows("waterfall", labels) as (figure, axes):
        for y, step in enumerate([*steps, steps[-1]]):
            value, whole = step.joules.value, y in (0, len(steps))
            begin = floor if whole else values[y - 1]
            left, right = sorted((begin, value))
            colour = TOTAL if whole else LESS if value <= begin else MORE
            axes.barh(y, right - left, HEIGHT, left, color=colour, linewidth=0)
            if y < len(steps):
                axes.plot(
                    [value] * 2,
                    [y + HEIGHT / 2, y + 1 - HEIGHT / 2],
                    color=LIGHT.soft,
                    linewidth=0.8,
                )
            ends = [value, step.joules.high]
            axes.plot(ends, [y, y], color=LIGHT.ink, linewidth=0.9, linestyle=":")
            axes.plot(step.joules.high, y, "|", color=LIGHT.ink, markersize=9)
            text = told(step.joules)
            if not whole:
                text = f"{change(values[y - 1], value)}, to {microjoules(format_joules(value))}"
            beside(axes, max(step.joules.high, right), y, text)
        end = highest * (highest / floor) ** 0.35 if log else highest * 1.42
        scale = ", logarithmic" if log else ""
        joule_axis(axes, f"per image{scale}", floor, end, log)
        handles: list[Artist] = [
            Patch(facecolor=TOTAL, label="total"),
            Patch(facecolor=LESS, label="saved"),
            Line2D([], [], color=LIGHT.ink, linestyle=":", marker="|", label="to the high end"),
        ]
        if any(after > before for before, after in pairwise(values)):
            handles.insert(2, Patch(facecolor=MORE, label="added"))
        key(figure, handles)
    return figure
