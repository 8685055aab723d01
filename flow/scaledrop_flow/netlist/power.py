# SPDX-License-Identifier: Apache-2.0
"""Energy of a mapped block from its activity, at the prices of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scaledrop_flow.liberty.power import CellPrice
from scaledrop_flow.netlist.activity import Activity
from scaledrop_flow.netlist.mapping import Mapped

__all__ = ["Energy", "energy"]


@dataclass(frozen=True)
class Energy:
    """Joules of a block over its recording, and watts that leak.

    Attributes:
        logic: Of the gates between the registers.
        registers: Of the registers' changes, and of changes at their inputs.
        clock: Of the registers' clock pins.
        leakage_w: Of all cells.
    """

    logic: float
    registers: float
    clock: float
    leakage_w: float

    @property
    def total(self) -> float:
        """Dynamic energy."""
        return self.logic + self.registers + self.clock


def _changing(price: CellPrice, sequential: bool, activity: Activity) -> float:
    """Joules of the changes at a cell; of a gate's inputs those that no output followed."""
    toggles = activity.toggles
    out = [(toggles.get(net, 0), joules) for net, joules in price.driven]
    into = [(toggles.get(net, 0), joules) for net, joules in price.passive]
    followed, came = sum(n for n, _ in out), sum(n for n, _ in into)
    share = 1.0 if sequential or not came else max(0.0, 1.0 - followed / came)
    return sum(n * j for n, j in out) + share * sum(n * j for n, j in into)


def energy(mapped: Mapped, prices: Mapping[str, CellPrice], activity: Activity) -> Energy:
    """Joules of the recording: clock pins in every cycle, and what each change costs."""
    logic = registers = clock = leakage = 0.0
    for name, cell in mapped.cells.items():
        price = prices[name]
        changing = _changing(price, cell.sequential, activity)
        leakage += price.leakage_w
        clock += price.cycle_j * activity.cycles
        if cell.sequential:
            registers += changing
        else:
            logic += changing
    return Energy(logic, registers, clock, leakage)
