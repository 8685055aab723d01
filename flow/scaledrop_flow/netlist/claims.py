# SPDX-License-Identifier: Apache-2.0
"""Parts of a block's energy, the event that each is paid for, and the table's figure for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scaledrop.energy import TechnologyTable
from scaledrop.energy.scaling import logic_energy_factor
from scaledrop.events import EventCounts
from scaledrop.mapping import NetworkMapping

__all__ = [
    "ALL",
    "CYCLES",
    "LOGIC",
    "REGISTERS",
    "Claim",
    "Part",
    "Term",
    "actions",
    "table_joules",
    "unit_joules",
]

Part = tuple[str, ...]
LOGIC: Part = ("logic",)
REGISTERS: Part = ("registers", "clock")
ALL: Part = (*LOGIC, *REGISTERS)
CYCLES = "clock cycles"
"""Event of a part that works in every cycle: every cycle from the reset on counts."""


@dataclass(frozen=True)
class Term:
    """The table's price: at each ``event``, ``units(mapping)`` bits of the row ``row``.

    Without ``units`` it is every register bit of the block.
    """

    row: str
    event: str
    units: Callable[[NetworkMapping], int] | None = None


@dataclass(frozen=True)
class Claim:
    """A part of a block's energy beside what the table says of it.

    Attributes:
        name: What is compared.
        parts: Which of the energies of :class:`scaledrop_flow.netlist.power.Energy`.
        event: The action that the energy is divided by.
        terms: The table's figure for the same run; empty where it has none.
    """

    name: str
    parts: Part
    event: str
    terms: tuple[Term, ...] = ()


def actions(event: str, counts: EventCounts, cycles: int) -> int:
    """How often ``event`` came in a run of ``cycles`` clock cycles."""
    if event == CYCLES:
        return cycles
    return sum(layer[event] for layer in counts.values())


def table_joules(
    claim: Claim,
    table: TechnologyTable,
    mapping: NetworkMapping,
    counts: Mapping[str, int],
    node_nm: float,
    supply_v: float,
    flipflops: int,
) -> float | None:
    """The table's joules for a run, at another node and supply; None where it has no figure.

    Args:
        counts: Event to count.
        flipflops: Register bits of the block.

    Raises:
        UserError: the table lacks a row, or the node or supply is outside of the scaling table.
    """
    if not claim.terms:
        return None
    joules = 0.0
    for term in claim.terms:
        units = flipflops if term.units is None else term.units(mapping)
        joules += unit_joules(table, term.row, node_nm, supply_v) * units * counts[term.event]
    return joules


def unit_joules(table: TechnologyTable, name: str, node_nm: float, supply_v: float) -> float:
    """Joules of one bit or device of row ``name`` at another node and supply.

    Raises:
        UserError: the table lacks the row, or the node or supply is outside of the scaling table.
    """
    row = table.row(name)
    factor = logic_energy_factor(node_nm, supply_v)
    return row.energy_j / row.width * factor / logic_energy_factor(row.node_nm, row.supply_v)
