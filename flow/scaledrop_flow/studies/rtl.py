# SPDX-License-Identifier: Apache-2.0
"""LeNet-5 on the RTL: every mode and datapath on many test images, every bit of every pass."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scaledrop.data import load_set
from scaledrop.events import Event
from scaledrop.freezing import freeze
from scaledrop.frozen_file import digest
from scaledrop.mapping import ArrayShape
from scaledrop.training import named_config
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.checker import CheckReport
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.simulation import build
from scaledrop_flow.steps.generate import generate
from scaledrop_flow.steps.train import trained
from scaledrop_hw.datapath import DATAPATHS

__all__ = ["rtl_study"]

IMAGES, CHUNK, PASSES = 1000, 50, 20


def rtl_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """1,000 MNIST test images, T = 20, a 64 x 16 array; other bits for every 50 images."""
    config = named_config("lenet5-mnist")
    network = freeze(trained(config, cache, data=data).net, {})
    pixels = load_set(config.data, data).test_images[:IMAGES].reshape(IMAGES, -1)
    for datapath in DATAPATHS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            made = generate(network, ArrayShape(), folder / "rtl", datapath=datapath)
            simulation = build(made.verilog, cache)
            backend = RtlBackend(simulation, made.mapping, made.timing, folder / "run")
            for mode in (Mode.SHARED, Mode.EXACT, Mode.PASSES):
                start, reports = time.perf_counter(), []
                for at in range(0, IMAGES, CHUNK):
                    progress(f"{datapath}, {mode}, image {at} of {IMAGES}")
                    inference = Inference(mode, PASSES)
                    part = pixels[at : at + CHUNK].astype("int64")
                    seed = 1 + at // CHUNK
                    work = Workload(network, part, PASSES, seed, inference=inference)
                    reports.append((backend.verify(work), backend.observation(work).counters))
                yield {
                    "datapath": datapath,
                    "mode": str(mode),
                    "images": IMAGES,
                    **_totals(reports),
                    "seconds": time.perf_counter() - start,
                    "model_sha256": digest(network),
                }


def _totals(reports: list[tuple[CheckReport, Any]]) -> dict[str, int]:
    return {
        "values": sum(report.total_checked for report, _ in reports),
        "hidden_bits": sum(report.checked["hidden_bits"] for report, _ in reports),
        "mismatches": sum(report.total_mismatches for report, _ in reports),
        "cycles_predicted": sum(_cycles(report.predicted) for report, _ in reports),
        "cycles_simulated": sum(_cycles(counters) for _, counters in reports),
    }


def _cycles(counts: Any) -> int:
    return sum(events[Event.CYCLES] + events[Event.WAITING] for events in counts.values())
