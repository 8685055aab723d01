# SPDX-License-Identifier: Apache-2.0
"""Speeds as ratios, both sides in one run, in turn, several times, medians; and areas."""

from __future__ import annotations

from pathlib import Path

from scaledrop.freezing import freeze
from scaledrop_flow.bench.area import area_benchmarks
from scaledrop_flow.bench.clock import clock_benchmarks
from scaledrop_flow.bench.cycles import cycle_benchmarks
from scaledrop_flow.bench.datapaths import datapath_benchmarks
from scaledrop_flow.bench.device import device_benchmarks
from scaledrop_flow.bench.device_map import map_benchmarks
from scaledrop_flow.bench.energy import energy_benchmarks
from scaledrop_flow.bench.entry import Entry
from scaledrop_flow.bench.inference import inference_benchmarks, lenet5
from scaledrop_flow.bench.simulation import simulation_benchmarks

__all__ = ["Entry", "run_benchmarks"]


def run_benchmarks(cache: Path, repeats: int) -> list[Entry]:
    """Every benchmark of this version.

    Raises:
        UserError: fewer than one repeat, a missing tool, or a run that is not bit-exact.
    """
    network = freeze(lenet5()[0], {})
    return [
        *inference_benchmarks(repeats),
        *map_benchmarks(repeats),
        *device_benchmarks(repeats),
        *cycle_benchmarks(network, cache),
        *simulation_benchmarks(cache, repeats),
        *area_benchmarks(),
        *datapath_benchmarks(network),
        *clock_benchmarks(),
        *energy_benchmarks(),
    ]
