# SPDX-License-Identifier: Apache-2.0
"""Activity of a mapped block: its netlist runs the recorded traffic, and its nets are counted."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop_cosim.toolchain import compiler
from scaledrop_flow.netlist.design import Port
from scaledrop_flow.netlist.gates import GateNetlist
from scaledrop_flow.netlist.mapping import Mapped, port_name

__all__ = ["Activity", "build_simulator", "read_ports", "replay", "simulate"]

SOURCE = Path(str(files("scaledrop_flow") / "netlist" / "gates.cpp"))
SETTLE = 16
"""Edges, the seven of the reset among them, in which outputs are not compared yet."""

PAYLOAD = "__payload"

Bits = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Activity:
    """How often the nets of a mapped block changed.

    Attributes:
        cycles: Clock cycles.
        toggles: (net, bit) to its changes; at most one a cycle, as every gate is without delay.
        mismatches: Edges at which an output of the netlist was not that of the RTL.
    """

    cycles: int
    toggles: Mapping[tuple[str, int], int]
    mismatches: int


def build_simulator(folder: Path) -> Path:
    """Compile the simulator of gates into ``folder``, if it is not there.

    Raises:
        UserError: the compiler is missing or fails.
    """
    program = folder / "gates"
    if program.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    command = [compiler(), "-O2", "-std=c++17", "-o", str(program), str(SOURCE)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(f"{compiler()} is missing: install a C++ compiler, or set CXX") from None
    if result.returncode:
        raise UserError(f"{compiler()} failed: {' '.join(result.stderr.split())[:300]}")
    return program


def read_ports(path: Path, ports: Sequence[Port]) -> dict[str, Bits]:
    """A recording: name of a port to its bits, (cycles, width), the lowest bit first.

    Args:
        path: Lines of hexadecimal digits: all ports but the clock, the first in the highest bits.

    Raises:
        UserError: the lines have another length.
    """
    recorded = [port for port in ports if port.name != "clk"]
    width = sum(port.width for port in recorded)
    digits = -(-width // 4)
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    if len(data) % (digits + 1):
        raise UserError(f"recording: {path} has not {digits} digits a line; record again")
    text = data.reshape(-1, digits + 1)[:, :digits]
    nibbles = np.where(text < ord("a"), text - ord("0"), text - (ord("a") - 10)).astype(np.uint8)
    bits = np.unpackbits(nibbles[:, :, None], axis=2)[:, :, 4:].reshape(len(text), -1)
    at, found = 4 * digits, {}
    for port in reversed(recorded):
        found[port.name] = bits[:, at - port.width : at][:, ::-1]
        at -= port.width
    return found


def simulate(
    netlist: GateNetlist,
    inputs: Mapping[int, Bits],
    outputs: Sequence[int],
    folder: Path,
) -> tuple[Bits, npt.NDArray[np.int64]]:
    """Run a netlist from registers at 0.

    Args:
        inputs: Net to its value in each cycle.
        outputs: Nets that are watched.

    Returns:
        (cycles, outputs) values before each clock edge; changes of each net over the run.

    Raises:
        UserError: no compiler, or the simulator fails.
    """
    program = build_simulator(folder)
    stimulus = np.stack(list(inputs.values()), axis=1)
    sizes = (
        netlist.size,
        len(netlist.gates),
        netlist.registers.shape[1],
        len(inputs),
        len(outputs),
        len(stimulus),
    )
    parts = (sizes, netlist.gates, netlist.registers, list(inputs), outputs)
    compiled = b"".join(np.asarray(part, dtype="<i4").tobytes() for part in parts)
    names = ("program", "stimulus", "outputs", "toggles")
    paths = [folder / f"{name}.bin" for name in names]
    paths[0].write_bytes(compiled)
    paths[1].write_bytes(np.ascontiguousarray(stimulus).tobytes())
    result = subprocess.run([str(program), *map(str, paths)], check=False)
    if result.returncode:
        raise UserError(f"gates: the simulator ended with status {result.returncode} in {folder}")
    told = np.fromfile(paths[2], dtype=np.uint8).reshape(len(stimulus), -1)
    return told, np.fromfile(paths[3], dtype="<i8")


def _looked_at(name: str, recorded: Mapping[str, Bits]) -> npt.NDArray[np.bool_]:
    """(cycles, 1): where an output counts; a stream's payload does while its valid is high."""
    valid = recorded.get(name.replace(PAYLOAD, "__valid")) if name.endswith(PAYLOAD) else None
    return np.ones((1, 1), dtype=bool) if valid is None else valid[:, :1] == 1


def replay(mapped: Mapped, recorded: Mapping[str, Bits], folder: Path) -> Activity:
    """Play what a block saw to its netlist, hold its outputs against it, count changes.

    Args:
        recorded: Name of a port to its bits.

    Raises:
        UserError: no compiler, or the simulator fails.
    """
    inputs: dict[int, Bits] = {}
    outputs: list[int] = []
    wanted, counts = [], []
    for at, port in enumerate(mapped.ports):
        if port.name == "clk":
            continue
        nets, bits = mapped.gates.bits(port_name(at, port), port.width), recorded[port.name]
        if port.is_input:
            inputs |= dict(zip(nets, bits.T, strict=True))
        else:
            outputs += nets
            wanted.append(bits)
            counts.append(np.broadcast_to(_looked_at(port.name, recorded), bits.shape))
    told, toggles = simulate(mapped.gates, inputs, outputs, folder)
    wrong = (told != np.concatenate(wanted, axis=1)) & np.concatenate(counts, axis=1)
    differing = wrong.any(axis=1)
    counted = {net: int(toggles[at]) for net, at in mapped.gates.nets.items()}
    return Activity(len(told), counted, int(differing[SETTLE:].sum()))
