# SPDX-License-Identifier: Apache-2.0
"""What bounds each layer: operations per cycle against operations per result beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from scaledrop.errors import UserError
from scaledrop_flow.energy_report.colours import PARTS
from scaledrop_flow.energy_report.data import Ceiling, RooflinePoint
from scaledrop_flow.energy_report.layout import WIDE, key
from scaledrop_flow.report.style import LIGHT, bare, drawing

__all__ = ["roofline_picture"]

HEIGHT = 3.8
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
LIMITS = tuple(zip(PARTS[5:3:-1] + PARTS[2:4], ("_", "v", "^", "x"), strict=True))
"""Colour and marker of a layer's own limits."""


def _ceilings(axes: Axes, ceilings: Sequence[Ceiling], low: float, high: float) -> list[Artist]:
    x = np.geomspace(low, high, 200)
    tops = np.array([[one.at(float(at)) for at in x] for one in ceilings])
    axes.fill_between(x, 0, tops.min(axis=0), color=LIGHT.accent, alpha=0.08, linewidth=0)
    handles: list[Artist] = []
    for at, (ceiling, line) in enumerate(zip(ceilings, tops, strict=True)):
        dashes = DASHES[at % len(DASHES)]
        handles += axes.plot(
            x, line, color=LIGHT.ink, linestyle=dashes, linewidth=1.3, label=ceiling.name
        )
    return handles


def _points(axes: Axes, points: Sequence[RooflinePoint]) -> list[Artist]:
    names = list(dict.fromkeys(name for one in points for name in one.limits))
    looks = {name: LIMITS[at % len(LIMITS)] for at, name in enumerate(names)}
    for one in points:
        axes.plot(one.intensity, one.rate, "o", color=LIGHT.accent, markersize=6, zorder=3)
        for name, rate in one.limits.items():
            colour, marker = looks[name]
            axes.plot(one.intensity, rate, marker, color=colour, markersize=8, markeredgewidth=1.8)
        nearest = min(one.limits.values(), default=0.0)
        if nearest:
            axes.plot(
                [one.intensity] * 2, [one.rate, nearest], color=LIGHT.soft, linewidth=0.8, zorder=1
            )
        axes.annotate(
            one.name,
            (one.intensity, one.rate),
            xytext=(7, -3),
            textcoords="offset points",
            va="top",
            fontsize="small",
            color=LIGHT.ink,
        )
    style: dict[str, Any] = {"linestyle": "", "markersize": 7}
    return [
        Line2D([], [], color=LIGHT.accent, marker="o", label="layer, reached", **style),
        *(
            Line2D([], [], color=colour, marker=marker, label=f"its limit: {name}", **style)
            for name, (colour, marker) in looks.items()
        ),
    ]


def roofline_picture(points: Sequence[RooflinePoint], ceilings: Sequence[Ceiling]) -> Figure:
    """Layers as points under the ceilings, both axes logarithmic. The area below the lowest ceiling
    is shaded: nothing can lie above it.

    A layer's own limits are marks above its point; the nearest is what bounds it.

    Args:
        points: One a layer.
        ceilings: Flat ones are peaks of a unit, slanted ones beats per cycle.

    Raises:
        UserError: there are no points or no ceilings, or a point that is not above 0.
    """
    if not points or not ceilings or any(min(one.intensity, one.rate) <= 0 for one in points):
        raise UserError(
            "points, ceilings: must be one or more, each above 0; leave out idle layers"
        )
    intensities = [one.intensity for one in points]
    low, high = min(intensities) / 3, max(intensities) * 3
    peaks = [one.rate for one in ceilings if one.rate is not None]
    top = 3 * max(peaks or [one.at(high) for one in ceilings])
    with drawing("roofline", HEIGHT, WIDE) as figure:
        axes = figure.subplots()
        axes.set(xscale="log", yscale="log", xlim=(low, high))
        handles = _ceilings(axes, ceilings, low, high) + _points(axes, points)
        axes.set_ylim(min(one.rate for one in points) / 4, top)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set(xlabel="operations per result beat", ylabel="operations per cycle")
        axes.grid(color=LIGHT.grid, linewidth=0.5)
        axes.set_axisbelow(True)
        bare(axes)
        key(figure, handles, 3)
    return figure
