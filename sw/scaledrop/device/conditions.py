# SPDX-License-Identifier: Apache-2.0
"""What is done to a device and around it when it is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaledrop.device.law import FloatArray
from scaledrop.errors import UserError

__all__ = ["Conditions"]


@dataclass(frozen=True)
class Conditions:
    """Surroundings of a write.

    Attributes:
        temperature_k: Kelvin, 1 to 1000.
        supply: Actual over nominal supply, 0.5 to 2: scales the DAC and the read voltage.
        pulse_s: Width of the write pulse in seconds; None is the card's.
        writes: Writes that the device has behind it: ageing and break-down.
        drift_v: Slow rise of the threshold in volts; a number, or an array (N or 1, K).
    """

    temperature_k: float = 300.0
    supply: float = 1.0
    pulse_s: float | None = None
    writes: float = 0.0
    drift_v: FloatArray | float = 0.0

    def __post_init__(self) -> None:
        for name, low, high, unit in (
            ("temperature_k", 1.0, 1000.0, "K"),
            ("supply", 0.5, 2.0, "of the nominal supply"),
            ("writes", 0.0, 1e30, "writes"),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"{name}: must be {low:g} to {high:g} {unit}, not {value!r}")
        if self.pulse_s is not None and not 0 < self.pulse_s < np.inf:
            raise UserError(f"pulse_s: must be above 0 seconds, not {self.pulse_s!r}")
