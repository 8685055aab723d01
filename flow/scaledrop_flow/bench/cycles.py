# SPDX-License-Identifier: Apache-2.0
"""Cycles of LeNet-5 on the simulated RTL: what sharing saves, how busy the crossbar is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from scaledrop.errors import UserError
from scaledrop.events import Event, EventCounts
from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import ArrayShape
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.simulation import build
from scaledrop_flow.bench.entry import Entry, entry
from scaledrop_flow.steps.generate import generate

__all__ = ["cycle_benchmarks"]

IMAGES, PASSES, SEED = 8, 20, 1


def _counted(backend: RtlBackend, network: FrozenNetwork, mode: Mode, passes: int) -> EventCounts:
    size = (IMAGES, network.input_size)
    images = np.random.default_rng(SEED).integers(0, 256, size)
    work = Workload(network, images, passes, SEED, inference=Inference(mode, passes))
    report = backend.verify(work)
    if not report.ok:
        raise UserError(f"benchmark refused: {report}")
    counters = backend.observation(work).counters
    assert counters is not None
    return counters


def _total(counts: EventCounts, *events: Event) -> int:
    return sum(layer[event] for layer in counts.values() for event in events)


def cycle_benchmarks(network: FrozenNetwork, cache: Path) -> list[Entry]:
    """Cycles do not depend on weights or images; the masks decide how much is shared.

    Raises:
        UserError: a tool is missing, or a run is not bit-exact.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made = generate(network, ArrayShape(), folder / "rtl", datapath="folded")
        simulation = build(made.verilog, cache)
        backend = RtlBackend(simulation, made.mapping, made.timing, folder / "run")
        single = _counted(backend, network, Mode.PASSES, 1)
        shared = _counted(backend, network, Mode.SHARED, PASSES)
        exact = _counted(backend, network, Mode.EXACT, PASSES)
    cycles = {
        name: _total(counts, Event.CYCLES, Event.WAITING) / IMAGES
        for name, counts in (("single", single), ("shared", shared), ("exact", exact))
    }
    busy = _total(single, Event.ACTIVATIONS) / IMAGES / cycles["single"]
    note = f"simulated, folded datapath, {IMAGES} images; repeating passes costs {PASSES}"
    return [
        entry("lenet5_shared_vs_single_pass", cycles["shared"] / cycles["single"], "ratio", note),
        entry(
            "lenet5_exact_vs_single_pass",
            cycles["exact"] / cycles["single"],
            "ratio",
            "all 32 masks",
        ),
        entry("lenet5_busy", busy, "fraction", "cycles of a pass with a crossbar activation"),
        entry("lenet5_single_pass_cycles", cycles["single"], "cycles", "64 x 16 array, 16 lanes"),
    ]
