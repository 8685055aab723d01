# SPDX-License-Identifier: Apache-2.0
"""Joules of LeNet-5 at T = 20 from its shapes: the paper's architecture, and what sharing saves."""

from __future__ import annotations

from scaledrop.array_shape import ArrayShape
from scaledrop.density import Density
from scaledrop.energy import load_table
from scaledrop.shapes import full_size, shape_network
from scaledrop_flow.bench.entry import Entry, entry
from scaledrop_flow.energy.configurations import STEPS, Setting, price_ways

__all__ = ["MNIST", "energy_benchmarks"]

MNIST = Density((0.1342, 0.1319, 0.1318, 0.1318, 0.1317, 0.1306, 0.0845, 0.1011))
"""Ones in the bit planes of MNIST's 10,000 test images, most significant first; measured."""


def energy_benchmarks() -> list[Entry]:
    """Estimates, not measurements: the same on every machine."""
    network = shape_network(full_size("lenet5"), 0.15, "lenet5")
    setting = Setting(ArrayShape(), MNIST, passes=20)
    priced = price_ways(network, setting, STEPS, load_table("mtj45"))
    paper, _, passes, shared = (one.estimate.joules for one in priced)
    note = "64 x 16 array, T = 20, table mtj45, pixels as dense as MNIST's"
    return [
        entry("lenet5_passes_j_high", paper.high, "J per image", f"{note}; as the paper"),
        entry("lenet5_shared_j_high", shared.high, "J per image", f"{note}; shared, folded"),
        entry("lenet5_shared_energy_gain", passes.value / shared.value, "ratio", note),
    ]
