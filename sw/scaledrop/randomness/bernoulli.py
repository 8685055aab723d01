# SPDX-License-Identifier: Apache-2.0
"""Tests of independent bits that are 1 with any probability p, known or not.

Where ``p`` is the programmed probability the null hypothesis is Bernoulli(p); where it is None, the
bits are independent with some constant probability, and the tests are conditional on the ones
counted. A stream of equal bits says nothing about the latter and is failed with P = 0.

Sources: runs: Wald & Wolfowitz, Ann. Math. Stat. 11 (1940) 147; independence: Hoel, Biometrika 41
(1954) 430; drift: Kolmogorov; several windows: Sidak, J. Am. Stat. Assoc. 62 (1967) 626.
"""

from __future__ import annotations

from math import ceil, expm1, log, log1p, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from scaledrop.checks import check_integer
from scaledrop.randomness.bits import Bits, as_bits, check_share, windows_of, words_of
from scaledrop.randomness.patterns import blocks_of
from scaledrop.randomness.verdict import Verdict

__all__ = [
    "block_share",
    "drift",
    "equal_run",
    "independence",
    "independence_order",
    "runs_given_ones",
    "share",
    "word_length",
    "words",
    "worst_window",
]


def _equal(bits: Bits, test: str) -> Verdict | None:
    return Verdict(test, 0.0, 0.0, "all bits are equal") if bits.min() == bits.max() else None


def _share(bits: Bits, p: float | None) -> float:
    return float(bits.mean()) if p is None else check_share(p, "p")


def _both_tails(count: npt.NDArray[np.int64] | int, n: int, p: float) -> npt.NDArray[np.float64]:
    """Exact: twice the smaller tail of the binomial distribution, 1 at most."""
    low, high = stats.binom.cdf(count, n, p), stats.binom.sf(count - 1, n, p)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(low, high)))


def share(values: Any, p: float, least: int = 100) -> Verdict:
    """Are as many bits 1 as programmed? Exact binomial test, two-sided.

    Statistic: the distance from ``n p`` in standard deviations.

    Raises:
        UserError: not bits, fewer than ``least``, or ``p`` not between 0 and 1.
    """
    bits, p = as_bits(values, least, "share of ones"), check_share(p, "p")
    ones, n = int(bits.sum(dtype=np.int64)), len(bits)
    far = (ones - n * p) / sqrt(n * p * (1 - p))
    note = f"{ones / n:.6f} are ones, {p:g} programmed"
    return Verdict("share of ones", far, float(_both_tails(ones, n, p)), note)


def runs_given_ones(values: Any, least: int = 100) -> Verdict:
    """As many runs as the counted ones and zeros let expect? Wald and Wolfowitz, two-sided.

    Statistic: the distance from the mean in standard deviations; negative where bits stick.

    Raises:
        UserError: not bits, or fewer than ``least``.
    """
    bits = as_bits(values, least, "runs")
    n, ones = len(bits), int(bits.sum(dtype=np.int64))
    if verdict := _equal(bits, "runs"):
        return verdict
    count = 1 + int((bits[1:] != bits[:-1]).sum())
    double = 2 * ones * (n - ones)
    mean = 1 + double / n
    far = (count - mean) / sqrt(double * (double - n) / (n * n * (n - 1)))
    return Verdict("runs", far, float(special.erfc(abs(far) / sqrt(2))), f"{count} for {mean:.1f}")


def block_share(
    values: Any, p: float | None = None, block: int | None = None, least: int = 1000
) -> Verdict:
    """Are the ones spread evenly over blocks?

    Statistic: chi-squared; one degree of freedom a block, one less where p is estimated.

    Args:
        values: (n,) bits.
        p: Programmed probability of a 1, or None.
        block: Bits of a block; by default 128, or more until 25 is the variance of its ones.
        least: Fewest bits taken.

    Raises:
        UserError: not bits, fewer than ``least`` or two blocks, or ``p`` not between 0 and 1.
    """
    bits = as_bits(values, least, "block share")
    chance = _share(bits, p)
    if verdict := _equal(bits, "block share"):
        return verdict
    size = block or max(128, ceil(25 / (chance * (1 - chance))))
    as_bits(bits, 2 * size, "block share")
    whole = windows_of(bits, size)
    ones = whole.sum(axis=1, dtype=np.int64)
    chance = float(whole.mean()) if p is None else chance
    chi2 = float(((ones - size * chance) ** 2).sum() / (size * chance * (1 - chance)))
    freedom = len(ones) - (p is None)
    p_value = float(stats.chi2.sf(chi2, freedom))
    return Verdict("block share", chi2, p_value, f"{len(ones)} blocks of {size}")


