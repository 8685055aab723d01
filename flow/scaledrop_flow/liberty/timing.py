# SPDX-License-Identifier: Apache-2.0
"""Static timing: latest arrivals and largest slews, level by level, from tables of slew and load.

Ideal clock: it arrives everywhere at 0 with slew 0, as data do at the input ports. Wires by the
default wire-load model of the library: its capacitance on the driver, and behind it the share of a
balanced tree, ``(R / n) (C / 2n + C_pin)``, on the way to each of n pins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop_flow.liberty.cells import LibraryData
from scaledrop_flow.liberty.graph import Graph

__all__ = ["Hop", "Timed", "time_graph"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Hop:
    """One cell on a path: arrival at its output in the library's unit, of which it took ``delay``.

    ``falls`` says which change of the output it is.
    """

    arrival: float
    delay: float
    falls: bool
    instance: int


@dataclass(frozen=True)
class Timed:
    """What was found, in the library's unit of time.

    Attributes:
        arrival, slew: (nodes,) of every net's rise and fall; arrival -inf where nothing comes.
        period: The shortest clock period that every end allows; None without an end.
        path: From the first cell to the last of what decides it.
        start, end: Net of the first, and what the path ends at: an instance or an output port.
        setup: At its end.
        clocked: It begins at a flip-flop, the first cell, and not at a port.
    """

    arrival: Floats
    slew: Floats
    period: float | None
    path: tuple[Hop, ...] = ()
    start: int = -1
    end: str = ""
    setup: float = 0.0
    clocked: bool = False


def _levels(graph: Graph) -> list[Ints]:
    """Edges in groups such that each group's sources are known once the earlier ones are done.

    Raises:
        UserError: a loop of gates.
    """
    edges, nodes = graph.edges, len(graph.load)
    through = np.flatnonzero(~edges.clocked)
    waiting = np.bincount(edges.target[through], minlength=nodes)
    by_source = through[np.argsort(edges.source[through], kind="stable")]
    first = np.searchsorted(edges.source[by_source], np.arange(nodes + 1))
    found, ready, done = [np.flatnonzero(edges.clocked)], np.flatnonzero(waiting == 0), 0
    while len(ready):
        parts = [by_source[first[node] : first[node + 1]] for node in ready]
        here = np.concatenate(parts)
        if not len(here):
            break
        found.append(here)
        done += len(here)
        targets, counts = np.unique(edges.target[here], return_counts=True)
        waiting[targets] -= counts
        ready = targets[waiting[targets] == 0]
    if done != len(through):
        raise UserError("netlist: has a loop of gates; only clocked logic is timed")
    return found


class _Run:
    def __init__(self, graph: Graph, library: LibraryData) -> None:
        self.graph, self.library = graph, library
        nodes = len(graph.load)
        self.arrival, self.slew = np.full(nodes, -np.inf), np.zeros(nodes)
        self.cause = np.full(nodes, -1, dtype=np.int64)
        self.taken = np.zeros(len(graph.edges.source))
        for start in graph.starts:
            self.arrival[2 * start : 2 * start + 2] = 0.0
        wires, fanout = library.wires, np.maximum(graph.fanout, 1)
        length = wires.length(fanout) / fanout
        self.branch_r = length * wires.resistance * library.ohm_load
        self.branch_c = length * wires.capacitance / 2

    def wire(self, at: Ints) -> Floats:
        """Delay of the wire in front of each edge."""
        edges = self.graph.edges
        net = edges.source[at] // 2
        result: Floats = self.branch_r[net] * (self.branch_c[net] + edges.pin_load[at])
        return result

    def level(self, at: Ints) -> None:
        edges, bank = self.graph.edges, self.library.bank
        at = at[edges.clocked[at] | np.isfinite(self.arrival[edges.source[at]])]
        if not len(at):
            return
        source, target = edges.source[at], edges.target[at]
        clocked = edges.clocked[at]
        slew_in = np.where(clocked, 0.0, self.slew[source])
        load = self.graph.load[target]
        delay = bank.look_up(edges.delay[at], slew_in, load)
        slew = bank.look_up(edges.slew[at], slew_in, load)
        came = np.where(clocked, 0.0, self.arrival[source] + self.wire(at))
        arrival = came + delay
        self.taken[at] = arrival - np.where(clocked, 0.0, self.arrival[source])
        np.maximum.at(self.slew, target, slew)
        order = np.lexsort((at, arrival))
        before = self.arrival[target[order]]
        better = arrival[order] > before
        # The last of equal targets in the order of arrival is the latest.
        self.arrival[target[order][better]] = arrival[order][better]
        self.cause[target[order][better]] = at[order][better]

    def ends(self) -> Timed:
        graph = self.graph
        nodes, tables = graph.ends.nodes, graph.ends.tables
        if not len(nodes) or not np.isfinite(self.arrival[nodes]).any():
            return Timed(self.arrival, self.slew, None)
        setup = np.zeros(len(nodes))
        some = tables >= 0
        if some.any():
            slew = self.slew[nodes[some]]
            setup[some] = self.library.bank.look_up(tables[some], slew, np.zeros(len(slew)))
        needed = self.arrival[nodes] + setup
        worst = int(np.argmax(needed))
        path, node, clocked = [], int(nodes[worst]), False
        while self.cause[node] >= 0:
            edge = int(self.cause[node])
            path.append(
                Hop(
                    float(self.arrival[node]),
                    float(self.taken[edge]),
                    bool(node % 2),
                    int(graph.edges.instance[edge]),
                )
            )
            if graph.edges.clocked[edge]:
                clocked = True
                break
            node = int(graph.edges.source[edge])
        return Timed(
            self.arrival,
            self.slew,
            float(needed[worst]),
            tuple(reversed(path)),
            node // 2,
            graph.owner(int(graph.ends.owners[worst])),
            float(setup[worst]),
            clocked,
        )


def time_graph(graph: Graph, library: LibraryData) -> Timed:
    """Latest arrivals and the longest path.

    Raises:
        UserError: a loop of gates.
    """
    run = _Run(graph, library)
    for level in _levels(graph):
        run.level(level)
    return run.ends()
