# SPDX-License-Identifier: Apache-2.0
"""Share of ones, transitions and autocorrelation of a stream, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy import fft, stats

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.randomness.bits import as_bits
from scaledrop.randomness.verdict import Verdict, allowed_failures

__all__ = [
    "Autocorrelation",
    "Interval",
    "Transitions",
    "autocorrelation",
    "ones",
    "portmanteau",
    "transitions",
    "wilson",
]


@dataclass(frozen=True)
class Interval:
    """A probability and its confidence interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, count: int, confidence: float = 0.99) -> Interval:
    """Wilson's score interval of a share; [0, 1] around nothing where ``count`` is 0.

    Source: Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    if count == 0:
        return Interval(float("nan"), 0.0, 1.0)
    found = stats.binomtest(hits, count).proportion_ci(confidence, method="wilson")
    return Interval(hits / count, float(found.low), float(found.high))


def ones(values: Any, confidence: float = 0.99) -> Interval:
    """The share of ones; the bias is its distance from the share that was asked for.

    Raises:
        UserError: not bits.
    """
    bits = as_bits(values)
    return wilson(int(bits.sum(dtype=np.int64)), len(bits), confidence)


@dataclass(frozen=True)
class Transitions:
    """Lag-1 transition probabilities: chance of a 1 after a 0 and after a 1.

    Attributes:
        after_zero, after_one: With their intervals; equal for independent bits.
        difference: ``after_one - after_zero``, the lag-1 correlation of a Markov source.
    """

    after_zero: Interval
    after_one: Interval
    difference: float


def transitions(values: Any, confidence: float = 0.99) -> Transitions:
    """How the last bit moves the next.

    Raises:
        UserError: not bits, or fewer than 2.
    """
    bits = as_bits(values, 2, "transitions")
    table = np.bincount(2 * bits[:-1].astype(np.int64) + bits[1:], minlength=4).reshape(2, 2)
    zero, one = (wilson(int(row[1]), int(row.sum()), confidence) for row in table)
    return Transitions(zero, one, one.value - zero.value)


@dataclass(frozen=True)
class Autocorrelation:
    """Correlation of a bit with the one k later, k = 1, 2, ...

    Attributes:
        values: (lags,) estimates r_k.
        band: Each |r_k| stays below with a probability of ``1 - alpha`` if bits are independent.
        alpha: Of the band.
        outside: How many lags are outside.
        allowed: How many chance allows, as :func:`allowed_failures`.
    """

    values: tuple[float, ...]
    band: float
    alpha: float
    outside: int
    allowed: int


def _correlations(values: Any, lags: int, least: int) -> tuple[int, np.ndarray[Any, Any]]:
    bits = as_bits(values, max(least, 10 * lags), "autocorrelation")
    check_integer(lags, 1, 10**6, "lags")
    if bits.min() == bits.max():
        raise UserError("bits: all are equal, so that nothing correlates; look at the source")
    n, centred = len(bits), bits - bits.mean()
    size = fft.next_fast_len(n + lags, real=True)
    power = np.abs(fft.rfft(centred, size)) ** 2
    products = fft.irfft(power, size)[: lags + 1]
    return n, products[1:] / products[0]


def autocorrelation(
    values: Any, lags: int = 32, alpha: float = 0.01, least: int = 100
) -> Autocorrelation:
    """Autocorrelation at lags 1 to ``lags`` and its band, ``z sqrt((n - k) / (n (n + 2)))``.

    The band of the first lag is given; the others differ by less than ``lags / n`` of it.

    Raises:
        UserError: not bits, fewer than ``least`` or ten for each lag, or all bits equal.
    """
    n, found = _correlations(values, lags, least)
    each = stats.norm.isf(alpha / 2) * np.sqrt((n - np.arange(1, lags + 1)) / (n * (n + 2)))
    outside = int((np.abs(found + 1 / n) > each).sum())
    return Autocorrelation(
        tuple(found.tolist()), float(each[0]), alpha, outside, allowed_failures(lags, alpha)
    )


def portmanteau(values: Any, lags: int = 32, least: int = 1000) -> Verdict:
    """Is there correlation at any of the lags? Ljung and Box; any probability of ones.

    Statistic: ``n (n + 2) sum r_k**2 / (n - k)``, chi-squared with one degree for each lag.

    Raises:
        UserError: not bits, or fewer than ``least`` or ten for each lag.

    Source: Ljung & Box, Biometrika 65 (1978) 297.
    """
    bits = as_bits(values, max(least, 10 * lags), "autocorrelation")
    if bits.min() == bits.max():
        return Verdict("autocorrelation", 0.0, 0.0, "all bits are equal")
    n, found = _correlations(bits, lags, least)
    statistic = float(n * (n + 2) * (found**2 / (n - np.arange(1, lags + 1))).sum())
    at = int(np.abs(found).argmax())
    note = f"lags 1 to {lags}, largest {found[at]:+.2g} at {at + 1} ({found[at] * sqrt(n):+.1f} sd)"
    return Verdict("autocorrelation", statistic, float(stats.chi2.sf(statistic, lags)), note)
