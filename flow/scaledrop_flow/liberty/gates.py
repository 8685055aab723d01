# SPDX-License-Identifier: Apache-2.0
"""A flat netlist of cells in Verilog: instances, their nets, the module's ports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scaledrop.errors import UserError

__all__ = ["Instance", "Netlist", "read_netlist"]

_STATEMENT = re.compile(r"[^;]+;")
_INSTANCE = re.compile(r"^(\\?\S+)\s+(\\\S+|[\w$]+)\s*\((.*)\)\s*;$", re.S)
_PIN = re.compile(r"\.\s*(\w+)\s*\(\s*([^()]*?)\s*\)")
_ASSIGN = re.compile(r"^assign\s+(.+?)\s*=\s*(.+?)\s*;$", re.S)
_RANGE = re.compile(r"^\[(\d+):(\d+)\]\s*")
_WORDS = ("input", "output", "wire")


@dataclass(frozen=True)
class Instance:
    """A cell: its name, its kind, and pin to net. Constant nets are left out."""

    name: str
    kind: str
    pins: Mapping[str, str]


@dataclass(frozen=True)
class Netlist:
    """Instances, and ports bit by bit; ``same`` joins what ``assign`` joins: left to right side."""

    instances: tuple[Instance, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    same: Mapping[str, str]

    def net(self, name: str) -> str:
        """The name that stands for all that are joined."""
        while name in self.same:
            name = self.same[name]
        return name


def _statements(text: str) -> Iterator[str]:
    text = re.sub(r"//[^\n]*|/\*.*?\*/|\(\*.*?\*\)", " ", text, flags=re.S)
    yield from (one[0].strip() for one in _STATEMENT.finditer(text))


def _bits(declared: str) -> list[str]:
    """Bits of ``[3:0] a, b``."""
    found = _RANGE.match(declared)
    names = [one.strip() for one in declared[found.end() if found else 0 :].split(",")]
    if found is None:
        return names
    low, high = sorted((int(found[1]), int(found[2])))
    return [f"{name}[{at}]" for name in names for at in range(low, high + 1)]


def _constant(net: str) -> bool:
    return not net or "'" in net


def read_netlist(text: str) -> Netlist:
    """The one module of ``text``, of cells with named pins of one bit each.

    Raises:
        UserError: a statement is none of port, wire, assign and instance.
    """
    ports: dict[str, list[str]] = {"input": [], "output": [], "wire": []}
    instances, same = [], {}
    for one in _statements(text):
        word, _, rest = one.partition(" ")
        if word == "module" or one.startswith("endmodule"):
            continue
        if word in _WORDS:
            ports[word] += _bits(rest.rstrip(";").strip())
            continue
        assign = _ASSIGN.match(one)
        if assign:
            if not _constant(assign[2]):
                same[assign[1].strip()] = assign[2].strip()
            continue
        cell = _INSTANCE.match(one)
        if cell is None:
            raise UserError(f"netlist: {one[:60]!r} is no cell, port or assignment; map it again")
        pins = {pin: net for pin, net in _PIN.findall(cell[3]) if not _constant(net)}
        instances.append(Instance(cell[2].removeprefix("\\"), cell[1].removeprefix("\\"), pins))
    return Netlist(tuple(instances), tuple(ports["input"]), tuple(ports["output"]), same)
