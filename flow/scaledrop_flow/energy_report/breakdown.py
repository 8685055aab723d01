# SPDX-License-Identifier: Apache-2.0
"""Where the joules go: configurations as stacked bars with the band of their totals."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from scaledrop.errors import UserError
from scaledrop_flow.energy_report.colours import part_styles
from scaledrop_flow.energy_report.data import Bar, folded
from scaledrop_flow.energy_report.layout import beside, bracket, joule_axis, key, rows, told
from scaledrop_flow.report.style import LIGHT

__all__ = ["breakdown_picture"]

MOST = 8
HEIGHT = 0.62


def _stack(axes: Axes, y: int, bar: Bar, scale: float, styles: dict[str, tuple[str, str]]) -> None:
    left = 0.0
    for name, band in bar.parts.items():
        colour, hatch = styles[name]
        width = band.value * scale
        axes.barh(
            y,
            width,
            HEIGHT,
            left,
            color=colour,
            hatch=hatch,
            edgecolor=LIGHT.paper,
            linewidth=0.6,
        )
        left += width


def breakdown_picture(bars: Sequence[Bar], relative: bool = False) -> Figure:
    """Stacked bars of the values by component; the line behind each is the band of its total.

    Args:
        bars: Configurations; beyond eight components over all of them, the smallest are "other".
        relative: Every bar as shares of its own value, for configurations that are far apart. The
            totals then stand in figures alone.

    Raises:
        UserError: there is no bar, or one without joules.
    """
    if not bars or any(bar.joules.value <= 0 for bar in bars):
        raise UserError("bars: must be one or more, each with joules; estimate a configuration")
    shown = folded(bars, MOST)
    styles = part_styles(list(shown[0].parts))
    highest = max(bar.joules.high for bar in shown)
    lines = -(-len(shown[0].parts) // 4)
    with rows("breakdown", [bar.name for bar in shown], 0.25 + 0.2 * lines) as (figure, axes):
        for y, bar in enumerate(shown):
            joules = bar.joules
            _stack(axes, y, bar, 1 / joules.value if relative else 1.0, styles)
            end = 1.0 if relative else joules.high
            if not relative:
                bracket(axes, y, joules.low, joules.high)
            beside(axes, end, y, told(joules))
        if relative:
            axes.set_xlim(0, 1.42)
            axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
            axes.set_xlabel("share of the total, per image")
        else:
            joule_axis(axes, "per image; line: from low to high", 0, highest * 1.42, log=False)
        handles = [
            Patch(facecolor=colour, hatch=hatch, edgecolor=LIGHT.paper, linewidth=0, label=name)
            for name, (colour, hatch) in styles.items()
            if name in shown[0].parts
        ]
        key(figure, handles, -(-len(handles) // lines))
    return figure
