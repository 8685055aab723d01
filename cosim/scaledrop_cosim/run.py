# SPDX-License-Identifier: Apache-2.0
"""A co-simulation run as it crosses from the command line into the simulator's process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scaledrop.frozen_file import load, save
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.schedule import PipelineTiming
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.driver import Disturbance, write_stimulus

__all__ = ["BenchRun"]


@dataclass(frozen=True, eq=False)
class BenchRun:
    """Everything that the bench needs, in one folder."""

    workload: Workload
    mapping: NetworkMapping
    timing: PipelineTiming
    sidecar: Mapping[str, Any]
    disturbance: Disturbance

    def save(self, folder: Path) -> None:
        """Write the stimulus, ``model.sdnet`` and ``run.json``."""
        write_stimulus(self.workload, folder)
        save(self.workload.network, folder / "model.sdnet")
        values = {
            "array": asdict(self.mapping.array),
            "timing": asdict(self.timing),
            "disturbance": asdict(self.disturbance),
            "passes": self.workload.passes,
            "seed": self.workload.seed,
            "sidecar": self.sidecar,
        }
        (folder / "run.json").write_text(json.dumps(values))

    @classmethod
    def load(cls, folder: Path) -> BenchRun:
        """Read what :meth:`save` wrote."""
        values = json.loads((folder / "run.json").read_text())
        network = load(folder / "model.sdnet")
        pixels = np.fromfile(folder / "pixels.bin", dtype="<u2").astype(np.int64)
        images = pixels.reshape(-1, network.input_size)
        return cls(
            workload=Workload(network, images, values["passes"], values["seed"]),
            mapping=NetworkMapping(network, ArrayShape(**values["array"])),
            timing=PipelineTiming(**values["timing"]),
            sidecar=values["sidecar"],
            disturbance=Disturbance(**values["disturbance"]),
        )
