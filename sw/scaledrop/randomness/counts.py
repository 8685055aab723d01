# SPDX-License-Identifier: Apache-2.0
"""SP 800-22 tests that count: frequency, block frequency, runs, longest run, cumulative sums.

The null hypothesis is that of the standard: independent bits that are 1 with probability one half.
For another probability see :mod:`scaledrop.randomness.bernoulli`. ``least`` is the fewest bits that
a test takes; its default is what the standard recommends.

Source: NIST SP 800-22 rev. 1a (2010), 2.1 to 2.4 and 2.13.
"""

from __future__ import annotations

from functools import cache
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erfc, gammaincc, ndtr

from scaledrop.randomness.bits import Bits, as_bits, windows_of
from scaledrop.randomness.verdict import Verdict

__all__ = [
    "block_frequency",
    "cumulative_sums",
    "frequency",
    "longest_run",
    "longest_run_chances",
    "longest_run_classes",
    "runs",
]

_LONGEST = ((128, 8, 1, 4), (6272, 128, 4, 9), (750_000, 10_000, 10, 16))
"""From so many bits on: bits of a block, and the runs of the first and the last class."""


def frequency(values: Any, least: int = 100) -> Verdict:
    """As many ones as zeros? 2.1 (monobit).

    Statistic: ``|S_n| / sqrt(n)``.

    Raises:
        UserError: not bits, or fewer than ``least``.
    """
    bits = as_bits(values, least, "frequency")
    far = abs(2 * int(bits.sum(dtype=np.int64)) - len(bits)) / sqrt(len(bits))
    return Verdict("frequency", far, float(erfc(far / sqrt(2))), f"{bits.mean():.6f} are ones")


def block_frequency(values: Any, block: int = 128, least: int = 100) -> Verdict:
    """As many ones as zeros in each block of ``block`` bits? 2.2.

    Statistic: chi-squared with one degree of freedom for each block.

    Raises:
        UserError: not bits, or fewer than ``least`` or one block.
    """
    bits = as_bits(values, max(least, block), "block frequency")
    shares = windows_of(bits, block).mean(axis=1)
    chi2 = 4 * block * float(((shares - 0.5) ** 2).sum())
    p_value = float(gammaincc(len(shares) / 2, chi2 / 2))
    return Verdict("block frequency", chi2, p_value, f"{len(shares)} blocks of {block}")


def runs(values: Any, least: int = 100) -> Verdict:
    """As many runs as the share of ones lets expect? 2.3.

    Statistic: the number of runs. Where the share of ones is off by ``2 / sqrt(n)`` or more the
    standard does not run the test and sets P = 0.

    Raises:
        UserError: not bits, or fewer than ``least``.
    """
    bits = as_bits(values, least, "runs")
    n, share = len(bits), float(bits.mean())
    count = 1 + int((bits[1:] != bits[:-1]).sum())
    if abs(share - 0.5) >= 2 / sqrt(n):
        return Verdict("runs", count, 0.0, f"not run: {share:.4f} are ones, too far from one half")
    both = share * (1 - share)
    p_value = float(erfc(abs(count - 2 * n * both) / (2 * sqrt(2 * n) * both)))
    return Verdict("runs", count, p_value, f"{2 * n * both:.0f} expected")


def longest_run_classes(bits: Bits) -> tuple[int, int, int, npt.NDArray[np.int64]]:
    """Block length, least and largest class, and how many blocks fall into each class."""
    _, block, low, high = next(row for row in reversed(_LONGEST) if len(bits) >= row[0])
    blocks = windows_of(bits, block)
    run, longest = np.zeros(len(blocks), np.int64), np.zeros(len(blocks), np.int64)
    for column in blocks.T:
        run = (run + 1) * column
        np.maximum(longest, run, out=longest)
    found = np.bincount(np.clip(longest, low, high) - low, minlength=high - low + 1)
    return block, low, high, found


@cache
def longest_run_chances(block: int, low: int, high: int) -> tuple[float, ...]:
    """Chance that the longest run of ones of a block is ``low`` or less, ..., ``high`` or more.

    ``Q(n)``, the chance that n fair bits have no run longer than r, follows
    ``Q(n) = Q(n-1) - Q(n-r-2) / 2**(r+2)``; the standard prints these to four digits.
    """
    below = []
    for longest in range(low, high):
        q = [1.0] * (longest + 1) + [1 - 0.5 ** (longest + 1)]
        while len(q) <= block:
            q.append(q[-1] - q[-longest - 2] * 0.5 ** (longest + 2))
        below.append(q[block])
    return tuple(float(step) for step in np.diff([0.0, *below, 1.0]))


def longest_run(values: Any, least: int = 128) -> Verdict:
    """Is the longest run of ones in a block as long as it should be? 2.4.

    Blocks of 8, 128 or 10 000 bits from 128, 6272 and 750 000 bits on. Statistic: chi-squared over
    the classes. Chances of the classes are exact, not the four digits of the standard: P may differ
    from its examples in the third digit.

    Raises:
        UserError: not bits, or fewer than ``least`` or 128.
    """
    bits = as_bits(values, max(least, 128), "longest run")
    block, low, high, found = longest_run_classes(bits)
    expected = found.sum() * np.array(longest_run_chances(block, low, high))
    chi2 = float(((found - expected) ** 2 / expected).sum())
    p_value = float(gammaincc((high - low) / 2, chi2 / 2))
    return Verdict("longest run", chi2, p_value, f"{found.sum()} blocks of {block}")


def cumulative_sums(values: Any, *, backward: bool = False, least: int = 100) -> Verdict:
    """Does the walk of the bits, each -1 or +1, stay as near to zero as it should? 2.13.

    Statistic: the greatest distance from zero.

    Raises:
        UserError: not bits, or fewer than ``least``.
    """
    bits = as_bits(values, least, "cumulative sums")
    n, steps = len(bits), 2 * (bits[::-1] if backward else bits).astype(np.int64) - 1
    far = int(np.abs(np.cumsum(steps)).max())
    unit = far / sqrt(n)
    # The bounds are cut towards zero, as in the examples of the standard and in its tool.
    k = np.arange(int((-n / far + 1) / 4), int((n / far - 1) / 4) + 1)
    first = (ndtr((4 * k + 1) * unit) - ndtr((4 * k - 1) * unit)).sum()
    k = np.arange(int((-n / far - 3) / 4), int((n / far - 1) / 4) + 1)
    second = (ndtr((4 * k + 3) * unit) - ndtr((4 * k + 1) * unit)).sum()
    name = f"cumulative sums {'backward' if backward else 'forward'}"
    return Verdict(name, far, float(min(max(1 - first + second, 0.0), 1.0)), f"{n} steps")
