# SPDX-License-Identifier: Apache-2.0
"""A co-simulation run as it crosses from the command line into the simulator's process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scaledrop.calibration import Calibration
from scaledrop.converter import Converter
from scaledrop.device.loop import SpinLoop
from scaledrop.frozen_file import load, save
from scaledrop.images import stream_order
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.schedule import PipelineTiming
from scaledrop.tile_sums import mapping_sums
from scaledrop.walk import Inference
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.driver import DEVICE, Disturbance, write_stimulus

__all__ = ["BenchRun"]


def _spin_values(spin: SpinLoop | None) -> dict[str, Any] | None:
    if spin is None:
        return None
    return {
        "codes": spin.codes,
        "shape": spin.tables.shape,
        "epoch_writes": spin.epoch_writes,
        "origin": spin.origin,
        "calibration": None if spin.calibration is None else asdict(spin.calibration),
    }


def _spin(values: Mapping[str, Any] | None, folder: Path) -> SpinLoop | None:
    if values is None:
        return None
    tables = np.fromfile(folder / DEVICE, dtype="<u4").astype(np.uint32)
    return SpinLoop(
        tuple(values["codes"]),
        tables.reshape(values["shape"]),
        values["epoch_writes"],
        values["origin"],
        None if values["calibration"] is None else Calibration(**values["calibration"]),
    )


@dataclass(frozen=True, eq=False)
class BenchRun:
    """Everything that the bench needs, in one folder."""

    workload: Workload
    mapping: NetworkMapping
    timing: PipelineTiming
    sidecar: Mapping[str, Any]
    disturbance: Disturbance
    folded: bool = False

    def save(self, folder: Path) -> None:
        """Write the stimulus, ``model.sdnet`` and ``run.json``."""
        write_stimulus(self.workload, folder)
        save(self.workload.network, folder / "model.sdnet")
        values = {
            "array": asdict(self.mapping.array),
            "convolution": self.mapping.convolution,
            "folded": self.folded,
            "timing": asdict(self.timing),
            "disturbance": asdict(self.disturbance),
            "inference": asdict(self.workload.inference),
            "seed": self.workload.seed,
            "spin": _spin_values(self.workload.spin),
            "sidecar": self.sidecar,
        }
        (folder / "run.json").write_text(json.dumps(values))

    @classmethod
    def load(cls, folder: Path) -> BenchRun:
        """Read what :meth:`save` wrote."""
        values = json.loads((folder / "run.json").read_text())
        network = load(folder / "model.sdnet")
        pixels = np.fromfile(folder / "pixels.bin", dtype="<u2").astype(np.int64)
        images = np.asarray(
            stream_order(pixels.reshape(-1, network.input_size), network.input_shape, True),
            dtype=np.int64,
        )
        inference = Inference(**values["inference"])
        mapping = NetworkMapping(network, _array(values["array"]), values["convolution"])
        return cls(
            workload=Workload(
                network,
                images,
                inference.passes,
                values["seed"],
                inference=inference,
                spin=_spin(values["spin"], folder),
                crossbar_sum=mapping_sums(mapping),
            ),
            mapping=mapping,
            timing=PipelineTiming(**values["timing"]),
            sidecar=values["sidecar"],
            disturbance=Disturbance(**values["disturbance"]),
            folded=values["folded"],
        )


def _array(values: dict[str, Any]) -> ArrayShape:
    converter = values["converter"]
    return ArrayShape(
        **{**values, "converter": None if converter is None else Converter(**converter)}
    )
