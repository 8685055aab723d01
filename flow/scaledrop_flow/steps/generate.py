# SPDX-License-Identifier: Apache-2.0
"""Generate the Verilog of a frozen network on an array."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.schedule import PipelineTiming
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.export import export

__all__ = ["Generated", "generate"]


@dataclass(frozen=True)
class Generated:
    """Paths of what was generated, and what it was generated from."""

    verilog: Path
    sidecar: Path
    mapping: NetworkMapping
    timing: PipelineTiming


def generate(
    network: FrozenNetwork,
    array: ArrayShape,
    folder: Path,
    max_passes: int = 255,
    datapath: str = "reference",
    convolution: str = "auto",
) -> Generated:
    """Write ``scaledrop.v`` and ``scaledrop.json``; the same input gives the same bytes.

    Raises:
        UserError: an impossible size, or the folder cannot be written.
    """
    mapping = NetworkMapping(network, array, convolution)
    accelerator = Accelerator(mapping=mapping, max_passes=max_passes, datapath=datapath)
    verilog, sidecar = export(accelerator, folder)
    return Generated(verilog, sidecar, mapping, accelerator.pipeline_timing)
