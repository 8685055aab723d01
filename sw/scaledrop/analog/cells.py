# SPDX-License-Identifier: Apache-2.0
"""Cells: differential pairs of magnetic tunnel junctions, their spread and their defects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = ["CellModel", "Spread"]

Floats = npt.NDArray[np.float64]


class Spread(StrEnum):
    """Law of a device's conductance around its nominal one; both keep the mean."""

    LOGNORMAL = "lognormal"
    """``G exp(sigma z - sigma**2 / 2)`` with z of N(0, 1) and ``sigma**2 = ln(1 + spread**2)``."""
    NORMAL = "normal"
    """``G max(1 + spread z, 0)``."""


@dataclass(frozen=True)
class CellModel:
    """A +-1 weight is a pair of devices, one on each line of a differential bit line: +1 is
    parallel (low resistance) on the plus line and antiparallel on the minus line, -1 the reverse.

    Attributes:
        parallel_ohm: resistance of a parallel device, > 0; with its select transistor.
        tmr: (R_AP - R_P) / R_P, > 0; 1.2 is 120 %.
        spread: device-to-device, standard deviation over mean of a conductance, 0 to 1.
        law: of that spread.
        stuck_low, stuck_high: share of the devices that hold the low (antiparallel) or the high
            conductance whatever is written, together at most 1.

    Raises:
        UserError: a value out of range.

    Defaults: 1 MOhm is what the technology tables price a cell read at; 120 % is within the 100 to
    120 % measured on 300 mm wafers of the device card ``hikstor80``, whose own 11 kOhm is a plain
    junction's.
    """

    parallel_ohm: float = 1e6
    tmr: float = 1.2
    spread: float = 0.0
    law: Spread = Spread.LOGNORMAL
    stuck_low: float = 0.0
    stuck_high: float = 0.0

    def __post_init__(self) -> None:
        for name in ("parallel_ohm", "tmr"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UserError(f"{name}: must be a number above 0, not {value}")
        for name in ("spread", "stuck_low", "stuck_high"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"{name}: must be 0 to 1, not {getattr(self, name)}")
        if self.stuck_low + self.stuck_high > 1:
            raise UserError("stuck_low, stuck_high: together at most 1; lower one")
        object.__setattr__(self, "law", _law(self.law))

    @property
    def high_s(self) -> float:
        """Conductance of a parallel device in siemens."""
        return 1.0 / self.parallel_ohm

    @property
    def low_s(self) -> float:
        """Conductance of an antiparallel device in siemens."""
        return 1.0 / (self.parallel_ohm * (1.0 + self.tmr))

    @property
    def unit_s(self) -> float:
        """Difference of the two: what one cell of +-1 adds to a column."""
        return self.high_s - self.low_s

    @property
    def ideal(self) -> bool:
        return self.spread == self.stuck_low == self.stuck_high == 0

    def conductances(self, weights: npt.NDArray[Any], rng: np.random.Generator) -> Floats:
        """(rows, columns, 2) siemens on plus and minus line of ``weights`` (rows, columns) bits.

        The draws do not depend on the amounts: with one state of ``rng``, more spread stretches the
        same deviations and a higher rate of defects keeps the earlier ones.
        """
        plus = np.asarray(weights, dtype=bool)
        high = np.stack([plus, ~plus], axis=-1)
        deviation, defect = rng.standard_normal(high.shape), rng.random(high.shape)
        high = np.where(defect < self.stuck_low, False, high)
        high = np.where(1 - defect <= self.stuck_high, True, high)
        nominal = np.where(high, self.high_s, self.low_s)
        return nominal * self._factor(deviation)

    def _factor(self, deviation: Floats) -> Floats:
        if self.law is Spread.NORMAL:
            return np.maximum(1.0 + self.spread * deviation, 0.0)
        # The standard deviation over the mean of a lognormal is sqrt(exp(sigma**2) - 1).
        variance = math.log1p(self.spread**2)
        return np.asarray(np.exp(math.sqrt(variance) * deviation - variance / 2))


def _law(name: str) -> Spread:
    try:
        return Spread(name)
    except ValueError:
        raise UserError(f"law: must be lognormal or normal, not {name!r}") from None
