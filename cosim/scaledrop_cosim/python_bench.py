# SPDX-License-Identifier: Apache-2.0
"""The bench that one writes first: Python drives every input and samples every output each cycle.

It exists to be compared with: :mod:`scaledrop_cosim.bench` does the same work without Python in
the cycle. It infers one image after another for so many cycles and checks nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge

from scaledrop_cosim.run import BenchRun

RUN_VARIABLE = "SCALEDROP_RUN"
CYCLES = 20_000
TRACES = ("visit", "drawn", "hidden", "logit")


class _SpinUnit:
    """An ideal device: one word per write pulse."""

    def __init__(self, dut: Any, words: np.ndarray[Any, Any]) -> None:
        self.dut, self.words = dut, iter(words.tolist() * 1000)
        self.state = self.writing = 0

    def cycle(self) -> None:
        if self.dut.spin__reset.value:
            self.state = 0
        writing = int(self.dut.spin__write.value)
        if writing and not self.writing:
            self.state |= next(self.words) < int(self.dut.spin__drive.value)
        self.writing = writing


def _set_up(dut: Any, run: BenchRun) -> None:
    for name in ("record_enable", "host__valid", "inject", "abort", "clear", "stop_enable"):
        getattr(dut, name).value = 0
    for name in ("mode", "cutoff", "min_votes", "min_margin", "monitor_select"):
        getattr(dut, name).value = 0
    dut.drive_codes.value = sum(code << 16 * at for at, code in enumerate(run.workload.codes))
    dut.passes.value = run.workload.passes
    dut.counter_select.value = 0
    dut.results__ready.value = dut.records__ready.value = 1
    dut.pixels__valid.value = 1
    dut.rst.value = 1


@cocotb.test()
async def every_cycle_from_python(dut: Any) -> None:
    """Cycles per second of this bench, into ``python_cycles_per_s.txt``."""
    folder = Path(os.environ[RUN_VARIABLE])
    run = BenchRun.load(folder)
    bits = run.workload.network.input_bits
    images = run.workload.images
    pixels = [
        int(value) | (at == len(image) - 1) << bits
        for image in images.tolist()
        for at, value in enumerate(image)
    ]
    spin, captured, sent = _SpinUnit(dut, run.workload.words), 0, 0
    Clock(dut.clk, 2, "ns").start()
    _set_up(dut, run)
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    start = time.perf_counter()
    for _ in range(CYCLES):
        dut.pixels__payload.value = pixels[sent % len(pixels)]
        dut.spin__sense.value = spin.state
        await ReadOnly()
        sent += int(dut.pixels__ready.value)
        spin.cycle()
        for name in TRACES:
            if getattr(dut, f"trace__{name}_valid").value:
                captured += int(getattr(dut, f"trace__{name}").value) >= 0
        if dut.results__valid.value:
            captured += int(dut.results__payload.value) >= 0
        await RisingEdge(dut.clk)
    seconds = time.perf_counter() - start
    assert captured > 0
    (folder / "python_cycles_per_s.txt").write_text(f"{CYCLES / seconds}\n")
