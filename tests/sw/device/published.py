# SPDX-License-Identifier: Apache-2.0
"""Published switching counts: 100 writes a point, pulses of 0.75 ns, as cited in hikstor80.yaml."""

from __future__ import annotations

import numpy as np

from scaledrop.device.law import FloatArray
from scaledrop.device.measurements import Counts

__all__ = ["A_P_TO_AP", "B_AP_TO_P", "B_P_TO_AP", "counts_of"]


def counts_of(
    drive_v: FloatArray, percent: list[float], trials: int = 100, pulse_s: float = 0.75e-9
) -> Counts:
    """Counts at one pulse width and 300 K from switched parts in percent."""
    ones = np.ones(len(drive_v))
    switched = np.rint(np.array(percent) / 100 * trials).astype(np.int64)
    return Counts(
        drive_v, pulse_s * ones, 300 * ones, (trials * ones).astype(np.int64), switched, "m"
    )


def _from(first: float, percent: list[float]) -> Counts:
    return counts_of(first + 0.02 * np.arange(len(percent)), percent)


A_P_TO_AP = _from(0.80, [0, 2, 10, 18, 34, 50, 82, 84, 90, 98, 94, 100])
B_P_TO_AP = _from(0.84, [0, 10, 18, 40, 84, 96, 100])
B_AP_TO_P = _from(0.80, [0, 2, 36, 38, 52, 74, 74, 92, 100])
