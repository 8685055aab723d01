# SPDX-License-Identifier: Apache-2.0
"""A block on cells: Yosys maps it; the netlist with plain names, and models of its cells."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop_flow.netlist.design import Module, Port, text_of
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.synthesis import run_tool

__all__ = ["TOP", "Cell", "Mapped", "map_block", "port_name"]

TOP = "block"
CONTROLS = ("clk", "rst")

_CLOCKED = re.compile(r"^module (\S+?) ?\((?:(?!^endmodule).)*always", re.M | re.S)


@dataclass(frozen=True)
class Cell:
    """One cell of the netlist.

    Attributes:
        kind: Cell of the library, or a memory that was left out.
        net: (name, bit) of the net that its first output drives; None if it drives none.
        sequential: It holds a bit.
    """

    kind: str
    net: tuple[str, int] | None
    sequential: bool


@dataclass(frozen=True)
class Mapped:
    """A mapped block.

    Attributes:
        ports: Of the module; in the netlist their names are those of :func:`port_name`.
        cells: Name to cell, memories left out.
        area_um2: Sum of the cells' areas.
        netlist: Verilog of the cells.
        models: Verilog that says what each cell does.
        memories: Verilog of the memories that were left out; may be empty.
        tool: Name and version of Yosys.
    """

    ports: tuple[Port, ...]
    cells: Mapping[str, Cell]
    area_um2: float
    netlist: Path
    models: Path
    memories: Path
    tool: str

    @property
    def flipflops(self) -> int:
        return sum(cell.sequential for cell in self.cells.values())


def port_name(index: int, port: Port) -> str:
    """Name of a port in the netlist: clock and reset keep theirs."""
    return port.name if port.name in CONTROLS else f"p{index}"


def _script(module: Module, memories: Sequence[str], library: CellLibrary, stem: str) -> str:
    files = " ".join(f"-liberty {path.name}" for path in library.files)
    names = [
        f"rename {port.name} {port_name(at, port)}"
        for at, port in enumerate(module.ports)
        if port.name not in CONTROLS
    ]
    return "\n".join(
        (
            f"read_verilog {stem}.design.v",
            *(f"blackbox {name}" for name in memories),
            f"hierarchy -check -top {module.name}",
            f"rename {module.name} {TOP}",
            f"cd {TOP}",
            *names,
            "cd",
            f"synth -flatten -top {TOP}",
            # Cells have no initial value: the reset sets what needs one.
            "setattr -unset init w:*",
            f"dfflibmap {files}",
            f"abc {files}",
            "splitnets",
            "opt_clean -purge",
            f"cd {TOP}",
            "rename -hide w:* i:* %d o:* %d",
            "rename -hide c:*",
            "rename -enumerate -pattern n% w:*",
            "rename -enumerate -pattern g% c:*",
            "cd",
            f"tee -q -o {stem}.stat.json stat -json {files}",
            f"write_verilog -noattr -noexpr -simple-lhs {stem}.v",
            # With the library at hand, the cells' pins have directions.
            *(f"read_liberty -lib -ignore_miss_func {path.name}" for path in library.files),
            f"select {TOP}",
            f"write_json -selected {stem}.json",
            "",
        )
    )


def _models_script(kinds: Sequence[str], library: CellLibrary, stem: str) -> str:
    reads = [f"read_liberty -ignore_miss_func {path.name}" for path in library.files]
    chosen = " ".join(kinds)
    return "\n".join((*reads, f"write_verilog -noattr -selected {stem}.cells.v")).replace(
        "write_verilog", f"select {chosen}\nproc\nwrite_verilog"
    )


def _first_output(cell: Mapping[str, object]) -> int | str | None:
    directions, connections = cell["port_directions"], cell["connections"]
    assert isinstance(directions, dict) and isinstance(connections, dict)
    for pin, direction in directions.items():
        if direction == "output" and connections[pin]:
            bit: int | str = connections[pin][0]
            return bit
    return None


def _read_netlist(text: str, memories: Sequence[str], models: str) -> dict[str, Cell]:
    module = json.loads(text)["modules"][TOP]
    nets = {
        bit: (name, at)
        for name, net in module["netnames"].items()
        for at, bit in enumerate(net["bits"])
    }
    sequential = set(
        re.findall(r"^module (\S+?) ?\((?:(?!^endmodule).)*always", models, re.M | re.S)
    )
    cells = {}
    for name, cell in module["cells"].items():
        if cell["type"] not in memories:
            bit = _first_output(cell)
            net = None if bit is None else nets.get(bit)
            cells[name] = Cell(cell["type"], net, cell["type"] in sequential)
    return cells


def map_block(
    design: Mapping[str, Module], name: str, memories: Sequence[str], library: CellLibrary
) -> Mapped:
    """Map module ``name``, flattened but for ``memories``, which stay outside.

    Files are written beside those of the library.

    Raises:
        UserError: no such module, no Yosys, Yosys refuses, or a cell was left unmapped.
    """
    folder = library.files[0].parent
    stem = name.replace("$", "_")
    module = design.get(name)
    if module is None:
        raise UserError(f"block: the design has no module {name!r}; generate it again")
    (folder / f"{stem}.design.v").write_text(text_of(design, [name]))
    (folder / "script.ys").write_text(_script(module, memories, library, stem))
    log = run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], folder)
    stat = json.loads((folder / f"{stem}.stat.json").read_text())["design"]
    kinds = sorted(kind for kind in stat["num_cells_by_type"] if kind not in memories)
    unmapped = [kind for kind in kinds if kind.startswith("$")]
    if unmapped:
        raise UserError(f"liberty: {library.name} has no cell for {unmapped[0]}; use another")
    (folder / "script.ys").write_text(_models_script(kinds, library, stem))
    run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], folder)
    models = folder / f"{stem}.cells.v"
    cells = _read_netlist((folder / f"{stem}.json").read_text(), memories, models.read_text())
    outside = folder / f"{stem}.memories.v"
    outside.write_text(text_of(design, memories))
    return Mapped(
        module.ports,
        cells,
        float(stat["area"]),
        folder / f"{stem}.v",
        models,
        outside,
        _version(log),
    )


def _version(log: str) -> str:
    line = next((one for one in log.splitlines() if one.strip().startswith("Yosys ")), "Yosys")
    return line.strip().split(" (")[0]
