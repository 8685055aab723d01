# SPDX-License-Identifier: Apache-2.0
"""SP 800-90B estimates from repeated words: t-tuple (6.3.5) and longest repeated substring (6.3.6).

The words come from a suffix array by prefix doubling. Words of up to 128 bits are all looked at;
beyond, one length in twenty and the longest of all, since each estimate is the best of many
lengths that lie close together. Memory: some 25 arrays of n whole numbers.

Source: NIST SP 800-90B (2018).
"""

from __future__ import annotations

from math import comb
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from scaledrop.randomness.bits import Bits, as_bits
from scaledrop.randomness.entropy import upper_entropy

__all__ = ["TupleEstimates", "common_prefixes", "tuple_estimates"]

Whole = npt.NDArray[np.int64]

ALL_UP_TO = 128
STEP = 1.05


class TupleEstimates(NamedTuple):
    """Min-entropy in bits a bit, or None where the standard has no estimate."""

    t_tuple: float | None
    longest_repeat: float | None
    shortest_rare: int
    """u: least length of which no word is seen ``cutoff`` times."""
    longest: int
    """v: length of the longest repeated word."""


def _ranks(bits: Bits) -> list[Whole]:
    """Ranks of the words of 1, 2, 4, ... bits that begin at each place, until all differ."""
    n = len(bits)
    levels = [bits.astype(np.int64) + 1]
    length = 1
    while levels[-1].max() < n and length < n:
        ahead = np.zeros(n, dtype=np.int64)
        ahead[: n - length] = levels[-1][length:]
        keys = levels[-1] * (n + 1) + ahead
        order = np.argsort(keys, kind="stable")
        ranks = np.empty(n, dtype=np.int64)
        ranks[order] = 1 + np.cumsum(np.diff(keys[order], prepend=keys[order[0]]) > 0)
        levels.append(ranks)
        length *= 2
    return levels


def common_prefixes(bits: Bits) -> Whole:
    """Length of the word that each suffix shares with the next one in order, (n - 1,)."""
    n, levels = len(bits), _ranks(bits)
    order = np.argsort(levels[-1], kind="stable")
    left, right = order[:-1].copy(), order[1:].copy()
    shared = np.zeros(n - 1, dtype=np.int64)
    for power in range(len(levels) - 1, -1, -1):
        size = 1 << power
        inside = np.maximum(left, right) + size <= n
        equal = inside.copy()
        equal[inside] = levels[power][left[inside]] == levels[power][right[inside]]
        for place in (shared, left, right):
            place[equal] += size
    return shared


def _counts(shared: Whole, length: int) -> Whole:
    """How often each word of ``length`` bits is seen, of those seen twice or more."""
    marks = np.concatenate([[0], (shared >= length).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(marks))
    return np.asarray(edges[1::2] - edges[::2] + 1, dtype=np.int64)


def _lengths(first: int, last: int) -> list[int]:
    chosen = list(range(first, min(last, ALL_UP_TO) + 1))
    length = float(max(first, ALL_UP_TO + 1))
    while length < last:
        chosen.append(int(length))
        length *= STEP
    return chosen if last in chosen or last < first else [*chosen, last]


def _most(shared: Whole, length: int) -> int:
    return int(_counts(shared, length).max(initial=1))


def _first_rare(shared: Whole, longest: int, cutoff: int) -> int:
    """Least length of which no word is seen ``cutoff`` times: counts fall with the length."""
    low, high = 1, longest + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if _most(shared, middle) >= cutoff else (low, middle)
    return low


def tuple_estimates(values: Any, cutoff: int = 35) -> TupleEstimates:
    """Both estimates at once.

    Args:
        values: (n,) bits.
        cutoff: How often a word must be seen to count for the first; 35 in the standard.

    Raises:
        UserError: not bits, or fewer than ``2 cutoff``.
    """
    bits = as_bits(values, max(2 * cutoff, 4), "the t-tuple estimate")
    n, shared = len(bits), common_prefixes(bits)
    longest = int(shared.max())
    rare = _first_rare(shared, longest, cutoff)
    common = [
        (_most(shared, size) / (n - size + 1)) ** (1 / size) for size in _lengths(1, rare - 1)
    ]
    repeats = []
    for size in _lengths(rare, longest):
        counts = _counts(shared, size).astype(np.float64)
        pairs = float((counts * (counts - 1) / 2).sum())
        repeats.append((pairs / comb(n - size + 1, 2)) ** (1 / size))
    return TupleEstimates(
        t_tuple=upper_entropy(max(common), n) if common else None,
        longest_repeat=upper_entropy(max(repeats), n) if repeats else None,
        shortest_rare=rare,
        longest=longest,
    )
