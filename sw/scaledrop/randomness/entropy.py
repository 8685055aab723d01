# SPDX-License-Identifier: Apache-2.0
"""SP 800-90B estimates of the min-entropy of a binary source, in bits a bit: 6.3.1 to 6.3.4.

Each is a lower bound under its own model of the source, at a confidence of 99 %; the least of all
is what the standard takes. A million fair, independent bits do not give 1: collision
gives 0.94 and compression 0.88. None of them proves entropy; they can only show that it is missing.

Source: NIST SP 800-90B (2018), 6.3.
"""

from __future__ import annotations

import re
from math import inf, log2, sqrt
from typing import Any

import numpy as np
from scipy.optimize import brentq

from scaledrop.randomness.bits import Bits, Floats, as_bits
from scaledrop.randomness.patterns import blocks_of, distances

__all__ = ["Z", "collision", "compression", "markov", "most_common"]

Z = 2.5758293035489008
"""Standard deviations of the 99 % confidence that the standard asks for, printed there as 2.576."""

_BLOCK = 6
"""Bits of a block of the compression estimate."""


def most_common(values: Any) -> float:
    """6.3.1: the upper confidence limit of the commoner value, ``-log2 p_u``.

    Raises:
        UserError: not bits, or fewer than 2.
    """
    bits = as_bits(values, 2, "the most common value estimate")
    ones = float(bits.mean())
    return upper_entropy(max(ones, 1 - ones), len(bits))


def upper_entropy(share: float, count: int) -> float:
    """``-log2`` of the upper confidence limit of a share seen in ``count`` bits."""
    upper = share + Z * sqrt(share * (1 - share) / (count - 1))
    return -log2(min(1.0, upper)) + 0.0


def collision(values: Any) -> float:
    """6.3.2: from the mean time until a value of a source repeats.

    With bits it repeats after 2 or 3, and ``2 + 2 p (1 - p)`` on average, which gives p.

    Raises:
        UserError: not bits, or fewer than 6.
    """
    bits = as_bits(values, 6, "the collision estimate")
    found = re.findall(rb"00|11|[01][01][01]", (bits + ord("0")).tobytes())
    times = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    spread = float(times.std(ddof=1))
    lower = max(float(times.mean()) - Z * spread / sqrt(len(times)), 2.0)
    if lower > 2.5:
        return 1.0
    return -log2(0.5 + sqrt(1.25 - 0.5 * lower)) + 0.0


def _step(bits: Bits) -> tuple[Floats, Floats]:
    """Logarithms of the shares of 0 and 1, and of the transitions [from, to]; never seen: -inf."""
    pairs = np.bincount(2 * bits[:-1].astype(np.int64) + bits[1:], minlength=4).reshape(2, 2)
    ones = float(bits.mean())
    with np.errstate(divide="ignore"):
        shares = np.log2(np.array([1 - ones, ones]))
        steps = np.log2(pairs / np.maximum(pairs.sum(axis=1, keepdims=True), 1))
    return shares, steps


def markov(values: Any) -> float:
    """6.3.3: the likeliest 128 bits of the first-order Markov chain that the stream shows.

    Raises:
        UserError: not bits, or fewer than 2.
    """
    shares, steps = _step(as_bits(values, 2, "the Markov estimate"))
    best = -inf
    for start in (0, 1):
        other = 1 - start
        stay, back = steps[start, start], steps[other, other]
        leave, come = steps[start, other], steps[other, start]
        paths = (127 * stay, 64 * leave + 63 * come, leave + 126 * back)
        best = max(best, *(float(shares[start] + path) for path in paths))
    return min(-best / 128 + 0.0, 1.0)


def _mean_log(chance: float, first: int, logs: Floats) -> float:
    """G of 6.3.4: the mean log2 of the distance to the last block of a given kind."""
    blocks = len(logs)
    place = np.arange(1, blocks + 1)
    fade = logs * (1 - chance) ** (place - 1)
    inside = chance**2 * float(fade @ (blocks - np.maximum(place, first)))
    return (inside + chance * float(fade[first:].sum())) / (blocks - first)


def compression(values: Any, first: int = 1000) -> float:
    """6.3.4: how well the stream compresses, by Maurer's statistic of blocks of 6 bits.

    Args:
        values: (n,) bits.
        first: Blocks that only fill the dictionary.

    Raises:
        UserError: not bits, or fewer than ``6 (first + 2)``.
    """
    bits = as_bits(values, _BLOCK * (first + 2), "the compression estimate")
    blocks, kinds = blocks_of(bits, _BLOCK), 1 << _BLOCK
    seen = np.log2(distances(blocks)[first:])
    count, mean = len(seen), float(seen.mean())
    square = float((seen**2).sum()) / (count - 1) - mean**2
    lower = mean - Z * 0.5907 * sqrt(max(square, 0.0) / count)
    logs: Floats = np.log2(np.arange(1, len(blocks) + 1))

    def excess(chance: float) -> float:
        rest = (1 - chance) / (kinds - 1)
        return _mean_log(chance, first, logs) + (kinds - 1) * _mean_log(rest, first, logs) - lower

    if excess(1 / kinds) <= 0:
        return 1.0
    if excess(1.0) >= 0:
        return 0.0
    return -log2(float(brentq(excess, 1 / kinds, 1.0, xtol=1e-15))) / _BLOCK
