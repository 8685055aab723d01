# SPDX-License-Identifier: Apache-2.0
"""The cell library that ``--lib`` names: a folder of ``SCALEDROP_PDK``, or files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop_flow.netlist.libraries import VARIABLE, CellLibrary, find_liberty, open_library

__all__ = ["DONT_USE", "find_library", "open_cells"]

SUFFIXES = (".lib", ".lib.gz")
DONT_USE = {"sky130": ("*lpflow*", "*probe*", "*edf*")}
"""Start of a library's name to cells that its own flows leave alone, and flip-flops with an enable:
their enable is a net that ABC cannot buffer, and they are as large as a multiplexer and another."""

ANY_NODE = 0.0
"""The node, which only the scaling of energies asks for."""


def find_library(given: Sequence[str]) -> tuple[str, list[Path]]:
    """Name and Liberty files of a library.

    Args:
        given: One name of a folder of ``SCALEDROP_PDK``, or the files of one library.

    Raises:
        UserError: nothing given, no such library or file, or the variable is not set.
    """
    if not given:
        raise UserError("lib: is missing; give a library's name or its .lib or .lib.gz files")
    if any(one.endswith(SUFFIXES) for one in given):
        return next(iter(find_liberty([Path(one) for one in given]).items()))
    if len(given) > 1:
        raise UserError(f"lib: one library at a time, not {', '.join(given)}")
    name, known = given[0], find_liberty()
    if name not in known:
        raise UserError(
            f"lib: {name!r} is not known; {VARIABLE} has {', '.join(known)}; "
            "or give .lib or .lib.gz files"
        )
    return name, known[name]


def open_cells(files: Sequence[Path], folder: Path) -> CellLibrary:
    """The library, unpacked into ``folder``.

    Raises:
        UserError: see :func:`scaledrop_flow.netlist.libraries.open_library`.
    """
    return open_library(files, folder, ANY_NODE)
