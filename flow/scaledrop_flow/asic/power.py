# SPDX-License-Identifier: Apache-2.0
"""Step power: the traffic of a co-simulation through the mapped gates, by Liberty tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scaledrop.errors import UserError
from scaledrop_cosim.contract import Workload
from scaledrop_flow.asic.area import BlockRow
from scaledrop_flow.asic.choices import TOP, AsicChoices
from scaledrop_flow.asic.design import mapping_of, pipeline_of
from scaledrop_flow.asic.flat import Flat, cut_boxes
from scaledrop_flow.asic.folder import Folder
from scaledrop_flow.liberty.power import CellPrice
from scaledrop_flow.netlist.activity import Activity, Bits, read_ports, replay
from scaledrop_flow.netlist.design import Module, Port
from scaledrop_flow.netlist.power import energy
from scaledrop_flow.netlist.record import record
from scaledrop_flow.steps.generate import Generated

__all__ = ["Power", "block_power", "played", "whole_verilog"]


@dataclass(frozen=True)
class Power:
    """Average power of the mapped cells over a recording.

    Attributes:
        images, cycles: Of the recording.
        signals: Outputs of the netlist and inputs of its black boxes, in bits, of which each was
            the RTL's at every edge.
        logic_j, registers_j, clock_j: Joules of it: gates, registers' changes, clock pins.
        leakage_w: Watts that leak.
        clock_ns: Period at which watts are told.
    """

    images: int
    cycles: int
    signals: int
    logic_j: float
    registers_j: float
    clock_j: float
    leakage_w: float
    clock_ns: float

    @property
    def dynamic_w(self) -> float:
        total = self.logic_j + self.registers_j + self.clock_j
        return total / (self.cycles * self.clock_ns * 1e-9)

    @property
    def total_w(self) -> float:
        return self.dynamic_w + self.leakage_w


def whole_verilog(folder: Folder, first: Path, to: Path) -> Path:
    """One file to simulate: ``first``, the bodies of the black boxes; the sidecar beside it."""
    bodies = [
        folder.behavioural / f"{box['module']}.v" for box in json.loads(folder.boxes.read_text())
    ]
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text("\n".join(path.read_text() for path in (first, *bodies)))
    to.with_suffix(".json").write_text(folder.sidecar.read_text())
    return to


def _recorded(
    workload: Workload,
    choices: AsicChoices,
    folder: Folder,
    cache: Path,
    chosen: Sequence[Module],
) -> Path:
    """Folder with the traffic of ``chosen``: kept in ``cache``, as every library sees the same."""
    whole = whole_verilog(folder, folder.rtl, folder.work / "record" / "scaledrop.v")
    key = hashlib.sha256(whole.read_bytes())
    key.update(np.ascontiguousarray(workload.images).tobytes())
    key.update(repr((workload.passes, workload.seed, workload.inference)).encode())
    kept = cache.resolve() / f"asic-{key.hexdigest()[:20]}"
    if (kept / "done").exists():
        return kept
    mapping, timing = mapping_of(workload.network, choices), pipeline_of(folder)
    made = Generated(whole, whole.with_suffix(".json"), mapping, timing)
    record(made, workload, chosen, kept)
    (kept / "done").touch()
    return kept


def played(
    flat: Flat, workload: Workload, choices: AsicChoices, folder: Folder, cache: Path
) -> Activity:
    """What the co-simulation's traffic does to the nets.

    Every output of the netlist, and every input of its black boxes, is held against the RTL's at
    every edge from the 17th on.

    Raises:
        UserError: a tool is missing or failed, or an output of the netlist is not the RTL's.
    """
    own = json.loads(folder.sidecar.read_text())["ports"]
    top = tuple(Port(one["name"], one["direction"] == "in", one["width"]) for one in own)
    boxes = cut_boxes(folder)
    chosen = [
        Module(TOP, "", top, ()),
        *(Module(f"{TOP}.{one.path}", "", one.ports, ()) for one in boxes),
    ]
    kept = _recorded(workload, choices, folder, cache, chosen)
    recorded: dict[str, Bits] = read_ports(kept / f"{TOP}.hex", top)
    for box in boxes:
        found = read_ports(kept / f"{TOP}.{box.path}.hex", box.ports)
        recorded |= {f"{box.path}.{port}": bits for port, bits in found.items()}
    activity = replay(flat.mapped, recorded, folder.work / "replay")
    if activity.mismatches:
        raise UserError(
            f"netlist: its outputs differ from the RTL's in {activity.mismatches} of "
            f"{activity.cycles} cycles; no power is told of a wrong netlist"
        )
    return activity


def block_power(
    flat: Flat,
    prices: Mapping[str, CellPrice],
    activity: Activity,
    rows: Sequence[BlockRow],
    images: int,
    clock_ns: float,
) -> tuple[Power, list[BlockRow]]:
    """Power as a whole, and the rows with each block's."""
    whole = energy(flat.mapped, prices, activity)
    power = Power(
        images,
        activity.cycles,
        sum(port.width for port in flat.mapped.ports if not port.is_input),
        whole.logic,
        whole.registers,
        whole.clock,
        whole.leakage_w,
        clock_ns,
    )
    seconds, priced = activity.cycles * clock_ns * 1e-9, []
    for row in rows:
        own = {n: c for n, c in flat.mapped.cells.items() if flat.blocks[n] == row.block}
        one = energy(replace(flat.mapped, cells=own), prices, activity)
        watts = one.total / seconds + one.leakage_w
        priced.append(replace(row, power_w=watts, leakage_w=one.leakage_w))
    return power, priced
