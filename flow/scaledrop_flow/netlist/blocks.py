# SPDX-License-Identifier: Apache-2.0
"""The digital blocks: their modules, the event that each is paid for, and the table's figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scaledrop.energy import TechnologyTable
from scaledrop.energy.scaling import logic_energy_factor
from scaledrop.events import Event, EventCounts
from scaledrop.mapping import NetworkMapping

__all__ = [
    "BLOCKS",
    "CONTROLLER",
    "CYCLES",
    "Block",
    "Claim",
    "Part",
    "Term",
    "actions",
    "table_joules",
    "unit_joules",
]

Part = tuple[str, ...]
LOGIC: Part = ("logic",)
CHANGES: Part = ("registers",)
REGISTERS: Part = ("registers", "clock")
ALL: Part = (*LOGIC, *REGISTERS)
ROOT = "scaledrop"
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


@dataclass(frozen=True)
class Block:
    """A module of the accelerator.

    Attributes:
        name: Short name.
        module: Path in the accelerator.
        claims: Parts of its energy.
        memories: Modules inside it that stay outside of the netlist.
        datapath: The accelerator that has it.
    """

    name: str
    module: str
    claims: tuple[Claim, ...]
    memories: tuple[str, ...] = ()
    datapath: str = "reference"

    @property
    def modules(self) -> tuple[str, ...]:
        """Names in the Verilog: its own, then its memories'."""
        return tuple(f"{ROOT}.{path}" for path in (self.module, *self.memories))


def _sum_width(mapping: NetworkMapping) -> int:
    return mapping.network.sum_width


def _scale_bits(mapping: NetworkMapping) -> int:
    return mapping.network.sum_width * mapping.network.scale_bits


def _scale_word(mapping: NetworkMapping) -> int:
    return mapping.array.lanes * mapping.network.scale_bits


def _scaled_width(mapping: NetworkMapping) -> int:
    return mapping.network.scaled_width


def _gain_bits(mapping: NetworkMapping) -> int:
    return mapping.network.head.gain_bits * mapping.network.scaled_width


def _logit_width(mapping: NetworkMapping) -> int:
    return mapping.network.logit_width


def _control(name: str) -> tuple[Claim, ...]:
    return (Claim(name, ALL, CYCLES, (Term("control", CYCLES),)),)


CLOCKED = Term("register_clock", CYCLES)
_REGISTERS = (
    Term("register", Event.CONVERSIONS, _sum_width),
    Term("register", Event.ADDITIONS, _sum_width),
)
_OUTPUTS, _SUMS = "core.outputs", "core.sums"
_SCALE = f"{_OUTPUTS}.datapath.scale"
_THRESHOLD = f"{_OUTPUTS}.datapath.threshold"

BLOCKS = (
    Block(
        "accumulator",
        f"{_SUMS}.accumulator",
        (
            Claim(
                "accumulator adder",
                LOGIC,
                Event.ADDITIONS,
                (Term("adder", Event.ADDITIONS, _sum_width),),
            ),
            Claim("accumulator registers", REGISTERS, Event.CONVERSIONS, (*_REGISTERS, CLOCKED)),
            Claim("accumulator registers, changes", CHANGES, Event.CONVERSIONS, _REGISTERS),
        ),
    ),
    Block(
        "scale stage",
        _SCALE,
        (
            Claim(
                "scale multiplier and mux",
                LOGIC,
                Event.MULTIPLIES,
                (Term("multiplier", Event.MULTIPLIES, _scale_bits),),
            ),
            Claim("scale stage registers", REGISTERS, Event.MULTIPLIES, (CLOCKED,)),
        ),
        (f"{_SCALE}.memory",),
    ),
    Block(
        "scale memory control",
        f"{_SCALE}.memory",
        (
            Claim(
                "scale memory control and SECDED",
                ALL,
                Event.SCALE_READS,
                (Term("sram_read", Event.SCALE_READS, _scale_word),),
            ),
        ),
        (f"{_SCALE}.memory.sram",),
    ),
    Block(
        "threshold stage",
        _THRESHOLD,
        (
            Claim(
                "threshold comparator",
                LOGIC,
                Event.COMPARISONS,
                (Term("comparator", Event.COMPARISONS, _scaled_width),),
            ),
        ),
        (f"{_THRESHOLD}.thresholds",),
    ),
    Block(
        "folded threshold stage",
        _THRESHOLD,
        (
            Claim(
                "folded comparator",
                LOGIC,
                Event.COMPARISONS,
                (Term("comparator", Event.COMPARISONS, _sum_width),),
            ),
        ),
        (f"{_THRESHOLD}.thresholds",),
        "folded",
    ),
    Block(
        "head",
        f"{_OUTPUTS}.head",
        (
            Claim(
                "head multiplier and adder",
                LOGIC,
                Event.LOGIT_MACS,
                (
                    Term("multiplier", Event.LOGIT_MACS, _gain_bits),
                    Term("adder", Event.LOGIT_MACS, _logit_width),
                ),
            ),
            Claim("head registers", REGISTERS, CYCLES, (CLOCKED,)),
        ),
        (f"{_OUTPUTS}.head.affine",),
    ),
    Block("drain", f"{_SUMS}.drain", (Claim("drain registers", REGISTERS, CYCLES, (CLOCKED,)),)),
    Block("walker", "core.walker", _control("walker"), ("core.walker.commands",)),
    Block(
        "sequencer",
        f"{_SUMS}.sequencer",
        _control("sequencer"),
        (f"{_SUMS}.sequencer.descriptors",),
    ),
    Block("guard", f"{_SUMS}.guard", _control("guard")),
    Block("dropout controller", "bits.dropout", _control("dropout controller")),
)

CONTROLLER = ("walker", "sequencer", "guard", "dropout controller")
"""Blocks that make up the line of the controller as a whole."""


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
