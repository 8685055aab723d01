# SPDX-License-Identifier: Apache-2.0
"""LeNet-5 as netlists: every bit of every pass, as on the RTL, and what each takes to simulate."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from scaledrop.data import load_set
from scaledrop.events import Event
from scaledrop.freezing import freeze
from scaledrop.frozen_file import digest
from scaledrop.mapping import ArrayShape
from scaledrop.training import named_config
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.simulation import Simulation, build
from scaledrop_cosim.toolchain import toolchain_version
from scaledrop_flow.gatelevel.synthesise import make_netlist
from scaledrop_flow.steps.generate import Generated, generate
from scaledrop_flow.steps.train import trained

__all__ = ["netlist_study"]

PASSES = 20
RUNS = (
    ("rtl", Mode.SHARED, 100),
    ("generic", Mode.SHARED, 100),
    ("generic", Mode.PASSES, 3),
    ("ice40", Mode.SHARED, 10),
    ("ecp5", Mode.SHARED, 10),
)
"""What is simulated, the mode, and images."""


class _Built(NamedTuple):
    simulation: Simulation
    synthesis_s: float
    build_s: float


def _build(made: Generated, kind: str, folder: Path, cache: Path) -> _Built:
    start = time.perf_counter()
    if kind == "rtl":
        return _Built(build(made.verilog, cache), 0.0, time.perf_counter() - start)
    netlist = make_netlist(made.verilog, kind, folder, cache)
    mapped = time.perf_counter()
    simulation = build(netlist.verilog, cache, cells=netlist.models)
    return _Built(simulation, mapped - start, time.perf_counter() - mapped)


def _row(kind: str, built: _Built, backend: RtlBackend, workload: Workload) -> dict[str, Any]:
    report = backend.verify(workload)
    counters = backend.observation(workload).counters
    seconds = float((backend.folder / "seconds.txt").read_text())
    cycles = int((backend.folder / "status.txt").read_text().split()[2])
    netlist = built.simulation.sidecar.get("netlist", {})
    return {
        "netlist": kind,
        "mode": str(workload.inference.mode),
        "images": len(workload.images),
        "values": report.total_checked,
        "hidden_bits": report.checked.get("hidden_bits", 0),
        "mismatches": report.total_mismatches,
        "cycles_predicted": _cycles(report.predicted),
        "cycles_simulated": _cycles(counters),
        "cells": netlist.get("cells", ""),
        "synthesis_s": built.synthesis_s,
        "build_s": built.build_s,
        "simulation_s": seconds,
        "cycles_per_s": cycles / seconds,
        "tools": ", ".join(filter(None, [netlist.get("tool"), toolchain_version()])),
        "netlist_sha256": netlist.get("sha256", ""),
        "model_sha256": digest(workload.network),
    }


def _cycles(counts: Any) -> int:
    return sum(events[Event.CYCLES] + events[Event.WAITING] for events in (counts or {}).values())


def netlist_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """MNIST test images, T = 20, a 64 x 16 array, on the RTL and on every kind of netlist.

    Times are those of this run; what the cache held took none.
    """
    config = named_config("lenet5-mnist")
    network = freeze(trained(config, cache, data=data).net, {})
    pixels = load_set(config.data, data).test_images
    with tempfile.TemporaryDirectory() as scratch:
        folder, built = Path(scratch), dict[str, _Built]()
        made = generate(network, ArrayShape(), folder / "rtl")
        for kind, mode, images in RUNS:
            if kind not in built:
                progress(f"{kind}: make and compile")
                built[kind] = _build(made, kind, folder / kind, cache)
            progress(f"{kind}, {mode}: {images} images")
            chosen = pixels[:images].reshape(images, -1).astype("int64")
            inference = Inference(mode, PASSES)
            workload = Workload(network, chosen, PASSES, seed=1, inference=inference)
            simulation = built[kind].simulation
            backend = RtlBackend(simulation, made.mapping, made.timing, folder / "run")
            yield _row(kind, built[kind], backend, workload)
