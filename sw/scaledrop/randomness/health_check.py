# SPDX-License-Identifier: Apache-2.0
"""The health tests of SP 800-90B, as the hardware runs them, over a recorded stream."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import stats

from scaledrop.checks import check_integer
from scaledrop.health import HealthLimits, expected_false_alarms, find_alarms, limits_of
from scaledrop.numbers import DROP_BITS
from scaledrop.randomness.bits import as_bits, check_share
from scaledrop.randomness.verdict import Verdict

__all__ = ["HealthCheck", "health_check"]


@dataclass(frozen=True)
class HealthCheck:
    """Alarms of one stream.

    Attributes:
        code: Drive code whose limits were used, ``round(p 2**16)``.
        alarms: How often each limit began to be broken.
        expected: How often chance breaks it in as many bits.
        first: Place of the first alarm, from 0 on; None without one.
    """

    code: int
    alarms: dict[str, int]
    expected: dict[str, float]
    first: int | None

    def verdict(self) -> Verdict:
        """Statistic: alarms. P: the chance of so many, taken as Poisson."""
        total, mean = sum(self.alarms.values()), sum(self.expected.values())
        p_value = float(stats.poisson.sf(total - 1, mean))
        raised = ", ".join(f"{name} {count}" for name, count in self.alarms.items() if count)
        where = f", first at bit {self.first}" if raised else ""
        return Verdict("health", total, p_value, f"{raised or 'no alarm'}{where}")


@cache
def _limits(code: int, alpha_bits: int, window: int) -> HealthLimits:
    return limits_of(code, alpha_bits=alpha_bits, window=window)


@cache
def _expected(code: int, limits: HealthLimits, window: int, bits: int) -> dict[str, float]:
    return expected_false_alarms(code, limits, window, bits)


def health_check(
    values: Any, p: float, *, alpha_bits: int = 30, window: int = 1024, least: int = 1
) -> HealthCheck:
    """Repetition count, adaptive proportion and lag-1 monitors of :mod:`scaledrop.health`.

    Args:
        values: (n,) bits; a 1 is a device that switched, a dropped scale.
        p: Programmed probability of a 1.
        alpha_bits: ``2**-alpha_bits`` is the chance of a false alarm, at a bit or a window.
        window: Bits of a window.
        least: Fewest bits taken.

    Raises:
        UserError: not bits, fewer than ``least``, or an argument out of range.
    """
    bits = as_bits(values, least, "the health tests")
    code = round(check_share(p, "p") * (1 << DROP_BITS))
    check_integer(code, 0, (1 << DROP_BITS) - 1, "drive code")
    limits = _limits(code, alpha_bits, window)
    found = find_alarms(1 - bits, limits, window)
    begins = found & ~np.concatenate([np.zeros((1, found.shape[1]), bool), found[:-1]])
    hit = np.flatnonzero(found.any(axis=1))
    counts = begins.sum(axis=0).tolist()
    return HealthCheck(
        code=code,
        alarms=dict(zip(HealthLimits._fields, counts, strict=True)),
        expected=dict(_expected(code, limits, window, len(bits))),
        first=int(hit[0]) if hit.size else None,
    )
