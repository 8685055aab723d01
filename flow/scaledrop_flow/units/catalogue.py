# SPDX-License-Identifier: Apache-2.0
"""The components of one accelerator, each as a design of its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import ArrayShape
from scaledrop.nn import ScaleDropNet
from scaledrop.training import named_config
from scaledrop_flow.netlist.design import Module, Port, modules, text_of
from scaledrop_flow.steps.generate import generate

__all__ = ["CONFIGURATIONS", "TOP", "Unit", "units_of", "wholes_of"]

TOP = "top"
ROOT = "scaledrop_axi"
CONTROLS = ("clk", "rst")
CORE = ".accelerator.core"
ASSEMBLIES = ("", ".accelerator", CORE, f"{CORE}.sums", f"{CORE}.outputs")
"""Modules that hold all others; the whole is told of by configuration."""
CONFIGURATIONS = ("digits", "lenet5-mnist")
"""Named configurations that are mapped as wholes, with the memories of their weights."""


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


def _design(network: FrozenNetwork, array: ArrayShape, datapath: str) -> dict[str, Module]:
    with tempfile.TemporaryDirectory() as scratch:
        made = generate(network, array, Path(scratch), datapath=datapath, bus="axi")
        return modules(made.verilog.read_text())


def units_of(
    network: FrozenNetwork, array: ArrayShape, datapath: str = "reference"
) -> dict[str, Unit]:
    """Name to unit, for every component of the system of ``network`` behind AXI.

    Raises:
        UserError: an impossible size.
    """
    design = _design(network, array, datapath)
    assemblies = {f"{ROOT}{one}" for one in ASSEMBLIES}
    units = (_unit(design, name) for name in sorted(set(design) - assemblies))
    return {unit.name: unit for unit in units}


def wholes_of(array: ArrayShape, datapath: str = "reference") -> dict[str, Unit]:
    """``config.NAME`` to the whole system of an untrained network, for :data:`CONFIGURATIONS`.

    Raises:
        UserError: an impossible size.
    """
    found = {}
    for name in CONFIGURATIONS:
        network = freeze(ScaleDropNet(named_config(name).network, seed=0).eval(), {})
        unit = _unit(_design(network, array, datapath), ROOT)
        found[f"config.{name}"] = replace(unit, name=f"config.{name}")
    return found
