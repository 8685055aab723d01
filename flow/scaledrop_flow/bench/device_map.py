# SPDX-License-Identifier: Apache-2.0
"""Seconds for a map of switching probabilities on one core."""

from __future__ import annotations

import statistics
import time

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from scaledrop.device.macrospin import FreeLayer, MacrospinLaw, WritePath
from scaledrop.errors import UserError
from scaledrop_flow.bench.entry import Entry, entry

__all__ = ["device_map", "map_benchmarks"]

LAW = MacrospinLaw(
    FreeLayer(1e6, 1.3e-9, 1.2e-15, 0.02, anisotropy_t=0.2),
    WritePath(resistance_ohm=800.0, cross_section_m2=1.8e-16, efficiency=0.3),
)


def device_map() -> npt.NDArray[np.float64]:
    """P (10, 10, 10): 0.2 to 3 times the critical voltage, 0.2 ns to 1 us, 250 K to 400 K."""
    volts = np.linspace(0.2, 3.0, 10) * LAW.critical_v(300.0)
    width, kelvin = np.geomspace(2e-10, 1e-6, 10), np.linspace(250.0, 400.0, 10)
    return LAW.probability(volts[:, None, None], width[:, None], kelvin)


def map_benchmarks(repeats: int) -> list[Entry]:
    """``device_map_1000_points_s``: after a first call, one thread, median.

    Raises:
        UserError: fewer than one repeat.
    """
    if repeats < 1:
        raise UserError(f"repeats: must be 1 or more, not {repeats}")
    with threadpool_limits(1):
        device_map()
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            device_map()
            seconds.append(time.perf_counter() - start)
    note = f"Fokker-Planck, drive x width x temperature, one core; median of {repeats}"
    return [entry("device_map_1000_points_s", statistics.median(seconds), "s", note)]
