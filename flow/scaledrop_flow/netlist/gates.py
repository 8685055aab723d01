# SPDX-License-Identifier: Apache-2.0
"""A mapped block as simple gates in the order of evaluation, for the simulator of ``gates.cpp``.

The cells' functions come from their Liberty file: Yosys turns each into gates of two inputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = ["KINDS", "GateNetlist", "read_gates"]

KINDS = {
    "$_BUF_": (0, "A"),
    "$_NOT_": (1, "A"),
    "$_AND_": (2, "AB"),
    "$_OR_": (3, "AB"),
    "$_XOR_": (4, "AB"),
    "$_MUX_": (5, "ABS"),
}
"""Gate of Yosys to its number in ``gates.cpp`` and its inputs."""
FLIPFLOP = "$_DFF_P_"
CONSTANTS = {"0": 0, "1": 1, "x": 0, "z": 0}
"""Constant to its net; the simulator holds net 0 low and net 1 high."""


@dataclass(frozen=True)
class GateNetlist:
    """Gates, registers and names.

    Attributes:
        size: Nets; 0 and 1 are the constants.
        gates: (G, 5) int32: kind, three inputs, output, in an order in which each is ready.
        registers: (2, R) int32: the net that a register takes, the net that it drives.
        register_names: Of the registers; they hold the cell's name and a dot.
        nets: (name, bit) to net.
    """

    size: int
    gates: npt.NDArray[np.int32]
    registers: npt.NDArray[np.int32]
    register_names: tuple[str, ...]
    nets: Mapping[tuple[str, int], int]

    def bits(self, name: str, width: int) -> list[int]:
        """Nets of a port, the lowest bit first."""
        return [self.nets[name, at] for at in range(width)]


def _net(bit: int | str) -> int:
    return bit if isinstance(bit, int) else CONSTANTS[bit]


def _gate(cell: Mapping[str, Any]) -> tuple[int, ...]:
    kind, pins = KINDS[cell["type"]]
    inputs = [_net(cell["connections"][pin][0]) for pin in pins]
    return (kind, *inputs, *[0] * (3 - len(inputs)), _net(cell["connections"]["Y"][0]))


def _ordered(gates: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    by_output = {gate[4]: gate for gate in gates}
    graph = {out: [net for net in gate[1:4] if net in by_output] for out, gate in by_output.items()}
    try:
        return [by_output[out] for out in TopologicalSorter(graph).static_order()]
    except CycleError:
        raise UserError("netlist: has a loop of gates; only clocked logic is measured") from None


def read_gates(text: str, top: str) -> GateNetlist:
    """The gates of module ``top`` of Yosys' JSON.

    Raises:
        UserError: a latch, a falling edge or a loop of gates.
    """
    module = json.loads(text)["modules"][top]
    gates, taken, driven, names = [], [], [], []
    for name, cell in module["cells"].items():
        kind, pins = cell["type"], cell["connections"]
        if kind in KINDS:
            gates.append(_gate(cell))
        elif kind == FLIPFLOP:
            taken.append(_net(pins["D"][0]))
            driven.append(_net(pins["Q"][0]))
            names.append(name)
        else:
            raise UserError(f"netlist: {name} is a {kind}; gates and rising edges only")
    nets = {
        (name, at): _net(bit)
        for name, net in module["netnames"].items()
        for at, bit in enumerate(net["bits"])
    }
    size = 1 + max([1, *nets.values(), *(gate[4] for gate in gates), *driven])
    return GateNetlist(
        size,
        np.array(_ordered(gates), dtype=np.int32).reshape(-1, 5),
        np.array([taken, driven], dtype=np.int32),
        tuple(names),
        nets,
    )
