# SPDX-License-Identifier: Apache-2.0
"""Kinds of netlist: how Yosys makes one, and where the models of its cells come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from scaledrop.errors import UserError
from scaledrop_cosim.simulation import HDL

__all__ = ["KINDS", "NetlistKind", "find_kind"]


@dataclass(frozen=True)
class NetlistKind:
    """A kind of netlist.

    Attributes:
        name: As the command line has it.
        steps: Yosys' commands from the RTL to cells; ``{top}`` is the top module.
        library: Yosys' own file with models of the cells, behind the options to read it with; None
            where the netlist consists of Verilog operators, registers and memories.
        more: Models of ours for cells of which the library has a shell only.
    """

    name: str
    steps: tuple[str, ...]
    library: str | None = None
    more: tuple[Path, ...] = ()


# Whole wires stand in the way of Yosys' mapper: its names for bits of them can clash.
_SPLIT = ("hierarchy -check -top {top}", "proc", "flatten -noscopeinfo", "splitnets")

_GENERIC = (
    "hierarchy -check -top {top}",
    "proc",
    "flatten -noscopeinfo",
    "synth -top {top} -run coarse:fine",
    # Without memory_map: a memory stays one, with its ports and contents.
    "opt -fast -full",
    "techmap",
    "opt -fast",
    "abc -g AND,OR,XOR,MUX",
    "opt -fast",
    "splitnets",
)

KINDS: Mapping[str, NetlistKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            NetlistKind("generic", _GENERIC),
            NetlistKind(
                "ice40",
                (*_SPLIT, "synth_ice40 -top {top} -dsp -run begin:check"),
                # As a library, memories would come as shells.
                "-defer +/ice40/cells_sim.v",
            ),
            NetlistKind(
                "ecp5",
                (*_SPLIT, "synth_ecp5 -top {top} -run begin:check"),
                "-lib +/ecp5/cells_sim.v",
                (HDL / "ecp5_memory.sv", HDL / "ecp5_multiplier.sv"),
            ),
        )
    }
)
"""By name."""


def find_kind(name: str) -> NetlistKind:
    """The kind of this name.

    Raises:
        UserError: it is not known.
    """
    if name not in KINDS:
        raise UserError(f"netlist: {name!r} is not known; choose {', '.join(KINDS)}")
    return KINDS[name]
