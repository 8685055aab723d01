# SPDX-License-Identifier: Apache-2.0
"""Step verify: the co-simulation's own test body on the mapped netlist, bit for bit."""

from __future__ import annotations

from pathlib import Path

from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.checker import CheckReport
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.simulation import build
from scaledrop_flow.asic.choices import AsicChoices
from scaledrop_flow.asic.design import mapping_of, pipeline_of
from scaledrop_flow.asic.folder import Folder
from scaledrop_flow.asic.power import whole_verilog

__all__ = ["verify_netlist"]


def verify_netlist(
    folder: Folder, workload: Workload, choices: AsicChoices, cache: Path
) -> CheckReport:
    """Run ``workload`` on the netlist, its cells by their Liberty functions.

    Raises:
        UserError: a tool is missing or failed.
    """
    verilog = whole_verilog(folder, folder.netlist, folder.work / "verify" / "scaledrop.v")
    mapping, timing = mapping_of(workload.network, choices), pipeline_of(folder)
    simulation = build(verilog, cache, cells=[folder.work / "cells.v"])
    backend = RtlBackend(
        simulation,
        mapping,
        timing,
        folder.work / "verify" / "run",
    )
    return backend.verify(workload)
