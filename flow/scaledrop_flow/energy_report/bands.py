# SPDX-License-Identifier: Apache-2.0
"""Our figures with their bands beside published ones, on one logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scaledrop.energy import format_joules
from scaledrop.errors import UserError
from scaledrop_flow.energy_report.colours import PARTS, UNVERIFIED_HATCH
from scaledrop_flow.energy_report.data import Kind, Level
from scaledrop_flow.energy_report.layout import (
    beside,
    bracket,
    joule_axis,
    key,
    microjoules,
    rows,
    told,
)
from scaledrop_flow.report.style import LIGHT

__all__ = ["band_picture"]

HEIGHT = 0.56
OURS, VERIFIED, TOOL = LIGHT.accent, LIGHT.soft, PARTS[2]
HATCHED: dict[str, Any] = {
    "facecolor": "none",
    "edgecolor": LIGHT.soft,
    "hatch": UNVERIFIED_HATCH,
    "linewidth": 0.8,
}


def _bar(axes: Axes, y: int, level: Level, floor: float) -> None:
    joules = level.joules
    if level.kind is Kind.OURS:
        axes.barh(
            y, joules.high - joules.low, HEIGHT, joules.low, color=OURS, alpha=0.35, linewidth=0
        )
        bracket(axes, y, joules.low, joules.high, OURS)
        axes.plot([joules.value] * 2, [y - HEIGHT / 2, y + HEIGHT / 2], color=OURS, linewidth=2.5)
        return
    if level.kind is Kind.UNVERIFIED:
        axes.barh(y, joules.value - floor, HEIGHT, floor, **HATCHED)
        return
    colour = VERIFIED if level.kind is Kind.VERIFIED else TOOL
    axes.barh(y, joules.value - floor, HEIGHT, floor, color=colour, linewidth=0)


def _handles(kinds: set[Kind]) -> list[Patch]:
    patches = {
        Kind.OURS: Patch(facecolor=OURS, alpha=0.45, label="ours: low, value, high"),
        Kind.VERIFIED: Patch(facecolor=VERIFIED, label="published, verified"),
        Kind.TOOL: Patch(facecolor=TOOL, label="another tool"),
        Kind.UNVERIFIED: Patch(label="remembered, unverified", **HATCHED),
    }
    return [patch for kind, patch in patches.items() if kind in kinds]


def band_picture(levels: Sequence[Level], goal: float | None = None, note: str = "") -> Figure:
    """Joules per image, one row each, in the order given.

    Ours are bands with a mark at the value; published figures are bars up to their value. Those not
    verified are hatched and called so in their name.

    Args:
        levels: What to show, each above 0.
        goal: Joules per image that are aimed at, a line across all rows.
        note: What the line is.

    Raises:
        UserError: there is nothing to show, or a figure that is not above 0.
    """
    if not levels or any(level.joules.low <= 0 for level in levels):
        raise UserError("levels: must be one or more, each above 0 joules; leave out what is not")
    floor = min([level.joules.low for level in levels] + [goal or float("inf")]) / 2
    highest = max(level.joules.high for level in levels)
    names = [
        f"{level.name} (unverified)" if level.kind is Kind.UNVERIFIED else level.name
        for level in levels
    ]
    with rows("bands", names, 0.55) as (figure, axes):
        for y, level in enumerate(levels):
            _bar(axes, y, level, floor)
            beside(axes, level.joules.high, y, told(level.joules))
        # A band's figures are long; room for them is a share of the decades shown.
        room = (highest / floor) ** 0.3
        joule_axis(axes, "per image, logarithmic", floor, highest * room, log=True)
        if goal is not None:
            axes.axvline(goal, color=LIGHT.bad, linewidth=1.2, linestyle=(0, (4, 2)))
            axes.set_ylim(len(levels) - 0.1, -0.5)
            text = f"{note}: {microjoules(format_joules(goal))}".removeprefix(": ")
            beside(axes, goal, len(levels) - 0.32, text, LIGHT.bad)
        key(figure, _handles({level.kind for level in levels}))
    return figure
