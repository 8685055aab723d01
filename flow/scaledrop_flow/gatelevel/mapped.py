# SPDX-License-Identifier: Apache-2.0
"""A netlist in a folder of its own: Verilog, models of its cells, and the description."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scaledrop.atomic import write_atomically

__all__ = ["MappedNetlist", "write_netlist"]


@dataclass(frozen=True)
class MappedNetlist:
    """What stands in the place of the RTL in a simulation.

    Attributes:
        kind: ``generic``, ``ice40``, ``ecp5``, or a cell library's name.
        verilog: The netlist; beside it, with the ending ``.json``, the description of the RTL with
            one key more, ``netlist``.
        models: Verilog files with models of its cells, without includes.
        cells: Type to number.
        tool: Name and version of what made it.
    """

    kind: str
    verilog: Path
    models: tuple[Path, ...]
    cells: Mapping[str, int]
    tool: str


def write_netlist(
    rtl: Path,
    folder: Path,
    kind: str,
    text: str,
    models: str,
    cells: Mapping[str, int],
    tool: str,
) -> MappedNetlist:
    """Write a netlist of ``rtl`` (its ``.json`` lies beside it) into ``folder``.

    Args:
        text: Verilog with the top module and the ports of ``rtl``.
        models: Verilog of the models of its cells; empty where it needs none.

    Raises:
        UserError: the folder cannot be written.
    """
    verilog, cells = folder / rtl.name, dict(sorted(cells.items()))
    described = json.loads(rtl.with_suffix(".json").read_text())
    described["netlist"] = {
        "kind": kind,
        "tool": tool,
        "cells": sum(cells.values()),
        "cell_counts": cells,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "models_sha256": hashlib.sha256(models.encode()).hexdigest() if models else None,
    }
    write_atomically(verilog, text.encode())
    sidecar = json.dumps(described, indent=2, sort_keys=True) + "\n"
    write_atomically(verilog.with_suffix(".json"), sidecar.encode())
    paths = (folder / "cells.v",) if models else ()
    for path in paths:
        write_atomically(path, models.encode())
    return MappedNetlist(kind, verilog, paths, cells, tool)
