# SPDX-License-Identifier: Apache-2.0
"""Models of cells: those modules of a library that a netlist needs, as one Verilog text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from scaledrop.errors import UserError

__all__ = ["model_text", "modules_of"]

_MODULE = re.compile(r"^[ \t]*module\s+(\\?[\w$]+).*?\bendmodule\b", re.M | re.S)
_TIMING = re.compile(r"^[ \t]*specify\b.*?^[ \t]*endspecify\b[^\n]*\n", re.M | re.S)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_WORD = re.compile(r"[A-Za-z_]\w*")


def modules_of(text: str) -> dict[str, str]:
    """Name to text of every module, without comments and the delays of paths, which a simulator
    of cycles has no use for."""
    plain = _TIMING.sub("", _COMMENT.sub("", text))
    return {found[1].removeprefix("\\"): found[0] for found in _MODULE.finditer(plain)}


def model_text(kind: str, cells: Iterable[str], library: Mapping[str, str]) -> str:
    """Models of ``cells`` and of what these instantiate.

    Raises:
        UserError: a cell has no model.
    """
    wanted: dict[str, str] = {}
    waiting = sorted(cells)
    for name in waiting:
        if name not in library:
            raise UserError(
                f"netlist: {kind} has no simulation model of cell {name}; "
                "choose another kind of netlist, or sizes that need no such cell"
            )
    while waiting:
        name = waiting.pop(0)
        if name not in wanted:
            wanted[name] = library[name]
            words = dict.fromkeys(_WORD.findall(library[name]))
            waiting += [word for word in words if word in library and word != name]
    return "\n\n".join(wanted.values()) + "\n"
