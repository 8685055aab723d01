# SPDX-License-Identifier: Apache-2.0
"""How far each row of the technology table moves the total between its low and its high end."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from scaledrop.energy import Swing, format_joules
from scaledrop.errors import UserError
from scaledrop_flow.energy_report.colours import PARTS, UNVERIFIED_HATCH
from scaledrop_flow.energy_report.layout import beside, joule_axis, key, microjoules, rows
from scaledrop_flow.report.style import LIGHT

__all__ = ["tornado_picture"]

MOST, LEAST = 12, 0.01
"""Rows drawn at most, and the least share of the total that a drawn one moves."""
HEIGHT = 0.62
LOW, HIGH = PARTS[4], PARTS[5]


def tornado_picture(total: float, swings: Sequence[Swing]) -> Figure:
    """Bars from the total with a row at its low end to that at its high end, the widest on top.

    Twelve at most, and none that moves less than a percent; the last line tells how many
    others there are, and the most that one of them moves. Rows that are remembered are hatched.

    Args:
        total: Joules per image with every row at its value, above 0.
        swings: One a row of the table, from :func:`scaledrop.energy.sensitivity`.

    Raises:
        UserError: there is no swing, or ``total`` is not above 0.
    """
    if not swings or not total > 0:
        raise UserError("swings: must be one or more around a total above 0; estimate first")
    ordered = sorted(swings, key=lambda one: -_width(one))
    drawn = [one for one in ordered[:MOST] if _width(one) >= LEAST * total] or ordered[:1]
    shown, rest = drawn, ordered[len(drawn) :]
    names = [f"{one.name} (unverified)" if one.unverified else one.name for one in shown]
    if rest:
        names.append(f"{len(rest)} more")
    ends = [total, *(one.low for one in shown), *(one.high for one in shown)]
    span = max(ends) - min(ends) or total
    with rows("tornado", names) as (figure, axes):
        for y, one in enumerate(shown):
            hatch = UNVERIFIED_HATCH if one.unverified else ""
            for end, colour in ((one.low, LOW), (one.high, HIGH)):
                axes.barh(
                    y,
                    end - total,
                    HEIGHT,
                    total,
                    color=colour,
                    hatch=hatch,
                    edgecolor=LIGHT.paper,
                    linewidth=0,
                )
            moved = ", ".join(_share(end, total) for end in (one.low, one.high))
            beside(axes, max(one.low, one.high, total), y, moved, LIGHT.soft)
        if rest:
            most = microjoules(format_joules(_width(rest[0])))
            beside(axes, total, len(shown), f"each moves {most} at most", LIGHT.soft)
        axes.axvline(total, color=LIGHT.ink, linewidth=1)
        joule_axis(
            axes, "total per image", min(ends) - 0.03 * span, max(ends) + 0.2 * span, log=False
        )
        key(figure, _handles(total, any(one.unverified for one in shown)))
    return figure


def _width(swing: Swing) -> float:
    return abs(swing.high - swing.low)


def _share(end: float, total: float) -> str:
    text = f"{(end - total) / total:+.0%}"
    return "0 %" if text[1:] == "0%" else text.replace("%", " %").replace("-", "\u2212")


def _handles(total: float, hatched: bool) -> list[Artist]:
    value = f"{microjoules(format_joules(total))}, every row at its value"
    unverified = Patch(
        facecolor="none",
        edgecolor=LIGHT.soft,
        hatch=UNVERIFIED_HATCH,
        linewidth=0,
        label="unverified",
    )
    return [
        Line2D([], [], color=LIGHT.ink, label=value),
        Patch(facecolor=LOW, label="row at its low end"),
        Patch(facecolor=HIGH, label="at its high end"),
        *([unverified] if hatched else []),
    ]