def word_length(bits: int, rarer: float) -> int:
    """Longest word of 8 bits at most whose rarest kind is expected five times; at least 1."""
    fits = (m for m in range(8, 1, -1) if bits // m * rarer**m >= 5)
    return next(fits, 1)


def words(
    values: Any, p: float | None = None, length: int | None = None, least: int = 1000
) -> Verdict:
    """Is each word of ``length`` bits as frequent as Bernoulli(p) lets expect?

    The words follow each other. Statistic: chi-squared with ``2**m - 1`` degrees of freedom, one
    less where p is estimated.

    Raises:
        UserError: not bits, fewer than ``least``, ``p`` not between 0 and 1, or a length out of
            2 to 16.
    """
    bits = as_bits(values, least, "words")
    chance = _share(bits, p)
    if verdict := _equal(bits, "words"):
        return verdict
    m = max(2, word_length(len(bits), min(chance, 1 - chance))) if length is None else length
    check_integer(m, 2, 16, "length")
    kinds = np.arange(1 << m)
    weight = np.array([int(kind).bit_count() for kind in kinds])
    found = np.bincount(blocks_of(bits, m), minlength=1 << m)
    chance = float(found @ weight / (found.sum() * m)) if p is None else chance
    expected = found.sum() * chance**weight * (1 - chance) ** (m - weight)
    chi2 = float(((found - expected) ** 2 / expected).sum())
    freedom = len(kinds) - 1 - (p is None)
    note = f"{found.sum()} words of {m}, {freedom} degrees of freedom"
    return Verdict("words", chi2, float(stats.chi2.sf(chi2, freedom)), note)


def independence_order(bits: int, rarer: float) -> int:
    """Greatest order, 6 at most, whose rarest word is expected ten times; at least 1.

    More cells would see finer patterns and miss plain ones: the noise grows with their number.
    """
    return min(6, max(1, int(log(max(bits * rarer, 20) / 10) / log(1 / rarer))))


def independence(values: Any, order: int | None = None, least: int = 1000) -> Verdict:
    """Does a bit depend on the ``order`` bits before it? Conditional on the ones; any p.

    Statistic: Pearson's chi-squared of the table (word before, bit) against independence, with
    ``2**order - 1`` degrees of freedom. Words overlap.

    Raises:
        UserError: not bits, fewer than ``least``, or an order out of 1 to 16.
    """
    bits = as_bits(values, least, "independence")
    if verdict := _equal(bits, "independence"):
        return verdict
    ones = float(bits.mean())
    m = independence_order(len(bits), min(ones, 1 - ones)) if order is None else order
    check_integer(m, 1, 16, "order")
    table = np.bincount(words_of(bits, m + 1), minlength=2 << m).reshape(-1, 2)
    table = table[table.sum(axis=1) > 0]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    chi2 = float(((table - expected) ** 2 / expected).sum())
    note = f"{m} bits before, {len(table) - 1} degrees of freedom"
    return Verdict("independence", chi2, float(stats.chi2.sf(chi2, len(table) - 1)), note)


def worst_window(
    values: Any, p: float | None = None, window: int = 1024, least: int = 1000
) -> Verdict:
    """Is any window off its share of ones? SP 800-90B's adaptive proportion, two-sided, with p.

    Statistic: ones in the least likely window. P is exact for one window and corrected for their
    number, ``1 - (1 - P)**windows``; as counts are whole numbers it errs on the side of passing.

    Raises:
        UserError: not bits, fewer than ``least`` or one window, or ``p`` not between 0 and 1.
    """
    bits = as_bits(values, max(least, window), "worst window")
    chance = _share(bits, p)
    if verdict := _equal(bits, "worst window"):
        return verdict
    ones = windows_of(bits, window).sum(axis=1, dtype=np.int64)
    tails = _both_tails(ones, window, chance)
    at = int(tails.argmin())
    p_value = -expm1(len(ones) * log1p(-min(float(tails[at]), 1 - 1e-16)))
    note = f"window {at} of {len(ones)}, {window * chance:.1f} expected"
    return Verdict("worst window", int(ones[at]), p_value, note)


def _longest(bits: Bits, value: int) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], bits == value, [0]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def equal_run(values: Any, p: float | None = None, least: int = 1000) -> Verdict:
    """Does the stream stick? The longest run of ones and of zeros.

    Statistic: the length of the less likely one. Runs of L or more are rare and nearly Poisson:
    with chance c of the value, ``(n - L) (1 - c) c**L + c**L`` are expected. P is doubled for the
    two values and errs on the side of passing, as lengths are whole numbers.

    Raises:
        UserError: not bits, fewer than ``least``, or ``p`` not between 0 and 1.
    """
    bits = as_bits(values, least, "equal run")
    chance, n = _share(bits, p), len(bits)
    if verdict := _equal(bits, "equal run"):
        return verdict
    found = []
    for value, c, name in ((1, chance, "of ones"), (0, 1 - chance, "of zeros")):
        length = _longest(bits, value)
        found.append((-expm1(-((n - length) * (1 - c) + 1) * c**length), length, name))
    p_value, length, name = min(found)
    return Verdict("equal run", length, min(1.0, 2 * p_value), name)


def drift(values: Any, least: int = 1000) -> Verdict:
    """Does the share of ones change along the stream? Conditional on the ones; any p.

    Statistic: ``max |S_k - k S_n / n| / sqrt(n p (1 - p))``, with Kolmogorov's distribution.

    Raises:
        UserError: not bits, or fewer than ``least``.
    """
    bits = as_bits(values, least, "drift")
    if verdict := _equal(bits, "drift"):
        return verdict
    n, sums = len(bits), np.cumsum(bits, dtype=np.int64)
    away = np.abs(sums - np.arange(1, n + 1) * (float(sums[-1]) / n))
    at, chance = int(away.argmax()), float(sums[-1]) / n
    far = float(away[at]) / sqrt(n * chance * (1 - chance))
    return Verdict("drift", far, float(special.kolmogorov(far)), f"farthest after {at + 1} bits")
