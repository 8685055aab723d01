# SPDX-License-Identifier: Apache-2.0
"""Timing and prices of a netlist from the Liberty files of its cells alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop_flow.liberty.cells import LibraryData, read_cells
from scaledrop_flow.liberty.gates import read_netlist
from scaledrop_flow.liberty.graph import Graph, build_graph
from scaledrop_flow.liberty.power import CellPrice, price_cells
from scaledrop_flow.liberty.timing import Timed, time_graph

__all__ = ["TOOL", "Analysis", "analyse"]

TOOL = "scaledrop's reading of the Liberty tables"


@dataclass(frozen=True)
class Analysis:
    """What a netlist takes.

    Attributes:
        prices: Cell to its price.
        path_s: The shortest clock period that setup allows, in seconds; None without a path.
        path: The longest path, cell by cell.
        tool: What told it.
    """

    prices: Mapping[str, CellPrice]
    path_s: float | None
    path: str = ""
    tool: str = TOOL


def _told(graph: Graph, timed: Timed, library: LibraryData) -> str:
    """The path in the form of timing reports: delay and time in ns."""
    scale = library.time_s * 1e9
    first = graph.instances[timed.path[0].instance].name if timed.path else ""
    if timed.path and not timed.clocked:
        first = next(name for name, net in graph.nets.items() if net == timed.start)
    lines = [f"Startpoint: {first}", f"Endpoint: {timed.end}", ""]
    lines.append(f"{'Delay':>9} {'Time':>9}   Description, ns")
    for hop in timed.path:
        one = graph.instances[hop.instance]
        delay, arrival = hop.delay * scale, hop.arrival * scale
        lines.append(
            f"{delay:9.4f} {arrival:9.4f} {'v' if hop.falls else '^'} {one.name} ({one.kind})"
        )
    if timed.setup:
        whole = (timed.period or 0.0) * scale
        lines.append(f"{timed.setup * scale:9.4f} {whole:9.4f}   setup of {timed.end}")
    return "\n".join(lines)


def analyse(netlist: Path, files: Sequence[Path]) -> Analysis:
    """Time and price the flat ``netlist`` on the library of ``files``.

    Raises:
        UserError: a file is no Liberty or damaged, a cell is not in it, or a loop of gates.
    """
    library = read_cells(files)
    graph = build_graph(read_netlist(netlist.read_text()), library)
    timed = time_graph(graph, library)
    path = None if timed.period is None else timed.period * library.time_s
    return Analysis(price_cells(graph, timed, library), path, _told(graph, timed, library))
