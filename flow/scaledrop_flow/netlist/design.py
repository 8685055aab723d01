# SPDX-License-Identifier: Apache-2.0
"""The modules of generated Verilog: their ports, and the text that a part of them needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scaledrop.errors import UserError

__all__ = ["Module", "Port", "modules", "text_of"]

_MODULE = re.compile(r"^module (\S+) ?\(.*?^endmodule$", re.M | re.S)
_PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\S+) ?;$", re.M)
_INSTANCE = re.compile(r"^  (\\\S+) +\S+ +\($", re.M)


@dataclass(frozen=True)
class Port:
    """A port: ``name`` as Verilog writes it, with a backslash where it is escaped.

    Attributes:
        name: As written.
        is_input: Its direction.
        width: In bits.
    """

    name: str
    is_input: bool
    width: int


@dataclass(frozen=True)
class Module:
    """One module of a design, by the name without the backslash."""

    name: str
    text: str
    ports: tuple[Port, ...]
    instances: tuple[str, ...]


def _module(name: str, text: str) -> Module:
    ports = tuple(
        Port(name, direction == "input", int(high or 0) + 1)
        for direction, high, name in _PORT.findall(text)
    )
    return Module(name, text, ports, tuple(one[1:] for one in _INSTANCE.findall(text)))


def modules(verilog: str) -> dict[str, Module]:
    """Every module of ``verilog`` as :func:`scaledrop_hw.export.verilog_text` writes it."""
    found = ((one[1].removeprefix("\\"), one[0]) for one in _MODULE.finditer(verilog))
    return {name: _module(name, text) for name, text in found}


def text_of(design: Mapping[str, Module], names: Iterable[str]) -> str:
    """Text of the modules ``names`` and of all that they instantiate.

    Raises:
        UserError: there is no such module.
    """
    wanted: dict[str, Module] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in design:
            raise UserError(f"design: has no module {name!r}; generate it again")
        if name not in wanted:
            wanted[name] = design[name]
            waiting += design[name].instances
    return "\n".join(one.text for one in wanted.values()) + "\n"
