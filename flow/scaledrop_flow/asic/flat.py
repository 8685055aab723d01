# SPDX-License-Identifier: Apache-2.0
"""Step flatten: the netlist as one module with plain names, its black boxes cut out.

What a black box gives becomes an input and what it takes an output, so that the cells alone are
timed, simulated and powered. Every cell keeps its block and the name that a reader knows it by.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scaledrop_flow.asic.blocks import block_of
from scaledrop_flow.asic.choices import TOP
from scaledrop_flow.asic.folder import Folder
from scaledrop_flow.netlist.design import Port
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.mapping import TOP as BLOCK
from scaledrop_flow.netlist.mapping import (
    Cell,
    Mapped,
    clocked_cells,
    first_output,
    gates_of,
    port_name,
)
from scaledrop_flow.netlist.trim import only_cells
from scaledrop_flow.synthesis.tools import run_tool, tool_version

__all__ = ["CutBox", "Flat", "cut_boxes", "flatten"]

STEM = "flat"
CONTROLS = ("clk", "rst")


@dataclass(frozen=True)
class CutBox:
    """One instance of a black box: its path in the accelerator, and its ports."""

    path: str
    ports: tuple[Port, ...]


@dataclass(frozen=True)
class Flat:
    """The flat netlist.

    Attributes:
        mapped: As :func:`scaledrop_flow.netlist.mapping.map_block` has a block.
        blocks: Cell to its block.
        names: Cell or port to what a reader knows it by.
        library: The library with the cells that are used.
    """

    mapped: Mapped
    blocks: Mapping[str, str]
    names: Mapping[str, str]
    library: CellLibrary


def cut_boxes(folder: Folder) -> list[CutBox]:
    """Every instance of a black box."""
    return [
        CutBox(
            path.partition(".")[2],
            tuple(
                Port(one["name"], one["direction"] == "in", one["width"]) for one in box["ports"]
            ),
        )
        for box in json.loads(folder.boxes.read_text())
        for path in box["instances"]
    ]


def _script(kinds: Sequence[str], library: CellLibrary) -> str:
    return "\n".join(
        (
            *(f"read_liberty -lib -ignore_miss_func {path.name}" for path in library.files),
            *(f"read_verilog {name}.v" for name in kinds),
            "read_verilog netlist.v",
            f"hierarchy -check -top {TOP}",
            "flatten -noscopeinfo",
            *(f"expose -evert {TOP}/t:{name}" for name in kinds),
            "opt_clean",
            f"select {TOP}",
            f"write_json -selected {STEM}.json",
            "",
        )
    )


def _cells(module: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Plain name, own name and record of every cell."""
    for at, (name, cell) in enumerate(sorted(module["cells"].items())):
        yield f"g{at}", name, cell


def _public(module: Mapping[str, Any]) -> dict[int, list[str]]:
    """Net to the names that a person gave it, the shortest first."""
    found: dict[int, list[str]] = {}
    named = (one for one in module["netnames"].items() if not one[1]["hide_name"])
    for name, net in sorted(named, key=lambda one: (len(one[0]), one[0])):
        if any(part.startswith(("$", "_")) for part in name.split(".")):
            continue
        wide = len(net["bits"]) > 1
        for at, bit in enumerate(net["bits"]):
            if isinstance(bit, int):
                found.setdefault(bit, []).append(f"{name}[{at}]" if wide else name)
    return found


def _known(names: Sequence[str], block: str, kind: str) -> str:
    """What a reader knows a cell by: a name of its net, of its own block if there is one."""
    own = [name for name in names if name.startswith(f"{block}.")]
    return next(iter([*own, *names]), f"{block or TOP}: {kind}")


