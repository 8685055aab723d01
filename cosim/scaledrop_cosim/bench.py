# SPDX-License-Identifier: Apache-2.0
"""Testbench: the cocotb test that runs inside the simulator.

Python acts when the run starts, once per finished image, and when it ends; in between, the shell
drives and captures. The monitor's masks feed the model, and the checker compares everything.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import First, RisingEdge, Timer, ValueChange

from scaledrop_cosim.capture import CaptureError, read_capture
from scaledrop_cosim.checker import CheckReport, check, failed
from scaledrop_cosim.monitor import observe
from scaledrop_cosim.run import BenchRun
from scaledrop_cosim.simulation import subject_of

RUN_VARIABLE = "SCALEDROP_RUN"


async def _until_done(dut: Any) -> float:
    """Let it run; returns the seconds that it took."""
    done = RisingEdge(dut.done)
    await Timer(1, "ns")
    start = time.perf_counter()
    dut.go.value = 1
    while not dut.done.value:
        await First(done, ValueChange(dut.images_done))
        print(f"@images {int(dut.images_done.value)}", flush=True)
    return time.perf_counter() - start


def _judge(run: BenchRun, folder: Path) -> CheckReport:
    workload, mapping = run.workload, run.mapping
    name = subject_of(run.sidecar)
    try:
        observation = observe(read_capture(folder, run.sidecar), workload, mapping)
    except CaptureError as error:
        return failed(name, str(error))
    timing = run.timing if run.disturbance.quiet else None
    return check(name, workload, observation, mapping, timing, run.folded)


@cocotb.test()
async def rtl_equals_golden_model(dut: Any) -> None:
    """Every mask bit, hidden bit, logit, sum, vote and counter equals the frozen model's."""
    folder = Path(os.environ[RUN_VARIABLE])
    run = BenchRun.load(folder)
    seconds = await _until_done(dut)
    (folder / "seconds.txt").write_text(f"{seconds}\n")
    report = _judge(run, folder)
    (folder / "check.json").write_text(json.dumps(report.as_json()))
    assert report.ok, str(report)
