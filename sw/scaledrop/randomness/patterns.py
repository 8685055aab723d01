# SPDX-License-Identifier: Apache-2.0
"""SP 800-22 tests on words of bits: serial, approximate entropy, Maurer's universal test.

Source: NIST SP 800-22 rev. 1a (2010), 2.9, 2.11, 2.12. The null hypothesis is a fair coin.
"""

from __future__ import annotations

from math import erfc, log, log2, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc, xlogy

from scaledrop.checks import check_integer
from scaledrop.randomness.bits import Bits, Floats, as_bits, windows_of, words_of
from scaledrop.randomness.verdict import Verdict

__all__ = ["approximate_entropy", "distances", "entropy_length", "serial", "serial_length"]
__all__ += ["universal"]

_UNIVERSAL = {
    6: (5.2177052, 2.954),
    7: (6.1962507, 3.125),
    8: (7.1836656, 3.238),
    9: (8.1764248, 3.311),
    10: (9.1723243, 3.356),
    11: (10.170032, 3.384),
    12: (11.168765, 3.401),
    13: (12.168070, 3.410),
    14: (13.167693, 3.416),
    15: (14.167488, 3.419),
    16: (15.167379, 3.421),
}
"""Bits of a block: mean and variance of log2 of the distance of a block from its like (2.9.4)."""


def serial_length(bits: int) -> int:
    """Longest word of the serial test, ``m < floor(log2 n) - 2``, 16 at most."""
    return min(16, int(log2(bits)) - 3)


def entropy_length(bits: int) -> int:
    """Longest word of approximate entropy, ``m < floor(log2 n) - 5``, 10 at most."""
    return min(10, int(log2(bits)) - 6)


def _psi2(bits: Bits, length: int) -> float:
    if length < 1:
        return 0.0
    counts = np.bincount(words_of(bits, length, circular=True), minlength=1 << length)
    return float(counts @ counts) * (1 << length) / len(bits) - len(bits)


def serial(values: Any, length: int | None = None, least: int = 32) -> tuple[Verdict, Verdict]:
    """Is every word of ``length`` bits as frequent as any other? 2.11.

    Statistics: the first and second difference of psi-squared. Words overlap and go round.

    Args:
        length: m, 2 to 24; :func:`serial_length` if None.

    Raises:
        UserError: not bits, fewer than ``least``, or a length out of range.
    """
    bits = as_bits(values, least, "serial")
    m = max(2, serial_length(len(bits))) if length is None else length
    check_integer(m, 2, 24, "length")
    psi = [_psi2(bits, m - step) for step in range(3)]
    first, second = psi[0] - psi[1], psi[0] - 2 * psi[1] + psi[2]
    return (
        Verdict("serial 1", first, float(gammaincc(2.0 ** (m - 2), first / 2)), f"words of {m}"),
        Verdict("serial 2", second, float(gammaincc(2.0 ** (m - 3), second / 2)), f"words of {m}"),
    )


def _phi(bits: Bits, length: int) -> float:
    if length < 1:
        return 0.0
    shares = np.bincount(words_of(bits, length, circular=True)) / len(bits)
    return float(xlogy(shares, shares).sum())


def approximate_entropy(values: Any, length: int | None = None, least: int = 128) -> Verdict:
    """Do words of m + 1 bits tell as much more than words of m bits as they should? 2.12.

    Statistic: ``2 n (ln 2 - ApEn(m))``, chi-squared with ``2**m`` degrees of freedom.

    Args:
        length: m, 1 to 20; :func:`entropy_length` if None.

    Raises:
        UserError: not bits, fewer than ``least``, or a length out of range.
    """
    bits = as_bits(values, least, "approximate entropy")
    m = max(1, entropy_length(len(bits))) if length is None else length
    check_integer(m, 1, 20, "length")
    chi2 = 2 * len(bits) * (log(2) - (_phi(bits, m) - _phi(bits, m + 1)))
    p_value = float(gammaincc(2.0 ** (m - 1), max(chi2, 0.0) / 2))
    return Verdict("approximate entropy", chi2, p_value, f"words of {m} and {m + 1}")


def distances(blocks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How far back the same block was last; for the first of its kind, its place from 1 on."""
    order = np.argsort(blocks, kind="stable")
    same = np.concatenate([[False], blocks[order][1:] == blocks[order][:-1]])
    before = np.where(same, np.concatenate([[0], order[:-1]]), -1)
    result = np.empty(len(blocks), dtype=np.int64)
    result[order] = order - before
    return result


def blocks_of(bits: Bits, length: int) -> npt.NDArray[np.int64]:
    """Blocks that follow each other as numbers, first bit most significant."""
    weights = 1 << np.arange(length - 1, -1, -1, dtype=np.int64)
    return np.asarray(windows_of(bits, length) @ weights, dtype=np.int64)


def universal(values: Any, least: int = 387_840) -> Verdict:
    """Can the stream be compressed? 2.9, Maurer's universal test.

    Statistic: the mean of log2 of the distance between equal blocks, of 6 bits from 387 840 bits
    on, one more where ``1010 * 2**L * L`` bits are reached.

    Raises:
        UserError: not bits, or fewer than ``least`` or 387 840.
    """
    bits = as_bits(values, max(least, 387_840), "universal")
    length = max(size for size in _UNIVERSAL if len(bits) >= 1010 * size << size)
    first, blocks = 10 << length, blocks_of(bits, length)
    logs: Floats = np.log2(distances(blocks)[first:])
    mean, variance = _UNIVERSAL[length]
    count, statistic = len(logs), float(logs.mean())
    factor = 0.7 - 0.8 / length + (4 + 32 / length) * count ** (-3 / length) / 15
    far = abs(statistic - mean) / (sqrt(2 * variance / count) * factor)
    return Verdict("universal", statistic, erfc(far), f"blocks of {length}, {mean:.4f} expected")
