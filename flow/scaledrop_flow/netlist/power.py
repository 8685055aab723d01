# SPDX-License-Identifier: Apache-2.0
"""Energy of a mapped block from its activity, with the power of each cell from OpenSTA.

OpenSTA without readers of SAIF or VCD takes one activity for all nets, in changes a clock cycle.
Power is linear in it, so two reports, at 0 and at 1, give each cell's share that always flows (its
clock pin) and its share a change::

    E = cycles T P0 + T sum over cells of (P1 - P0) toggles
"""

from __future__ import annotations

from dataclasses import dataclass

from scaledrop_flow.netlist.activity import Activity
from scaledrop_flow.netlist.mapping import Mapped
from scaledrop_flow.netlist.sta import StaReport

__all__ = ["Energy", "energy"]


@dataclass(frozen=True)
class Energy:
    """Joules of a block over its recording, and watts that leak.

    Attributes:
        logic: Of the gates between the registers.
        registers: Of the registers' changes.
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


def energy(mapped: Mapped, report: StaReport, activity: Activity) -> Energy:
    """Joules of the recording: what always flows, and what each change of a cell's output costs."""
    logic = registers = clock = leakage = 0.0
    for name, cell in mapped.cells.items():
        idle, busy = report.idle[name], report.busy[name]
        always = idle.internal + idle.switching
        each = busy.internal + busy.switching - always
        toggles = activity.toggles.get(cell.net, 0) if cell.net else 0
        changing = each * toggles * report.period_s
        leakage += idle.leakage
        if cell.sequential:
            clock += always * activity.cycles * report.period_s
            registers += changing
        else:
            logic += always * activity.cycles * report.period_s + changing
    return Energy(logic, registers, clock, leakage)
