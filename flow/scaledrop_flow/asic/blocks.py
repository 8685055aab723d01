# SPDX-License-Identifier: Apache-2.0
"""Blocks of the accelerator: the modules that stay modules in the netlist."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["CONTAINERS", "block_of", "block_paths"]

CONTAINERS = ("", "core", "core.sums", "core.outputs", "core.outputs.datapath")
"""Paths of modules that consist of blocks; what stands in them beside is a block of its own."""


def block_of(path: str) -> str:
    """The block in which ``path``, of a module or a cell, lies: a container, or a part of one."""
    parts = path.split(".") if path else []
    here = ""
    for at in range(len(parts)):
        here = ".".join(parts[: at + 1])
        if here not in CONTAINERS:
            return here
    return here


def block_paths(paths: Iterable[str]) -> list[str]:
    """Blocks of all modules, in the order of their paths."""
    return sorted({block_of(path) for path in paths})
