# SPDX-License-Identifier: Apache-2.0
"""Cycles per second of the co-simulation, against the same design without cocotb."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.driver import Disturbance, plusargs
from scaledrop_cosim.simulation import DESIGN, Simulation, build
from scaledrop_cosim.toolchain import simulator_environment
from scaledrop_flow.bench.entry import Entry, entry
from scaledrop_flow.data import images_for
from scaledrop_flow.model import resolve
from scaledrop_flow.steps.generate import generate

__all__ = ["simulation_benchmarks"]

PASSES = 20
LIMIT_S = 600
PYTHON_BENCH = "scaledrop_cosim.python_bench"


def _bare_speed(simulation: Simulation, workload: Workload, backend: RtlBackend) -> float:
    """Cycles per second of the plain C++ loop over what ``backend`` ran."""
    folder, cycles = backend.folder, backend.cycles_per_image(workload)
    command = [str(simulation.executable), *plusargs(workload, folder, Disturbance(), cycles)]
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    lines = [line.split() for line in result.stdout.splitlines()]
    numbers = [words for words in lines if len(words) == 2 and words[0].isdigit()]
    if result.returncode or not numbers:
        raise UserError(f"the bare simulation failed: {result.stderr.strip() or result.stdout}")
    return int(numbers[-1][0]) / float(numbers[-1][1])


def _cocotb_speed(backend: RtlBackend, workload: Workload) -> float:
    """Cycles per second under cocotb, from start to the last capture."""
    report = backend.verify(workload)
    if not report.ok:
        raise UserError(f"benchmark refused: {report}")
    cycles = int((backend.folder / "status.txt").read_text().split()[2])
    return cycles / float((backend.folder / "seconds.txt").read_text())


def _python_speed(simulation: Simulation, folder: Path) -> float:
    """Cycles per second of a bench with Python in every cycle, on a run that is saved there."""
    environment = simulator_environment(PYTHON_BENCH, DESIGN, folder / "python.xml")
    environment["SCALEDROP_RUN"] = str(folder)
    result = subprocess.run(
        [str(simulation.executable)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    speed = folder / "python_cycles_per_s.txt"
    if not speed.exists():
        raise UserError(f"the simulation driven from Python failed: {result.stdout[-2000:]}")
    return float(speed.read_text())


def simulation_benchmarks(cache: Path, repeats: int) -> list[Entry]:
    """``cosim_vs_bare_verilator`` has 1.0 as its limit: the same design, shell, stimulus and
    capture files, with and without cocotb. Checking what was captured is outside both.

    Raises:
        UserError: fewer than one repeat, a missing tool, or a run that is not bit-exact.
    """
    if repeats < 1:
        raise UserError(f"repeats: must be 1 or more, not {repeats}")
    network = resolve("digits", None, None, cache).network
    chosen = images_for(network, 0)
    workload = Workload(network, chosen.pixels, PASSES, seed=1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made = generate(network, ArrayShape(), folder / "rtl")
        cosim = build(made.verilog, cache)
        bare = build(made.verilog, cache, bare=True)
        backend = RtlBackend(cosim, made.mapping, made.timing, folder / "run")
        python = build(made.verilog, cache, toplevel=DESIGN)
        pairs, slow = [], []
        for _ in range(repeats):
            fast = _cocotb_speed(backend, workload)
            pairs.append((fast, _bare_speed(bare, workload, backend)))
            slow.append((fast, _python_speed(python, backend.folder)))
    ratio = statistics.median(one / other for one, other in pairs)
    driven = statistics.median(one / other for one, other in slow)
    under, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
    note = f"median of {repeats} runs in turn, {len(chosen.pixels)} images, T = {PASSES}, limit 1"
    return [
        entry("cosim_vs_bare_verilator", ratio, "ratio", note),
        entry("cosim_vs_python_driven", driven, "ratio", "against Python in every cycle"),
        entry("cosim_cycles_per_s", under, "1/s", "cocotb, clock and stimulus in HDL"),
        entry("bare_cycles_per_s", plain, "1/s", "plain C++ loop over the same shell"),
    ]
