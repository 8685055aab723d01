# SPDX-License-Identifier: Apache-2.0
"""The lines of the comparison: joules an action from the netlist, beside those of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledrop.energy import TechnologyTable
from scaledrop.errors import UserError
from scaledrop.mapping import NetworkMapping
from scaledrop_flow.liberty.analyse import Analysis, analyse
from scaledrop_flow.netlist.activity import Activity, read_ports, replay
from scaledrop_flow.netlist.blocks import CONTROLLER, Block
from scaledrop_flow.netlist.claims import CYCLES, actions, table_joules, unit_joules
from scaledrop_flow.netlist.design import Module
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.mapping import Mapped, cut_name, map_block
from scaledrop_flow.netlist.power import Energy, energy
from scaledrop_flow.netlist.record import Recording

__all__ = ["Line", "Measured", "controller", "lines", "measure", "register_bit", "verdict"]

FACTOR = 2.0
"""A ratio within this factor either way is agreement."""


@dataclass(frozen=True)
class Measured:
    """One block on one library, over one recording."""

    block: Block
    mapped: Mapped
    activity: Activity
    report: Analysis
    energy: Energy


@dataclass(frozen=True)
class Line:
    """One line of the result; joules are of one action.

    Attributes:
        library, node_nm, supply_v: Of the cells.
        block, name, action: What is compared, and what its energy is divided by.
        actions: Of the recording.
        energy_j: Of the netlist.
        clock_j: The part of it that clock pins take.
        table_j: Of the table at the library's node and supply; None where it has no figure.
        ratio: ``energy_j / table_j``.
        verdict: In words.
        cells, flipflops, area_um2, path_ns, leakage_w: Of the block.
        cycles, mismatches: Of the netlist's simulation against the RTL.
        tools: Names and versions.
    """

    library: str
    node_nm: float
    supply_v: float
    block: str
    name: str
    action: str
    actions: int
    energy_j: float
    clock_j: float
    table_j: float | None
    ratio: float | None
    verdict: str
    cells: int
    flipflops: int
    area_um2: float
    path_ns: float | None
    leakage_w: float
    cycles: int
    mismatches: int
    tools: str


def verdict(ratio: float | None) -> str:
    """Whether netlist and table agree."""
    if ratio is None:
        return "not in the table"
    if 1 / FACTOR <= ratio <= FACTOR:
        return "within a factor of two"
    return f"netlist {ratio:.3g} times the table"


def measure(
    block: Block,
    design: Mapping[str, Module],
    recording: Recording,
    library: CellLibrary,
    folder: Path,
) -> Measured:
    """Map ``block``, play it what it saw, and price it.

    Raises:
        UserError: a tool is missing or failed; an output of the netlist is not that of the RTL.
    """
    name, *memories = block.modules
    mapped = map_block(design, name, memories, library)
    recorded = read_ports(recording.files[name], design[name].ports)
    for memory in memories:
        found = read_ports(recording.files[memory], design[memory].ports)
        recorded |= {cut_name(memory, port): bits for port, bits in found.items()}
    activity = replay(mapped, recorded, folder)
    if activity.mismatches:
        raise UserError(
            f"{block.name}: the netlist's outputs differ from the RTL's in {activity.mismatches}"
            f" of {activity.cycles} cycles on {library.name}; no power is told of a wrong netlist"
        )
    report = analyse(mapped.netlist, library.files)
    return Measured(block, mapped, activity, report, energy(mapped, report.prices, activity))


def _line(
    one: Measured,
    library: CellLibrary,
    name: str,
    event: str,
    count: int,
    joules: float,
    clock: float,
    table: float | None,
) -> Line:
    if count < 1:
        raise UserError(f"images: the run has no {event}; take more images or another network")
    ratio = joules / table if table else None
    path = one.report.path_s
    return Line(
        library=library.name,
        node_nm=library.node_nm,
        supply_v=library.supply_v,
        block=one.block.name,
        name=name,
        action=str(event),
        actions=count,
        energy_j=joules / count,
        clock_j=clock / count,
        table_j=table / count if table else None,
        ratio=ratio,
        verdict=verdict(ratio),
        cells=len(one.mapped.cells),
        flipflops=one.mapped.flipflops,
        area_um2=one.mapped.area_um2,
        path_ns=None if path is None else path * 1e9,
        leakage_w=one.energy.leakage_w,
        cycles=one.activity.cycles,
        mismatches=one.activity.mismatches,
        tools=f"{one.mapped.tool}, {one.report.tool}",
    )


def lines(
    one: Measured,
    library: CellLibrary,
    recording: Recording,
    mapping: NetworkMapping,
    table: TechnologyTable,
) -> Iterable[Line]:
    """The lines of a block.

    Raises:
        UserError: the run has none of an event, or the library's node is outside of the scaling.
    """
    cycles = one.activity.cycles
    for claim in one.block.claims:
        events = {term.event for term in claim.terms} | {claim.event}
        counts = {event: actions(event, recording.counts, cycles) for event in events}
        joules = sum(getattr(one.energy, part) for part in claim.parts)
        clock = one.energy.clock if "clock" in claim.parts else 0.0
        node = library.node_nm, library.supply_v
        priced = table_joules(claim, table, mapping, counts, *node, one.mapped.flipflops)
        count = counts[claim.event]
        yield _line(one, library, claim.name, claim.event, count, joules, clock, priced)


def _whole(found: Sequence[Line], **changed: object) -> Line:
    """A line over several blocks, on the base of the first."""
    sums = {
        name: sum(getattr(line, name) for line in found)
        for name in ("cells", "flipflops", "area_um2", "leakage_w", "mismatches")
    }
    paths = [line.path_ns for line in found if line.path_ns is not None]
    fields: dict[str, Any] = {
        **vars(found[0]),
        **sums,
        "path_ns": max(paths, default=None),
        **changed,
    }
    return Line(**fields)


def controller(found: Sequence[Line]) -> Line | None:
    """Walker, sequencer, guard and dropout controller as one; None if one is not measured."""
    parts = [line for line in found if line.block in CONTROLLER]
    if len(parts) < len(CONTROLLER):
        return None
    joules = {name: sum(getattr(line, name) for line in parts) for name in ("energy_j", "clock_j")}
    priced = sum(line.table_j or 0.0 for line in parts)
    ratio = joules["energy_j"] / priced if priced else None
    told = {"table_j": priced or None, "ratio": ratio, "verdict": verdict(ratio)}
    return _whole(parts, block="controller", name="controller", **joules, **told)


def register_bit(
    measured: Sequence[Measured],
    found: Sequence[Line],
    library: CellLibrary,
    table: TechnologyTable,
) -> Line | None:
    """The clock of a register's bit for a cycle, over all blocks."""
    seen = {line.block: line for line in found}
    bits = sum(one.mapped.flipflops * one.activity.cycles for one in measured)
    if not bits:
        return None
    clock = sum(one.energy.clock for one in measured)
    priced = bits * unit_joules(table, "register_clock", library.node_nm, library.supply_v)
    ratio = clock / priced
    return _whole(
        list(seen.values()),
        block="registers",
        name="clock of a register bit",
        action=f"bit and {CYCLES[:-1]}",
        actions=bits,
        energy_j=clock / bits,
        clock_j=clock / bits,
        table_j=priced / bits,
        ratio=ratio,
        verdict=verdict(ratio),
    )
