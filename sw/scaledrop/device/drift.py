# SPDX-License-Identifier: Apache-2.0
"""Slow drift of a threshold: an Ornstein-Uhlenbeck process, held constant over each epoch."""

from __future__ import annotations

import math

import numpy as np

from scaledrop.device.devices import normal_draws
from scaledrop.device.law import FloatArray

__all__ = ["EPOCHS_PER_MEMORY", "drift_path"]

EPOCHS_PER_MEMORY = 32
"""Epochs in the number of writes over which the drift forgets."""


def drift_path(sigma: float, epochs: int, seed: int) -> FloatArray:
    """Drift in volts (epochs,), stationary: rms ``sigma``, correlation exp(-k / 32) at lag k.

    A longer path of the same seed begins with the shorter one.
    """
    keep = math.exp(-1 / EPOCHS_PER_MEMORY)
    steps = sigma * normal_draws(seed, "drift path", epochs) * math.sqrt(1 - keep**2)
    path = np.empty(epochs)
    value = 0.0
    for index, step in enumerate(steps):
        value = step / math.sqrt(1 - keep**2) if index == 0 else keep * value + step
        path[index] = value
    return path
