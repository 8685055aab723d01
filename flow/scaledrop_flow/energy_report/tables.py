# SPDX-License-Identifier: Apache-2.0
"""Estimates, comparisons and stochastic sources as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from scaledrop.energy import Band, EnergyEstimate, Label, format_band, format_joules, total
from scaledrop.energy.baselines import SourceCost
from scaledrop.energy.comparison import NOT_EQUAL_WORK, Ratio, figure
from scaledrop_flow.energy_report.data import Bar

__all__ = ["bars_table", "breakdown_table", "comparison_table", "share", "sources_table"]


def share(part: float, whole: float) -> str:
    """A share in percent; small ones are "under 0.1 %", nothing is a dash."""
    if not part or not whole:
        return "\u2013"
    return "under 0.1 %" if part / whole < 0.0005 else f"{100 * part / whole:.1f} %"


def breakdown_table(estimate: EnergyEstimate, title: str = "") -> Table:
    """Every component that spends something, with its band, share and trust, in the order of the
    datapath."""
    table = Table("component", title=title or None)
    for name in ("per image", "share", "trust"):
        table.add_column(name, justify="right" if name == "share" else "left")
    for one in filter(lambda one: one.joules.high, estimate.components):
        trust = "MEM, unverified" if one.label is Label.MEM else str(one.label)
        table.add_row(
            one.name,
            format_band(one.joules),
            share(one.joules.value, estimate.joules.value),
            trust,
        )
    table.add_section()
    table.add_row("total", format_band(estimate.joules), "", estimate.table)
    return table


def bars_table(bars: Sequence[Bar], title: str = "") -> Table:
    """Configurations side by side, one column each: joules by component, and the total's band."""
    table = Table("component", title=title or None)
    for bar in bars:
        table.add_column(bar.name, justify="right")
    nothing = Band(0.0, 0.0, 0.0)
    for name in dict.fromkeys(name for bar in bars for name in bar.parts):
        found = [bar.parts.get(name, nothing).value for bar in bars]
        table.add_row(name, *(format_joules(joules) if joules else "\u2013" for joules in found))
    table.add_section()
    totals = [total(bar.parts.values()) for bar in bars]
    table.add_row("total", *(format_joules(joules.value) for joules in totals))
    table.add_row(
        "band", *(f"{format_joules(one.low)} to {format_joules(one.high)}" for one in totals)
    )
    return table


def comparison_table(ratios: Iterable[Ratio]) -> Table:
    """Published energies over ours, each with what its ratio would need; unverified ones say so."""
    ratios = tuple(ratios)
    holds = f"{figure(ratios[0].goal)} times holds" if ratios else "holds"
    table = Table("published", caption=NOT_EQUAL_WORK)
    for name in ("hardware", "per image", "over ours", "low to high", holds, "trust"):
        table.add_column(name, justify="left" if name in {"hardware", holds} else "right")
    for one in ratios:
        row, times = one.row, one.times
        table.add_row(
            row.name,
            row.hardware,
            format_joules(row.joules),
            figure(times.value),
            f"{figure(times.low)} to {figure(times.high)}",
            str(one.holds),
            str(row.label) if row.verified else f"{row.label}, unverified",
        )
    return table


def sources_table(costs: Iterable[SourceCost], whole: Band | None = None) -> Table:
    """Stochastic sources side by side.

    Args:
        costs: Of one network and number of passes.
        whole: Joules per image of everything, to set each source beside its value.
    """
    table = Table("stochastic source")
    for name in ("numbers", "generators", "joules per image", "sums by the array"):
        table.add_column(name, justify="right")
    if whole is not None:
        table.add_column("beside our total", justify="right")
    for one in costs:
        cells = [f"{one.numbers:,}", f"{one.units:,}", format_band(one.joules), f"{one.sums:,}"]
        if whole is not None:
            part = one.joules.value / whole.value
            cells.append(share(part, 1.0) if part < 1 else f"{figure(part)} times")
        table.add_row(one.name, *cells)
    return table
