# SPDX-License-Identifier: Apache-2.0
"""The golden model as a back end."""

from __future__ import annotations

from scaledrop.engine import infer
from scaledrop.record import PassRecord
from scaledrop_cosim.contract import Backend, Observation, Workload

__all__ = ["IntegerBackend"]


class IntegerBackend(Backend):
    """Plain 64-bit integers; see :mod:`scaledrop.engine`."""

    name = "integer model"

    def infer(self, workload: Workload) -> Observation:
        passes = infer(workload.network, workload.images, workload.masks, workload.crossbar_sum)
        record = PassRecord.of_passes(passes.masks, passes.hidden, passes.logits, workload.weights)
        return Observation(record)
