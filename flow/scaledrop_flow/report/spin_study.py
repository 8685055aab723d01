# SPDX-License-Identifier: Apache-2.0
"""Pictures of the study of the spin unit: temperature, bias against chance, memory.

``python -m scaledrop_flow.report.spin_study docs/studies/spin.csv docs/pictures`` draws them.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaledrop_flow.report.style import LIGHT, legend, plot, save

__all__ = ["bias_picture", "memory_picture", "read_rows", "temperature_picture"]

Row = dict[str, str]
NETWORK, CARD = "default", "hikstor80"
CARDS = {"hikstor80": "o", "foundry1ns": "s", "lowbarrier40": "^"}


def read_rows(table: Path) -> list[Row]:
    """The rows of the default network in the table of ``scaledrop study spin``."""
    with table.open() as lines:
        return [row for row in csv.DictReader(lines) if row["network"] == NETWORK]


def _some(rows: Iterable[Row], sweep: str, passes: int, card: str = CARD) -> list[Row]:
    wanted = (sweep, str(passes), card)
    return [row for row in rows if (row["sweep"], row["passes"], row["card"]) == wanted]


def _column(rows: Iterable[Row], name: str) -> list[float]:
    return [float(row[name].removesuffix(" C")) for row in rows]


def _band(axes: Axes, rows: list[Row], name: str, colour: str, label: str) -> None:
    x, y, spread = (_column(rows, column) for column in ("setting", name, f"{name}_std"))
    axes.plot(x, y, "o-", color=colour, markersize=3.5, linewidth=1.2, label=label)
    low, high = ([a + k * s for a, s in zip(y, spread, strict=True)] for k in (-1, 1))
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)


def temperature_picture(rows: list[Row]) -> Figure:
    """Share of drops over temperature, trimmed once and calibrated; bands are one sigma."""
    with plot("spin-temperature", "degrees Celsius", "share of drops") as (figure, axes):
        _band(axes, _some(rows, "temperature", 20), "drops", LIGHT.bad, "trimmed at 27 C")
        held = _some(rows, "temperature, calibrated", 20)
        _band(axes, held, "drops", LIGHT.accent, "calibrated")
        axes.set_ylim(0, 0.7)
        legend(axes)
    return figure


def bias_picture(rows: list[Row]) -> Figure:
    """What a wrong share of drops does for good, against what drawing T passes does by chance."""
    with plot("spin-bias", "share of drops", "difference to the marginal") as (
        figure,
        axes,
    ):
        for card, marker in CARDS.items():
            some = _some(rows, "temperature", 100, card) + _some(rows, "supply", 100, card)
            # A spread this wide is one device that reads wrongly, not a share of drops.
            some = [row for row in some if float(row["drops_std"]) < 0.03]
            x, y = _column(some, "drops"), _column(some, "difference_pooled")
            axes.plot(x, y, marker, color=LIGHT.accent, markersize=3.5, label=card)
        for passes, dashes in ((20, (0, (4, 2))), (100, (0, (1, 1.5)))):
            (ideal,) = _some(rows, "ideal", passes, "")
            level = float(ideal["difference"])
            axes.axhline(level, color=LIGHT.bad, linewidth=1.2, linestyle=dashes)
            axes.annotate(f"chance, T = {passes}", (0.99, level), (0, 2), ha="right", va="bottom",
                          textcoords="offset points", xycoords=("axes fraction", "data"),
                          color=LIGHT.bad, fontsize="small")  # fmt: skip
        axes.set(yscale="log", ylim=(2e-6, 4e-3))
        axes.set_yticks([1e-5, 1e-4, 1e-3], ["1e-5", "1e-4", "1e-3"])
        axes.minorticks_off()
        legend(axes)
    return figure


def memory_picture(rows: list[Row]) -> Figure:
    """AUROC by mutual information over the chance that a switched state survives its reset."""
    with plot("spin-memory", "chance that a state is kept", "AUROC by mut. inf.") as (
        figure,
        axes,
    ):
        for passes, colour in ((20, LIGHT.bad), (100, LIGHT.accent)):
            some = _some(rows, "kept state", passes)
            _band(axes, some, "auroc_mutual_information", colour, f"T = {passes}")
        axes.set_ylim(0.5, 1)
        legend(axes)
    return figure


if __name__ == "__main__":
    table, folder = map(Path, sys.argv[1:])
    found = read_rows(table)
    save(temperature_picture(found), folder / "spin-temperature.svg")
    save(bias_picture(found), folder / "spin-bias.svg")
    save(memory_picture(found), folder / "spin-memory.svg")
