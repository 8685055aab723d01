# SPDX-License-Identifier: Apache-2.0
"""The trained network in float64 PyTorch, evaluation mode, as a back end."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import torch

from scaledrop.nn import ScaleDropNet
from scaledrop.record import PassRecord
from scaledrop_cosim.contract import Backend, Observation, Workload

__all__ = ["TorchBackend"]

NOT_AN_INTEGER = np.iinfo(np.int64).min


class TorchBackend(Backend):
    """Runs the network that was frozen, with floats.

    Its logits are exact multiples of the frozen network's logit unit; one that is not is recorded
    as a value that no logit can have, so that the comparison finds it.
    """

    name = "float64 PyTorch"

    def __init__(self, net: ScaleDropNet) -> None:
        self.net = copy.deepcopy(net).cpu().double().eval()

    def infer(self, workload: Workload) -> Observation:
        images, passes = workload.masks.shape[:2]
        pixels = torch.from_numpy(np.repeat(workload.images, passes, axis=0)).double()
        flat = workload.masks.reshape(images * passes, -1)
        hidden, logits = self.net.trace(pixels, torch.from_numpy(flat.astype(np.float64)))
        codes = _codes(logits.movedim(1, -1).numpy(), workload.network.logit_frac_bits)
        record = PassRecord.of_passes(
            workload.masks,
            tuple(
                stored.numpy().reshape(images, passes, *stored.shape[1:])
                for stored in hidden.values()
            ),
            codes.reshape(images, passes, *codes.shape[1:]),
            workload.weights,
        )
        return Observation(record)


def _codes(logits: npt.NDArray[np.float64], frac_bits: int) -> npt.NDArray[np.int64]:
    scaled = np.ldexp(logits, frac_bits)
    return np.where(scaled == np.rint(scaled), scaled, float(NOT_AN_INTEGER)).astype(np.int64)
