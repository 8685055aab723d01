# SPDX-License-Identifier: Apache-2.0
"""The timing graph: nets that rise and fall, arcs through cells from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop_flow.liberty.cells import FALL, RISE, CellData, LibraryData
from scaledrop_flow.liberty.gates import Instance, Netlist

__all__ = ["Edges", "Ends", "Graph", "Kind", "build_graph"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Kind:
    """All instances of one cell.

    Attributes:
        data: Of the library.
        members: (N,) numbers of the instances.
        pins: Name of a pin to (N,) nets; -1 where it is not connected.
    """

    data: CellData
    members: Ints
    pins: Mapping[str, Ints]


@dataclass(frozen=True)
class Edges:
    """(E,) arcs in their places. A node is a net that rises, 2n, or falls, 2n + 1.

    Attributes:
        source, target: Nodes.
        delay, slew: Numbers of tables.
        pin_load: Capacitance of the pin at which the source ends.
        clocked: The source is the clock: it arrives at 0 with no slew.
        instance: Of the cell.
    """

    source: Ints
    target: Ints
    delay: Ints
    slew: Ints
    pin_load: Floats
    clocked: Bools
    instance: Ints


@dataclass(frozen=True)
class Ends:
    """(N,) nodes at which data must be there.

    Attributes:
        nodes: See :class:`Edges`.
        tables: Of the setup time; -1 at an output port.
        owners: Instance, or behind the last of them the output port.
    """

    nodes: Ints
    tables: Ints
    owners: Ints


@dataclass(frozen=True)
class Graph:
    """A netlist ready to be timed.

    Attributes:
        netlist: The same, by names.
        nets: Name to number.
        kinds: Its cells.
        load: (2 nets,) capacitance that a node drives: pins for its change, and wire.
        fanout: (nets,) pins and output ports of each.
        edges, ends: All arcs, and where they must be in time.
        starts: Nets of the input ports.
    """

    netlist: Netlist
    nets: Mapping[str, int]
    kinds: Sequence[Kind]
    load: Floats
    fanout: Floats
    edges: Edges
    ends: Ends
    starts: Ints

    @property
    def instances(self) -> tuple[Instance, ...]:
        return self.netlist.instances

    def owner(self, number: int) -> str:
        """Name of what stands at an end."""
        behind = number - len(self.instances)
        return self.netlist.outputs[behind] if behind >= 0 else self.instances[number].name


class _Nets:
    """Numbers of nets, in the order in which they are met."""

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self.numbers: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        return self.numbers.setdefault(self.netlist.net(name), len(self.numbers))


def _kinds(netlist: Netlist, library: LibraryData, nets: _Nets) -> Iterator[Kind]:
    members: dict[str, list[int]] = {}
    for at, instance in enumerate(netlist.instances):
        members.setdefault(instance.kind, []).append(at)
    for name, numbers in members.items():
        data = library.cells.get(name)
        instances = [netlist.instances[at] for at in numbers]
        if data is None:
            raise UserError(
                f"netlist: {instances[0].name} is a {name}, which the library does not have; "
                "map it again"
            )
        unknown = {pin for one in instances for pin in one.pins} - set(data.pins)
        if unknown:
            raise UserError(f"netlist: {name} has no pin {min(unknown)}; map it again")
        pins = {
            pin: np.array([nets(one.pins[pin]) if pin in one.pins else -1 for one in instances])
            for pin in data.pins
        }
        yield Kind(data, np.array(numbers), pins)


def _edges(kinds: Sequence[Kind]) -> Edges:
    parts: list[tuple[npt.NDArray[np.generic], ...]] = []
    for kind in kinds:
        for arc in kind.data.arcs:
            source, target = kind.pins[arc.source], kind.pins[arc.target]
            some = (source >= 0) & (target >= 0)
            count = int(some.sum())
            parts.append(
                (
                    2 * source[some] + arc.cause,
                    2 * target[some] + arc.change,
                    np.full(count, arc.delay),
                    np.full(count, arc.slew),
                    np.full(count, kind.data.pins[arc.source].load[arc.cause]),
                    np.full(count, arc.clocked),
                    kind.members[some],
                )
            )
    types = (np.int64, np.int64, np.int64, np.int64, np.float64, np.bool_, np.int64)
    columns = zip(*parts, strict=True) if parts else [()] * len(types)
    joined: list[Any] = [
        np.concatenate(column).astype(kind) if len(column) else np.zeros(0, kind)
        for column, kind in zip(columns, types, strict=True)
    ]
    return Edges(*joined)


def _ends(kinds: Sequence[Kind], outputs: Sequence[int], first: int) -> Ends:
    parts: list[tuple[Ints, Ints, Ints]] = []
    for kind in kinds:
        for check in kind.data.checks:
            nets = kind.pins[check.pin]
            some = nets >= 0
            for change, table in zip((RISE, FALL), check.tables, strict=True):
                if table is not None:
                    rows = np.full(int(some.sum()), table)
                    parts.append((2 * nets[some] + change, rows, kind.members[some]))
    ports = np.array(outputs, dtype=np.int64)
    owners = first + np.arange(len(ports))
    parts += [(2 * ports + change, np.full(len(ports), -1), owners) for change in (RISE, FALL)]
    return Ends(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _pin_loads(kinds: Sequence[Kind], outputs: Sequence[int], nets: int) -> Floats:
    """(nets, 3): capacitance for a rise and a fall, and how many pins and ports."""
    loads = np.zeros((nets, 3))
    for kind in kinds:
        for name, pin in kind.data.pins.items():
            found = kind.pins[name]
            if not pin.is_output:
                np.add.at(loads, found[found >= 0], (*pin.load, 1.0))
    np.add.at(loads, np.array(outputs, dtype=np.int64), (0.0, 0.0, 1.0))
    return loads


def build_graph(netlist: Netlist, library: LibraryData) -> Graph:
    """Nodes, loads and arcs of a netlist.

    Raises:
        UserError: a cell or pin that the library does not have.
    """
    nets = _Nets(netlist)
    starts = np.array([nets(name) for name in netlist.inputs], dtype=np.int64)
    kinds = list(_kinds(netlist, library, nets))
    outputs = [nets(name) for name in netlist.outputs]
    loads = _pin_loads(kinds, outputs, len(nets.numbers))
    fanout, wires = loads[:, 2], library.wires
    wire = np.where(fanout > 0, wires.length(fanout) * wires.capacitance, 0.0)
    return Graph(
        netlist,
        nets.numbers,
        kinds,
        (loads[:, :2] + wire[:, None]).reshape(-1),
        fanout,
        _edges(kinds),
        _ends(kinds, outputs, len(netlist.instances)),
        starts,
    )
