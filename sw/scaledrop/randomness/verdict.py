# SPDX-License-Identifier: Apache-2.0
"""What one test says, and what many say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats

from scaledrop.errors import UserError
from scaledrop.randomness.bits import Floats

__all__ = ["SecondLevel", "Verdict", "allowed_failures", "holm", "second_level"]


@dataclass(frozen=True)
class Verdict:
    """The answer of one test.

    Attributes:
        test: Its name.
        statistic: What was computed from the bits; the note or the test says what it is.
        p_value: Chance of a statistic as far out or farther, if the null hypothesis holds.
        note: Sizes and degrees of freedom, for a person.
    """

    test: str
    statistic: float
    p_value: float
    note: str = ""

    def passed(self, alpha: float) -> bool:
        """Whether the null hypothesis stands at the level ``alpha``."""
        return self.p_value >= alpha


def allowed_failures(tests: int, alpha: float) -> int:
    """How many of ``tests`` sound and independent tests may fail at ``alpha``.

    The least number that chance exceeds with a probability of ``alpha`` at most.
    """
    return int(stats.binom.ppf(1 - alpha, tests, alpha))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted P-values of Holm (1979), in the order given.

    Rejecting where one is below ``alpha`` is wrong anywhere in the family with a probability of
    ``alpha`` at most, however the tests depend on each other.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    scaled = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    result: list[float] = adjusted.tolist()
    return result


@dataclass(frozen=True)
class SecondLevel:
    """One test over many streams, as SP 800-22, 4.2.

    Attributes:
        proportion: Share of the streams that pass.
        low, high: ``1 - alpha -+ 3 sqrt(alpha (1 - alpha) / streams)``: where it should lie.
        uniformity: P-value of the chi-squared test that the P-values are uniform over ten bins.
        streams: How many.
    """

    proportion: float
    low: float
    high: float
    uniformity: float
    streams: int

    def passed(self) -> bool:
        """The proportion lies in the interval, and uniformity is at least 0.0001."""
        return self.low <= self.proportion <= self.high and self.uniformity >= 1e-4


def second_level(p_values: Floats | Sequence[float], alpha: float = 0.01) -> SecondLevel:
    """Judge one test by its P-values over 55 or more independent streams.

    Raises:
        UserError: fewer than 55, so that a bin expects fewer than five.

    Source: SP 800-22 rev. 1a, 4.2.1 and 4.2.2.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.size < 55:
        raise UserError(f"p_values: must be at least 55, not {values.size}; test more streams")
    counts, _ = np.histogram(values, bins=10, range=(0.0, 1.0))
    reach = 3 * sqrt(alpha * (1 - alpha) / values.size)
    return SecondLevel(
        proportion=float((values >= alpha).mean()),
        low=1 - alpha - reach,
        high=1 - alpha + reach,
        uniformity=float(stats.chisquare(counts).pvalue),
        streams=int(values.size),
    )
