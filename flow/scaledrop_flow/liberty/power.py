# SPDX-License-Identifier: Apache-2.0
"""What each cell of a netlist takes: in every cycle, for a change of a net, and leaked.

- A change of an output takes ``C V^2 / 2`` of its net, and the output's internal energy: the mean
  over rise and fall and over the inputs that may cause it, of a flip-flop its clock alone.
- An input's own energy is for changes that no output follows.
- A clock pin rises and falls once a cycle. Where its rise has tables of zero under some condition,
  the output changes then and its own table has the energy: such a condition is left out.
- Of several conditions the mean is taken; a table without one stands for none of the others.
- Tables of ground pins repeat those of the supply over a rise and a fall: left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop_flow.liberty.cells import LibraryData, PowerTables
from scaledrop_flow.liberty.graph import Graph, Kind
from scaledrop_flow.liberty.timing import Timed

__all__ = ["CellPrice", "Net", "price_cells"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Net = tuple[str, int]
_BIT = re.compile(r"^(.*)\[(\d+)\]$")


@dataclass(frozen=True)
class CellPrice:
    """One cell.

    Attributes:
        leakage_w: Watts.
        cycle_j: Joules of its clock pins in a cycle.
        driven: Net of each output, and joules of a change of it.
        passive: Net of each data input, and joules of a change that no output follows.
    """

    leakage_w: float
    cycle_j: float
    driven: tuple[tuple[Net, float], ...]
    passive: tuple[tuple[Net, float], ...]


def _net(name: str) -> Net:
    found = _BIT.match(name)
    return (found[1].removeprefix("\\"), int(found[2])) if found else (name, 0)


def _chosen(tables: Sequence[PowerTables], grounds: frozenset[str]) -> list[PowerTables]:
    """Those that count: of a supply, and under a condition where there are any."""
    live = [one for one in tables if one.supply not in grounds]
    conditioned = [one for one in live if one.conditioned]
    return conditioned or live


class _Pricer:
    """Prices all instances of a kind at once: (N,) joules."""

    def __init__(self, graph: Graph, timed: Timed, library: LibraryData) -> None:
        self.graph, self.library, self.bank = graph, library, library.bank
        self.slew, self.load = timed.slew.reshape(-1, 2), graph.load.reshape(-1, 2)

    def both(self, tables: Sequence[PowerTables], slews: Floats, loads: Floats) -> Floats:
        """Joules of a rise and a fall together: mean over conditions, sum over supplies.

        Args:
            slews, loads: (N, 2) for a rise and for a fall.
        """
        total = np.zeros(len(slews))
        supplies = [one.supply for one in tables]
        for one in tables:
            for change, table in enumerate((one.rise, one.fall)):
                if table is not None:
                    which = np.full(len(slews), table)
                    found = self.bank.look_up(which, slews[:, change], loads[:, change])
                    total += found / supplies.count(one.supply)
        return total * self.library.energy_j

    def cycle(self, kind: Kind) -> Floats:
        """Of the clock pins, in a cycle."""
        count = len(kind.members)
        total, nothing = np.zeros(count), np.zeros((count, 2))
        for name in kind.data.clocks:
            own = _chosen(kind.data.pins[name].passive, kind.data.grounds)
            live = [one for one in own if not self.bank.is_zero(one.rise)]
            total += self.both(live or own, nothing, nothing)
        return total

    def passive(self, kind: Kind) -> Iterator[tuple[str, Floats]]:
        """Data input, and joules of a change."""
        for name, pin in kind.data.pins.items():
            if not pin.is_output and name not in kind.data.clocks:
                nets = kind.pins[name]
                own = _chosen(pin.passive, kind.data.grounds)
                yield name, self.both(own, self.slew[nets], self.load[nets]) / 2

    def driven(self, kind: Kind) -> Iterator[tuple[str, Floats]]:
        """Output, and joules of a change: inside, and of the net."""
        clocks, count = kind.data.clocks, len(kind.members)
        for name, pin in kind.data.pins.items():
            if not pin.is_output:
                continue
            loads = self.load[kind.pins[name]]
            farads = loads.mean(axis=1) * self.library.load_f
            total = farads * self.library.supply_v**2 / 2
            sources = [one for one in pin.driven if one in clocks] or list(pin.driven)
            for source in sources:
                nets = kind.pins[source]
                slews = np.zeros((count, 2)) if source in clocks else self.slew[nets]
                tables = _chosen(pin.driven[source], kind.data.grounds)
                total += self.both(tables, slews, loads) / 2 / len(sources)
            yield name, total

    def kind(self, kind: Kind) -> Iterator[tuple[str, CellPrice]]:
        """Instance and price."""
        cycle = self.cycle(kind)
        sides = dict(self.driven(kind)), dict(self.passive(kind))
        for at, number in enumerate(kind.members):
            one = self.graph.instances[number]
            driven, passive = (
                tuple(
                    (_net(one.pins[pin]), float(joules[at]))
                    for pin, joules in side.items()
                    if pin in one.pins
                )
                for side in sides
            )
            yield one.name, CellPrice(kind.data.leakage, float(cycle[at]), driven, passive)


def price_cells(graph: Graph, timed: Timed, library: LibraryData) -> dict[str, CellPrice]:
    """Every instance's price, at the slews of ``timed`` and the loads of ``graph``."""
    pricer = _Pricer(graph, timed, library)
    return {name: price for kind in graph.kinds for name, price in pricer.kind(kind)}
