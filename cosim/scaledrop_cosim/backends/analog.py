# SPDX-License-Identifier: Apache-2.0
"""The behavioural analog array as a back end."""

from __future__ import annotations

from scaledrop.analog import AnalogArray, AnalogEngine
from scaledrop.engine import infer
from scaledrop.record import PassRecord
from scaledrop_cosim.contract import Backend, Observation, Workload

__all__ = ["AnalogBackend"]


class AnalogBackend(Backend):
    """Currents of cells and wires behind converters; see :mod:`scaledrop.analog`.

    Parameters:
        array: The chip; its shape names the converter. With ideal cells and no wires it gives the
            golden integers; with others the comparison finds where they first part ways.
        convolution: How kernels are laid out.
    """

    name = "analog array"

    def __init__(self, array: AnalogArray, convolution: str = "auto") -> None:
        self.array, self.convolution = array, convolution

    def infer(self, workload: Workload) -> Observation:
        engine = AnalogEngine(
            workload.network, self.array, self.array.shape.converter, self.convolution
        )
        passes = infer(workload.network, workload.images, workload.masks, engine.crossbar_sum)
        record = PassRecord.of_passes(passes.masks, passes.hidden, passes.logits, workload.weights)
        return Observation(record)
