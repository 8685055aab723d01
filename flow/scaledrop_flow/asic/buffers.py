# SPDX-License-Identifier: Apache-2.0
"""Step buffer: no net of a block drives more pins than its driver can bear.

ABC buffers what lies between registers of one block. What a flip-flop or a port drives, and what
drives many flip-flops, it does not see: such a net gets a tree of buffers, of equal depth to all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from scaledrop.errors import UserError
from scaledrop_flow.liberty.cells import CellData, LibraryData

__all__ = ["MOST", "Buffer", "choose_buffer", "spread"]

MOST = 10
"""Pins that a net drives at most."""

MARGIN = 2.0
"""Times that the load of a full net goes into what the buffer may drive."""

Pin = tuple[str, str]


@dataclass(frozen=True)
class Buffer:
    """A cell that repeats its input: its name and pins."""

    name: str
    source: str
    target: str


def _repeats(data: CellData) -> Buffer | None:
    outputs = [pin for pin in data.pins.values() if pin.is_output]
    inputs = [pin for pin in data.pins.values() if not pin.is_output]
    if len(outputs) != 1 or len(inputs) != 1 or outputs[0].function != inputs[0].name:
        return None
    return Buffer(data.name, inputs[0].name, outputs[0].name)


def _full_load(library: LibraryData) -> float:
    """Of a net with :data:`MOST` pins of the usual cell."""
    pins = [
        max(pin.load)
        for cell in library.cells.values()
        for pin in cell.pins.values()
        if not pin.is_output and pin.name not in cell.clocks
    ]
    length = float(library.wires.length(np.array([float(MOST)]))[0])
    return MOST * median(pins) + length * library.wires.capacitance


def choose_buffer(library: LibraryData, avoided: Collection[str]) -> Buffer:
    """The smallest buffer that drives a full net with a margin, else the strongest.

    Args:
        avoided: Cells that are not used.

    Raises:
        UserError: the library has no buffer.
    """
    found = [
        (data, one)
        for data in library.cells.values()
        if data.name not in avoided and (one := _repeats(data)) is not None
    ]
    if not found:
        raise UserError("lib: has no buffer; use another library, or fewer --dont-use")
    needed = MARGIN * _full_load(library)
    strong = [one for one in found if one[0].pins[one[1].target].most_load >= needed]
    if strong:
        return min(strong, key=lambda one: (one[0].area, one[0].name))[1]
    return max(found, key=lambda one: (one[0].pins[one[1].target].most_load, one[0].name))[1]


def _sinks(module: Mapping[str, Any], library: LibraryData) -> dict[int, list[Pin]]:
    """Net to the pins of cells that it drives, but for those of the clock."""
    found: dict[int, list[Pin]] = defaultdict(list)
    for name, cell in sorted(module["cells"].items()):
        data = library.cells.get(cell["type"])
        if data is None:
            continue
        for pin, bits in sorted(cell["connections"].items()):
            inward = pin in data.pins and not data.pins[pin].is_output
            if inward and pin not in data.clocks and bits and isinstance(bits[0], int):
                found[bits[0]].append((name, pin))
    return found


class _Module:
    """One module, to which buffers are added."""

    def __init__(self, module: dict[str, Any], buffer: Buffer) -> None:
        self.cells, self.buffer = module["cells"], buffer
        used = [bit for net in module["netnames"].values() for bit in net["bits"]]
        used += [
            bit for cell in self.cells.values() for b in cell["connections"].values() for bit in b
        ]
        self.next = 1 + max([1, *(bit for bit in used if isinstance(bit, int))])
        self.added = 0

    def add(self, net: int, sinks: Sequence[Pin]) -> Pin:
        """A buffer from ``net`` to ``sinks``; its input."""
        name = f"fanout_{net}_{self.added}"
        for cell, pin in sinks:
            self.cells[cell]["connections"][pin] = [self.next]
        self.cells[name] = {
            "hide_name": 0,
            "type": self.buffer.name,
            "parameters": {},
            "attributes": {},
            "connections": {self.buffer.source: [net], self.buffer.target: [self.next]},
        }
        self.next += 1
        self.added += 1
        return name, self.buffer.source

    def spread(self, net: int, sinks: Sequence[Pin]) -> None:
        """Buffers in levels, until few are left on the net itself."""
        left = list(sinks)
        while len(left) > MOST:
            groups = -(-len(left) // MOST)
            parts = np.array_split(np.arange(len(left)), groups)
            left = [self.add(net, [left[at] for at in part]) for part in parts]


def spread(design: Mapping[str, Any], library: LibraryData, buffer: Buffer) -> int:
    """Add buffers to a design of Yosys' JSON, in place.

    Args:
        library: With the cells of the design.

    Returns:
        How many were added.
    """
    added = 0
    for _, module in sorted(design["modules"].items()):
        made = _Module(module, buffer)
        for net, sinks in sorted(_sinks(module, library).items()):
            if len(sinks) > MOST:
                made.spread(net, sinks)
        added += made.added
    return added
