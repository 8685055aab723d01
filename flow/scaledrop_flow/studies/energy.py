# SPDX-License-Identifier: Apache-2.0
"""Full-size networks from their shapes: joules, time and area, both mappings, every mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scaledrop.array_shape import ArrayShape
from scaledrop.density import Density
from scaledrop.energy import load_table, retarget
from scaledrop.shapes import full_size, shape_network
from scaledrop.walk import Mode
from scaledrop_flow.bench.energy import MNIST
from scaledrop_flow.energy.configurations import PAPER, Setting, Way, price_way

__all__ = ["energy_study"]

NETWORKS = {
    "lenet5": (ArrayShape(64, 16), MNIST),
    "vgg_small": (ArrayShape(128, 128), Density((0.5,))),
    "resnet18": (ArrayShape(128, 128), Density((0.5,))),
    "unet": (ArrayShape(128, 128), Density((0.5,))),
}
"""Array, and how dense the pixels' bits are: half where no set is named."""
WAYS = (
    PAPER,
    Way("passes", Mode.PASSES, folded=True),
    Way("shared", Mode.SHARED, folded=True),
    Way("exact", Mode.EXACT, folded=True),
)
NODES = (None, (28.0, 0.9), (22.0, 0.8))
PASSES, DROP = 20, 0.15


def energy_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """T = 20, p = 0.15, at most 1,024 masks in mode ``exact``; needs no data."""
    for name, (array, density) in NETWORKS.items():
        network = shape_network(full_size(name), DROP, name)
        for convolution in ("unrolled", "taps"):
            for node in NODES:
                table = load_table("mtj45")
                table = table if node is None else retarget(table, *node)
                for way in WAYS:
                    progress(f"{name}, {convolution}, {table.name}, {way.name}")
                    setting = Setting(array, density, convolution, PASSES)
                    one = price_way(network, setting, way, table)
                    found = one.estimate
                    yield {
                        "network": name,
                        "array": f"{array.rows}x{array.columns}",
                        "convolution": convolution,
                        "way": way.name,
                        "table": table.name,
                        "j": f"{found.joules.value:.4g}",
                        "j_low": f"{found.joules.low:.4g}",
                        "j_high": f"{found.joules.high:.4g}",
                        "seconds": f"{found.seconds:.4g}",
                        "mm2": f"{found.area.value / 1e6:.4g}",
                        "mass": f"{one.workload.mass:.6f}",
                        "runs_today": one.workload.runs_today,
                    }
