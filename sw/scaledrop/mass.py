# SPDX-License-Identifier: Apache-2.0
"""Probability mass as an integer: how it splits between the outcomes of a visit, what is pruned.

Mass is counted in units of ``2**-MASS_BITS``. Neither side of a split falls when the mass that is
split rises, so the heaviest leaf behind a side is found by following the heavier side every time.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import lru_cache

from scaledrop.numbers import DROP_BITS

__all__ = ["MASS", "MASS_BITS", "least_cutoff", "split"]

MASS_BITS = 24
MASS = 1 << MASS_BITS
"""All of it."""

Codes = Sequence[int]


def _sides(mass: int, code: int) -> tuple[int, int]:
    dropped = mass * code >> DROP_BITS
    return mass - dropped, dropped


def _heaviest_leaf(codes: Codes, layer: int, mass: int) -> int:
    """Behind a side of ``mass`` that reaches ``layer``; with no layer left, the side itself."""
    for at in range(layer, len(codes)):
        mass = max(_sides(mass, codes[at]))
    return mass


def split(codes: Codes, layer: int, mass: int, cutoff: int) -> tuple[int, int]:
    """Mass kept and dropped. The lighter side (ties: dropped) is 0 if no leaf behind it has the
    cutoff."""
    kept, dropped = _sides(mass, codes[layer])
    if _heaviest_leaf(codes, layer + 1, min(kept, dropped)) < cutoff:
        return (kept, 0) if kept >= dropped else (0, dropped)
    return kept, dropped


@lru_cache(maxsize=64)
def least_cutoff(codes: tuple[int, ...], leaves: int) -> int:
    """The least cutoff that leaves at most so many leaves, 1 or more; 0 if there are no more.

    One more than the heaviest leaf that is left out: leaves come off a heap, the heaviest first.
    """
    heap = [(-_heaviest_leaf(codes, 0, MASS), 0, MASS)]
    found = 0
    while heap:
        _, layer, mass = heapq.heappop(heap)
        for at in range(layer, len(codes)):
            lighter, mass = sorted(_sides(mass, codes[at]))
            if lighter:
                heapq.heappush(heap, (-_heaviest_leaf(codes, at + 1, lighter), at + 1, lighter))
        found += 1
        if found > leaves:
            return mass + 1
    return 0
