# SPDX-License-Identifier: Apache-2.0
"""The steps in order: generate, map, flatten, time, play, price, verify, hand off."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop_cosim.contract import Workload
from scaledrop_flow.asic.area import area_rows
from scaledrop_flow.asic.buffers import MOST
from scaledrop_flow.asic.choices import AsicChoices
from scaledrop_flow.asic.design import design_files, write_design
from scaledrop_flow.asic.flat import Flat, flatten
from scaledrop_flow.asic.folder import Folder
from scaledrop_flow.asic.handoff import write_handoff
from scaledrop_flow.asic.library import open_cells
from scaledrop_flow.asic.power import block_power, played
from scaledrop_flow.asic.result import AsicResult, save_result
from scaledrop_flow.asic.steps import Steps
from scaledrop_flow.asic.synthesis import ABC, avoided, map_design, map_files
from scaledrop_flow.asic.timing import Timing, worst_path
from scaledrop_flow.asic.verify import verify_netlist
from scaledrop_flow.liberty.analyse import Analysis, analyse
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.sta import has_sta, sta_path
from scaledrop_flow.synthesis.tools import tool_version

__all__ = ["run_asic"]


def _mapped(
    steps: Steps, network: FrozenNetwork, choices: AsicChoices, library: CellLibrary
) -> None:
    """Steps generate and map, kept where nothing changed."""
    folder = steps.folder
    steps.run(
        "generate",
        {"network": digest(network), "choices": asdict(choices), "library": library.name},
        [],
        lambda: design_files(folder),
        lambda: write_design(network, choices, folder),
    )
    steps.run(
        "map",
        {
            "avoid": avoided(library, choices),
            "clock": choices.clock_ns,
            "script": (ABC, MOST),
            "by": tool_version("yosys"),
        },
        [folder.rtl, folder.boxes, folder.work / "modules.json", *library.files],
        lambda: map_files(folder),
        lambda: map_design(folder, library, choices),
    )


def _timed(steps: Steps, flat: Flat, told: Analysis, clock_ns: float) -> Timing:
    """By OpenSTA where it is installed."""
    if not has_sta():
        return worst_path(flat, told.path_s, told.path, told.tool, clock_ns)
    folder = steps.folder.work / "sta"
    found = sta_path(flat.mapped.netlist, flat.library, folder, clock_ns * 1e-9)
    return worst_path(flat, found.path_s, found.path, found.tool, clock_ns)


def _priced(
    result: AsicResult,
    flat: Flat,
    told: Analysis,
    workload: Workload | None,
    cache: Path,
    steps: Steps,
) -> None:
    """Step power, if images were asked for."""
    choices, folder = result.choices, steps.folder
    if workload is None:
        result.skips.append("power: no images were asked for; give --images")
        return
    steps.progress(f"power: {len(workload.images)} images ...")
    activity = played(flat, workload, choices, folder, cache)
    result.power, result.rows = block_power(
        flat, told.prices, activity, result.rows, len(workload.images), choices.clock_ns
    )


def _verified(
    result: AsicResult, workload: Workload, folder: Folder, cache: Path, steps: Steps
) -> None:
    steps.progress(f"verify: {len(workload.images)} images on the netlist ...")
    report = verify_netlist(folder, workload, result.choices, cache)
    result.verified = {
        "images": len(workload.images),
        "passes": workload.passes,
        "compared": report.total_checked,
        "mismatches": report.total_mismatches,
        "first": report.first,
        "not_compared": report.skipped,
        "cells_by": "the functions of the Liberty files",
    }


def run_asic(
    network: FrozenNetwork,
    files: Sequence[Path],
    choices: AsicChoices,
    root: Path,
    cache: Path,
    progress: Callable[[str], None],
    recorded: Workload | None = None,
    verified: Workload | None = None,
) -> AsicResult:
    """Map, time and price ``network`` on the library of ``files``; leave the hand-off in ``root``.

    Args:
        cache: Keeps built simulations.
        recorded: Images whose traffic the power is told for.
        verified: Images that the mapped netlist is held against the model with.

    Raises:
        UserError: a size is impossible, a tool is missing or failed, or the library lacks a cell.
    """
    folder = Folder(root.resolve())
    folder.result.unlink(missing_ok=True)
    library = open_cells(files, folder.work / "cells")
    steps = Steps(folder, progress)
    _mapped(steps, network, choices, library)
    progress("area ...")
    flat = flatten(folder, library)
    told = json.loads((folder.work / "map.json").read_text())
    progress("time ...")
    analysis = analyse(flat.mapped.netlist, flat.library.files)
    result = AsicResult(
        network=network,
        choices=choices,
        library=library,
        yosys=told["tool"],
        rows=area_rows(flat, library.files),
        timing=_timed(steps, flat, analysis, choices.clock_ns),
        boxes=json.loads(folder.boxes.read_text()),
    )
    _priced(result, flat, analysis, recorded, cache, steps)
    if verified is not None:
        _verified(result, verified, folder, cache, steps)
    write_handoff(folder, library, choices)
    save_result(result, folder, files)
    return result
