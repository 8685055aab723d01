# SPDX-License-Identifier: Apache-2.0
"""Everything that a run found out, and its files: result.json and the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scaledrop.atomic import write_atomically
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop_flow.asic.area import BlockRow
from scaledrop_flow.asic.choices import TOP, AsicChoices
from scaledrop_flow.asic.folder import Folder, sha256
from scaledrop_flow.asic.power import Power
from scaledrop_flow.asic.timing import Timing
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_hw.export import as_text

__all__ = ["AsicResult", "advice", "block_table", "save_result"]


@dataclass
class AsicResult:
    """What a run found out.

    Attributes:
        power: None where a tool for it is missing; ``skips`` says which.
        verified: Images and compared values of the netlist's co-simulation, and mismatches.
        skips: What was not done, and why.
    """

    network: FrozenNetwork
    choices: AsicChoices
    library: CellLibrary
    yosys: str
    rows: list[BlockRow]
    timing: Timing
    boxes: list[dict[str, Any]]
    power: Power | None = None
    verified: dict[str, Any] | None = None
    skips: list[str] = field(default_factory=list)

    @property
    def cells(self) -> int:
        return sum(row.cells for row in self.rows)

    @property
    def flipflops(self) -> int:
        return sum(row.flipflops for row in self.rows)

    @property
    def area_um2(self) -> float:
        return sum(row.area_um2 for row in self.rows)

    @property
    def ok(self) -> bool:
        return self.timing.met is not False and (
            self.verified is None or self.verified["mismatches"] == 0
        )


def advice(timing: Timing) -> str | None:
    """By how much the clock is missed and what to change; None where it is met."""
    if timing.met is not False:
        return None
    path, slack = timing.path_ns, timing.slack_ns
    assert path is not None and slack is not None
    return (
        f"clock_ns: the worst path takes {path:.2f} ns, {-slack:.2f} ns more than "
        f"{timing.clock_ns:g}; ask for --clock-ns {path + 0.01:.2f}, or take fewer --lanes or "
        "--datapath folded"
    )


def block_table(rows: Sequence[BlockRow]) -> str:
    """Area and power by block as text."""
    lines = [f"{'block':<36}{'cells':>9}{'flip-flops':>12}{'um2':>14}{'share':>8}{'power':>12}"]
    for row in rows:
        power = "" if row.power_w is None else f"{1e3 * row.power_w:.4g} mW"
        lines.append(
            f"{row.block or TOP:<36}{row.cells:>9,}{row.flipflops:>12,}{row.area_um2:>14,.1f}"
            f"{row.share:>8.1%}{power:>12}"
        )
    return "\n".join(lines) + "\n"


def _values(result: AsicResult, folder: Folder, liberty: Sequence[Path]) -> dict[str, Any]:
    power = result.power
    return {
        "module": TOP,
        "network": result.network.name,
        "model_sha256": digest(result.network),
        "library": {
            "name": result.library.name,
            "supply_v": result.library.supply_v,
            "files": {path.name: sha256(path) for path in liberty},
        },
        "choices": asdict(result.choices),
        "tools": {"yosys": result.yosys, "timing": result.timing.tool},
        "area": {
            "um2": round(result.area_um2, 4),
            "cells": result.cells,
            "flipflops": result.flipflops,
            "blocks": [row.values() for row in result.rows],
        },
        "timing": result.timing.values(),
        "power": power
        and {
            **asdict(power),
            "dynamic_w": power.dynamic_w,
            "total_w": power.total_w,
            "without": [box["module"] for box in result.boxes],
        },
        "black_boxes": [
            {name: box[name] for name in ("module", "kind", "words", "bits", "instances")}
            for box in result.boxes
        ],
        "verified": result.verified,
        "skipped": result.skips,
        "ok": result.ok,
        "sha256": {str(path.relative_to(folder.root)): sha256(path) for path in folder.handed()},
    }


def save_result(result: AsicResult, folder: Folder, liberty: Sequence[Path]) -> dict[str, Any]:
    """Write the reports, then ``result.json``, with the same bytes for the same run.

    Raises:
        UserError: the folder cannot be written.
    """
    write_atomically(folder.reports / "blocks.txt", block_table(result.rows).encode())
    timing = result.timing
    text = f"{timing.tool}: {timing.note}\n\n{timing.report}\n"
    write_atomically(folder.reports / "timing.txt", text.encode())
    values = _values(result, folder, liberty)
    write_atomically(folder.result, as_text(values).encode())
    return values
