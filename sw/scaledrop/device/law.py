# SPDX-License-Identifier: Apache-2.0
"""The one question that every model of a stochastic write answers: does this pulse switch it?"""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["FloatArray", "SwitchingLaw"]

FloatArray: TypeAlias = npt.NDArray[np.float64]


@runtime_checkable
class SwitchingLaw(Protocol):
    """Switching probability of a device that was reset and left to settle."""

    def probability(
        self,
        drive: FloatArray | float,
        pulse_s: FloatArray | float,
        temperature_k: FloatArray | float,
    ) -> FloatArray:
        """Probability that ONE write pulse switches a freshly reset device.

        Args:
            drive: Volts at the write terminals; positive drives towards the switched state.
            pulse_s: Width of the pulse in seconds.
            temperature_k: Temperature in kelvin.

        Returns:
            float64 in [0, 1], in the shape that the three arguments broadcast to.
        """
