# SPDX-License-Identifier: Apache-2.0
"""The result on the terminal."""

from __future__ import annotations

from pathlib import Path

from scaledrop.energy import format_area, format_band
from scaledrop.energy.comparison import verdict
from scaledrop_flow.console import console
from scaledrop_flow.energy.result import EnergyResult
from scaledrop_flow.energy_report import bar_of, bars_table, breakdown_table, comparison_table

__all__ = ["show_energy"]


def show_energy(result: EnergyResult, out: Path) -> None:
    """Breakdown, steps, comparisons, what is assumed and what is not counted."""
    found = result.chosen.estimate
    bars = [bar_of(one.way.name, one.estimate) for one in result.steps]
    console.print(breakdown_table(found, f"{result.network.name}: {result.chosen.way.name}"))
    console.print(bars_table(bars, "from the paper's architecture to ours"))
    console.print(comparison_table(result.ratios))
    console.print(verdict(result.ratios), markup=False)
    for one in result.independent:
        console.print(
            f"beside      {one.reference.name}: {one.reference.nj_per_pass:g} nJ a pass, "
            f"ours {format_band(one.ours)}, {one.ratio:.2g} times",
            markup=False,
        )
    for title, lines in (
        ("assumed", result.assumptions),
        ("not counted", found.not_counted),
    ):
        for line in lines:
            console.print(f"{title:<11} {line}", markup=False)
    counts = "the RTL's counters" if result.counted else "the mapping"
    console.print(
        f"energy      {format_band(found.joules)} per image, {result.chosen.way.name}, counts of "
        f"{counts}",
        markup=False,
    )
    console.print(f"time        {found.seconds * 1e6:.4g} us per image", markup=False)
    console.print(f"area        {format_area(found.area)}", markup=False)
    console.print(f"sharing     {result.shared_gain:.3g} times less than passes", markup=False)
    console.print(f"report      {out / 'index.html'}", markup=False)
