# SPDX-License-Identifier: Apache-2.0
"""The whole comparison: record a co-simulation, then measure every block on every library."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.energy import TechnologyTable
from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape
from scaledrop_cosim.contract import Workload
from scaledrop_flow.netlist.blocks import BLOCKS, Block
from scaledrop_flow.netlist.compare import (
    Line,
    Measured,
    controller,
    lines,
    measure,
    register_bit,
)
from scaledrop_flow.netlist.design import Module, modules
from scaledrop_flow.netlist.libraries import CellLibrary, open_library
from scaledrop_flow.netlist.record import Recording, record
from scaledrop_flow.steps.generate import Generated, generate

__all__ = ["Traffic", "choose", "compare", "traffic"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Traffic:
    """An accelerator with the traffic of its blocks."""

    generated: Generated
    design: Mapping[str, Module]
    recording: Recording


def choose(names: Sequence[str]) -> tuple[Block, ...]:
    """Blocks by name; all if none is named.

    Raises:
        UserError: a name is not known.
    """
    known = {block.name: block for block in BLOCKS}
    for name in names:
        if name not in known:
            raise UserError(f"block: {name!r} is not known; choose of {', '.join(known)}")
    return tuple(known[name] for name in names) or BLOCKS


def traffic(
    workload: Workload, array: ArrayShape, chosen: Sequence[Block], folder: Path, progress: Progress
) -> dict[str, Traffic]:
    """Datapath to the accelerator and its recording, as far as ``chosen`` needs them.

    Raises:
        UserError: the network has no such block on this array, or a tool is missing or failed.
    """
    found = {}
    for datapath in dict.fromkeys(block.datapath for block in chosen):
        progress(f"{datapath} datapath: generate, build and record {len(workload.images)} images")
        at = folder / datapath
        made = generate(workload.network, array, at / "rtl", datapath=datapath)
        design = modules(made.verilog.read_text())
        here = (block.modules for block in chosen if block.datapath == datapath)
        names = list(dict.fromkeys(name for of in here for name in of))
        missing = [name for name in names if name not in design]
        if missing:
            raise UserError(f"config: this network has no {missing[0]}; take lenet5-mnist")
        recording = record(made, workload, [design[name] for name in names], at / "run")
        found[datapath] = Traffic(made, design, recording)
    return found


def compare(
    workload: Workload,
    libraries: Mapping[str, Sequence[Path]],
    table: TechnologyTable,
    progress: Progress,
    chosen: Sequence[Block] = BLOCKS,
    array: ArrayShape | None = None,
    node_nm: float | None = None,
) -> dict[str, tuple[CellLibrary, list[Line]]]:
    """Name of a library to what was found on it.

    Raises:
        UserError: a library cannot be read, a tool is missing or failed, a netlist computes
            something else than the RTL, or the table cannot be brought to the library's node.
    """
    found = {}
    with tempfile.TemporaryDirectory(prefix="scaledrop-") as scratch:
        folder = Path(scratch)
        opened = {
            name: open_library(files, folder / name / "cells", node_nm)
            for name, files in libraries.items()
        }
        shape = array or ArrayShape()
        recorded = traffic(workload, shape, chosen, folder, progress)
        for name, library in opened.items():
            measured: list[Measured] = []
            told: list[Line] = []
            for block in chosen:
                progress(f"{name}: {block.name}")
                of = recorded[block.datapath]
                one = measure(block, of.design, of.recording, library, folder / "replay")
                measured.append(one)
                told += lines(one, library, of.recording, of.generated.mapping, table)
            found[name] = (library, [*told, *_together(measured, told, library, table)])
    return found


def _together(
    measured: Sequence[Measured], told: Sequence[Line], library: CellLibrary, table: TechnologyTable
) -> list[Line]:
    both = controller(told), register_bit(measured, told, library, table)
    return [line for line in both if line is not None]
