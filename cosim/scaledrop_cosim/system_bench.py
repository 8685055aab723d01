# SPDX-License-Identifier: Apache-2.0
"""Testbench of a system: the cocotb test that gives a workload to the driver on the buses."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cocotb
from cocotb.task import bridge

from scaledrop.driver import description_of
from scaledrop_cosim.axi.frames import run_device
from scaledrop_cosim.axi.world import SystemWorld
from scaledrop_cosim.run import BenchRun

RUN_VARIABLE = "SCALEDROP_RUN"
LIMIT_VARIABLE = "SCALEDROP_LIMIT"
OUTPUT = "device.json"


@cocotb.test()
async def workload_through_the_driver(dut: Any) -> None:
    """Writes what the device gave; it is compared outside."""
    folder = Path(os.environ[RUN_VARIABLE])
    run = BenchRun.load(folder)
    idle, stall = run.disturbance.idle / 256, run.disturbance.stall / 256
    world = SystemWorld(
        dut,
        description_of(run.sidecar),
        (max(idle, stall), idle, stall),
        run.workload.seed,
        int(os.environ[LIMIT_VARIABLE]),
    )
    await world.start()
    found = await bridge(run_device)(world.device, run.workload)
    world.finish()
    found = replace(found, device_writes=world.writes)
    (folder / OUTPUT).write_text(json.dumps(found.as_json()))