class _Writer:
    """Verilog of a flat module of cells, with plain names."""

    def __init__(self, module: Mapping[str, Any], ports: Sequence[Port]) -> None:
        self.module, self.ports = module, ports
        self.places: dict[int, str] = {}
        for at, port in enumerate(ports):
            if port.is_input:
                for k, bit in enumerate(self.bits(port)):
                    if isinstance(bit, int):
                        self.places[bit] = self.slice(at, port, k)

    def bits(self, port: Port) -> list[int | str]:
        """Nets of a port; one that the netlist has lost is not driven."""
        found = self.module["ports"].get(port.name)
        return found["bits"] if found else ["x"] * port.width

    @staticmethod
    def slice(at: int, port: Port, k: int) -> str:
        name = port_name(at, port)
        return name if port.width == 1 else f"{name}[{k}]"

    def net(self, bit: int | str) -> str:
        if isinstance(bit, str):
            return "1'b1" if bit == "1" else "1'b0"
        return self.places.get(bit, f"n{bit}")

    def place(self, bit: int) -> tuple[str, int]:
        """(name, bit) of a net that a cell drives."""
        return f"n{bit}", 0

    def text(self) -> str:
        names = [port_name(at, port) for at, port in enumerate(self.ports)]
        lines = [f"module {BLOCK} ({', '.join(names)});"]
        for name, port in zip(names, self.ports, strict=True):
            wide = f"[{port.width - 1}:0] " if port.width > 1 else ""
            lines.append(f"  {'input' if port.is_input else 'output'} {wide}{name};")
        lines += [f"  wire n{bit};" for bit in sorted(self.inner())]
        for at, port in enumerate(self.ports):
            if not port.is_input:
                lines += [
                    f"  assign {self.slice(at, port, k)} = {self.net(bit)};"
                    for k, bit in enumerate(self.bits(port))
                ]
        for name, _, cell in _cells(self.module):
            pins = (
                f".{pin}({self.net(bits[0])})"
                for pin, bits in sorted(cell["connections"].items())
                if bits
            )
            lines.append(f"  {cell['type']} {name} ({', '.join(pins)});")
        return "\n".join([*lines, "endmodule", ""])

    def inner(self) -> set[int]:
        """Nets that are no input."""
        cells = self.module["cells"].values()
        used = {bit for cell in cells for bits in cell["connections"].values() for bit in bits}
        used |= {bit for port in self.ports for bit in self.bits(port)}
        return {bit for bit in used if isinstance(bit, int) and bit not in self.places}


def _ports(sidecar: Path, boxes: Sequence[CutBox]) -> list[Port]:
    """Those of the accelerator, then what its black boxes give and take."""
    top = json.loads(sidecar.read_text())["ports"]
    own = [Port(one["name"], one["direction"] == "in", one["width"]) for one in top]
    cut = [
        Port(f"{box.path}.{port.name}", not port.is_input, port.width)
        for box in boxes
        for port in box.ports
        if port.name not in CONTROLS
    ]
    return own + cut


def _trimmed(library: CellLibrary, used: Collection[str], folder: Path) -> CellLibrary:
    """The library with the cells of a netlist only."""
    folder.mkdir(parents=True, exist_ok=True)

    copies = tuple(folder / file.name for file in library.files)
    for file, copy in zip(library.files, copies, strict=True):
        copy.write_text(only_cells(file.read_text(), used))
    return replace(library, files=copies)


def flatten(folder: Folder, whole: CellLibrary) -> Flat:
    """The flat netlist, and its gates for simulation.

    Raises:
        UserError: no Yosys, Yosys refuses, or a cell is no gate or flip-flop of the rising edge.
    """
    stat = json.loads((folder.work / "map.json").read_text())["stat"]["design"]
    library = _trimmed(whole, stat["num_cells_by_type"], folder.work / "flat")
    scratch = library.files[0].parent
    listed = json.loads(folder.boxes.read_text())
    kinds = [box["module"] for box in listed]
    for name in kinds:
        shutil.copy(folder.stubs / f"{name}.v", scratch)
    shutil.copy(folder.netlist, scratch / "netlist.v")
    (scratch / "script.ys").write_text(_script(kinds, library))
    run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], scratch)
    module = json.loads((scratch / f"{STEM}.json").read_text())["modules"][TOP]
    ports = _ports(folder.sidecar, cut_boxes(folder))
    writer = _Writer(module, ports)
    (scratch / f"{STEM}.v").write_text(writer.text())
    gates = gates_of(library, STEM)
    clocked = clocked_cells(gates)
    public, cells, blocks, names = _public(module), {}, {}, {}
    for plain, own, cell in _cells(module):
        bit = first_output(cell)
        net = ("", 0) if bit is None else writer.place(int(bit))
        cells[plain] = Cell(cell["type"], net if bit is not None else None, plain in clocked)
        blocks[plain] = block_of(own.rpartition(".")[0])
        given = public.get(bit, []) if isinstance(bit, int) else []
        names[plain] = _known(given, blocks[plain], cell["type"])
    names |= {port_name(at, port): port.name for at, port in enumerate(ports)}
    mapped = Mapped(tuple(ports), cells, 0.0, scratch / f"{STEM}.v", gates, tool_version("yosys"))
    return Flat(mapped, blocks, names, library)
