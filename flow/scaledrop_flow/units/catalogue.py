# SPDX-License-Identifier: Apache-2.0
"""The components of one accelerator, each as a design of its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import ArrayShape
from scaledrop_flow.netlist.design import Module, Port, modules, text_of
from scaledrop_flow.steps.generate import generate

__all__ = ["TOP", "Unit", "units_of"]

TOP = "top"
ROOT = "scaledrop_axi"
CONTROLS = ("clk", "rst")
CORE = ".accelerator.core"
ASSEMBLIES = ("", ".accelerator", CORE, f"{CORE}.sums", f"{CORE}.outputs")
"""Modules that hold all others: a board's build tells of these."""


@dataclass(frozen=True)
class Unit:
    """A component with all that is inside of it.

    Attributes:
        name: Its place in the hierarchy, such as ``accelerator.core.walker``.
        verilog: Module ``top`` and what it instantiates.
        registered: The same between registers, so that each of its paths begins and ends at one.
    """

    name: str
    verilog: str
    registered: str


def _range(port: Port) -> str:
    return f"[{port.width - 1}:0] " if port.width > 1 else ""


def _registered(unit: Module) -> str:
    """Module ``top`` around ``inner``: a register at every port but clock and reset."""
    ports = [port for port in unit.ports if port.name not in CONTROLS]
    names = {port: f"p{at}" for at, port in enumerate(ports)}
    clocked = {port.name for port in unit.ports}
    lines = [f"module {TOP}({', '.join([*CONTROLS, *names.values()])});"]
    lines += [f"  input {name};" for name in CONTROLS]
    bound = [f".{name}({name})" for name in CONTROLS if name in clocked]
    moved = []
    for port, name in names.items():
        direction = "input" if port.is_input else "output"
        lines.append(f"  {direction} {_range(port)}{name};")
        held = f"{name}_held" if port.is_input else name
        lines.append(f"  reg {_range(port)}{held};")
        if not port.is_input:
            lines.append(f"  wire {_range(port)}{name}_now;")
        bound.append(f".{port.name} ({name}_{'held' if port.is_input else 'now'})")
        moved.append(f"{held} <= {name if port.is_input else f'{name}_now'};")
    return "\n".join(
        (
            *lines,
            "  always @(posedge clk) begin",
            *(f"    {move}" for move in moved),
            "  end",
            f"  inner unit ({', '.join(bound)});",
            "endmodule",
            "",
        )
    )


def _renamed(text: str, name: str, new: str) -> str:
    """The text with module ``name`` called ``new``."""
    return re.sub(rf"^module \\?{re.escape(name)} ?\(", f"module {new}(", text, flags=re.M)


def _unit(design: Mapping[str, Module], name: str) -> Unit:
    text = text_of(design, [name])
    inner = _renamed(text, name, "inner")
    return Unit(
        name.removeprefix(f"{ROOT}."), _renamed(text, name, TOP), inner + _registered(design[name])
    )


def units_of(
    network: FrozenNetwork, array: ArrayShape, datapath: str = "reference"
) -> dict[str, Unit]:
    """Name to unit, for every component of the system of ``network`` behind AXI.

    Raises:
        UserError: an impossible size.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made = generate(network, array, Path(scratch), datapath=datapath, bus="axi")
        design = modules(made.verilog.read_text())
    assemblies = {f"{ROOT}{one}" for one in ASSEMBLIES}
    units = (_unit(design, name) for name in sorted(set(design) - assemblies))
    return {unit.name: unit for unit in units}
