# SPDX-License-Identifier: Apache-2.0
"""A block on cells: Yosys maps it; the netlist with plain names, and its gates."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop_flow.netlist.design import Module, Port, text_of
from scaledrop_flow.netlist.gates import GateNetlist, read_gates
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.synthesis.tools import run_tool

__all__ = [
    "TOP",
    "Cell",
    "Mapped",
    "clocked_cells",
    "cut_name",
    "first_output",
    "gates_of",
    "map_block",
    "port_name",
    "yosys_version",
]

TOP = "block"
CONTROLS = ("clk", "rst")

_INSIDE = re.compile(r"\b(g\d+)\.")


@dataclass(frozen=True)
class Cell:
    """One cell of the netlist.

    Attributes:
        kind: Cell of the library.
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
        ports: Of the module and those in the place of its memories; in the netlist their names are
            those of :func:`port_name`.
        cells: Name to cell.
        area_um2: Sum of the cells' areas.
        netlist: Verilog of the cells.
        gates: The same as simple gates, for its simulation.
        tool: Name and version of Yosys.
    """

    ports: tuple[Port, ...]
    cells: Mapping[str, Cell]
    area_um2: float
    netlist: Path
    gates: GateNetlist
    tool: str

    @property
    def flipflops(self) -> int:
        return sum(cell.sequential for cell in self.cells.values())


def port_name(index: int, port: Port) -> str:
    """Name of a port in the netlist: clock and reset keep theirs."""
    return port.name if port.name in CONTROLS else f"p{index}"


def cut_name(memory: str, port: str) -> str:
    """Name of the port that a block gets for ``port`` of a memory; Yosys gives it."""
    return f"\\{memory.rpartition('.')[2]}.{port.removeprefix(chr(92))}"


def _cut(memory: Module) -> list[Port]:
    """Ports that a block gets in the place of a memory: what it reads, and how it asks."""
    return [
        Port(cut_name(memory.name, port.name), not port.is_input, port.width)
        for port in memory.ports
        if port.name not in CONTROLS
    ]


def _script(
    module: Module, ports: Sequence[Port], memories: Sequence[str], library: CellLibrary, stem: str
) -> str:
    files = " ".join(f"-liberty {path.name}" for path in library.files)
    instances = [name.rpartition(".")[2] for name in memories]
    names = [
        f"rename {port.name} {port_name(at, port)}"
        for at, port in enumerate(ports)
        if port.name not in CONTROLS
    ]
    return "\n".join(
        (
            f"read_verilog {stem}.design.v",
            *(f"blackbox {name}" for name in memories),
            f"hierarchy -check -top {module.name}",
            f"rename {module.name} {TOP}",
            f"synth -flatten -top {TOP}",
            # What a memory gives becomes an input, or else its nets would have no clock.
            *(f"expose -evert {TOP}/t:{name}" for name in memories),
            f"cd {TOP}",
            *(f"delete -output {one}.{pin}" for one in instances for pin in CONTROLS),
            *names,
            "cd",
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


def gates_of(library: CellLibrary, stem: str) -> GateNetlist:
    """The gates of ``<stem>.v`` beside the library: the functions of its cells in their places.

    Raises:
        UserError: no Yosys, or Yosys refuses; a latch, a falling edge or a loop of gates.
    """
    folder = library.files[0].parent
    (folder / "script.ys").write_text(_gates_script(library, stem))
    run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], folder)
    return read_gates((folder / f"{stem}.gates.json").read_text(), TOP)


def _gates_script(library: CellLibrary, stem: str) -> str:
    """Put the functions of the cells in their places."""
    return "\n".join(
        (
            f"read_verilog {stem}.v",
            *(f"read_liberty -ignore_miss_func {path.name}" for path in library.files),
            f"flatten -noscopeinfo {TOP}",
            # A reset that is tied off goes away.
            f"opt_expr {TOP}",
            f"opt_dff -nodffe -nosdff {TOP}",
            f"select {TOP}",
            f"write_json -selected {stem}.gates.json",
            "",
        )
    )


def first_output(cell: Mapping[str, object]) -> int | str | None:
    """Net of the first output of a cell of Yosys' JSON that drives one."""
    directions, connections = cell["port_directions"], cell["connections"]
    assert isinstance(directions, dict) and isinstance(connections, dict)
    for pin, direction in directions.items():
        if direction == "output" and connections[pin]:
            bit: int | str = connections[pin][0]
            return bit
    return None


def clocked_cells(gates: GateNetlist) -> set[str]:
    """Names of the cells that hold a bit."""
    inside = (_INSIDE.search(name) for name in gates.register_names)
    return {found[1] for found in inside if found}


def _read_cells(text: str, gates: GateNetlist) -> dict[str, Cell]:
    module = json.loads(text)["modules"][TOP]
    nets = {
        bit: (name, at)
        for name, net in module["netnames"].items()
        for at, bit in enumerate(net["bits"])
    }
    clocked = clocked_cells(gates)
    cells = {}
    for name, cell in module["cells"].items():
        bit = first_output(cell)
        net = None if bit is None else nets.get(bit)
        cells[name] = Cell(cell["type"], net, name in clocked)
    return cells


def map_block(
    design: Mapping[str, Module], name: str, memories: Sequence[str], library: CellLibrary
) -> Mapped:
    """Map module ``name``, flattened but for ``memories``, whose ports become ports of it.

    Files are written beside those of the library.

    Raises:
        UserError: no such module, no Yosys, Yosys refuses, or a cell was left unmapped.
    """
    folder = library.files[0].parent
    stem = name.replace("$", "_")
    (folder / f"{stem}.design.v").write_text(text_of(design, [name]))
    module = design[name]
    ports = [*module.ports, *(port for one in memories for port in _cut(design[one]))]
    (folder / "script.ys").write_text(_script(module, ports, memories, library, stem))
    log = run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], folder)
    stat = json.loads((folder / f"{stem}.stat.json").read_text())["design"]
    unmapped = [kind for kind in stat["num_cells_by_type"] if kind.startswith("$")]
    if unmapped:
        raise UserError(f"liberty: {library.name} has no cell for {unmapped[0]}; use another")
    gates = gates_of(library, stem)
    cells = _read_cells((folder / f"{stem}.json").read_text(), gates)
    area, netlist = float(stat["area"]), folder / f"{stem}.v"
    return Mapped(tuple(ports), cells, area, netlist, gates, yosys_version(log))


def yosys_version(log: str) -> str:
    """Name and version of Yosys, by the head of its log."""
    line = next((one for one in log.splitlines() if one.strip().startswith("Yosys ")), "Yosys")
    return line.strip().split(" (")[0]
