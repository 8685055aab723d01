# SPDX-License-Identifier: Apache-2.0
"""SP 800-22, 2.5: the rank of binary matrices filled with the stream."""

from __future__ import annotations

from math import exp, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.randomness.bits import as_bits
from scaledrop.randomness.verdict import Verdict

__all__ = ["matrix_rank", "rank_chances", "ranks_of"]

SIZE = 32


def ranks_of(matrices: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Ranks over GF(2) of matrices (count, rows), each row a word of 32 columns.

    All are eliminated at once, column by column; a copy is worked on.
    """
    work, lines = matrices.copy(), np.arange(len(matrices))
    rank = np.zeros(len(work), dtype=np.int64)
    place = np.arange(work.shape[1])
    for column in range(SIZE):
        has = (work >> np.uint32(column)) & np.uint32(1)
        free = (has == 1) & (place >= rank[:, None])
        found, pivot = free.any(axis=1), free.argmax(axis=1)
        to = np.minimum(rank, work.shape[1] - 1)
        row, other = work[lines, pivot], work[lines, to]
        # Where no pivot is found, row 0 is swapped with itself.
        work[lines[found], pivot[found]] = other[found]
        work[lines[found], to[found]] = row[found]
        clear = found[:, None] & (place != to[:, None])
        clear &= ((work >> np.uint32(column)) & np.uint32(1)) == 1
        work ^= np.where(clear, row[:, None], np.uint32(0))
        rank += found
    return rank


def rank_chances() -> tuple[float, float, float]:
    """Chances that a random 32 by 32 matrix has rank 32, 31, or less (3.5 of the standard)."""

    def chance(rank: int) -> float:
        power = rank * (2 * SIZE - rank) - SIZE * SIZE
        parts = ((1 - 2.0 ** (i - SIZE)) ** 2 / (1 - 2.0 ** (i - rank)) for i in range(rank))
        return float(2.0**power * prod(parts))

    full, less = chance(SIZE), chance(SIZE - 1)
    return full, less, 1 - full - less


def matrix_rank(values: Any, least: int = 38 * SIZE * SIZE) -> Verdict:
    """Are the rows of 32 by 32 matrices as often independent as they should be? 2.5.

    Statistic: chi-squared over the ranks 32, 31 and less, two degrees of freedom.

    Raises:
        UserError: not bits, or fewer than ``least`` or one matrix.
    """
    bits = as_bits(values, max(least, SIZE * SIZE), "matrix rank")
    count = len(bits) // (SIZE * SIZE)
    packed = np.packbits(bits[: count * SIZE * SIZE]).view(">u4").astype(np.uint32)
    ranks = ranks_of(packed.reshape(count, SIZE))
    full, less = int((ranks == SIZE).sum()), int((ranks == SIZE - 1).sum())
    found = np.array([full, less, count - full - less])
    expected = count * np.array(rank_chances())
    chi2 = float(((found - expected) ** 2 / expected).sum())
    return Verdict("matrix rank", chi2, exp(-chi2 / 2), f"{full}, {less}, {found[2]} of {count}")
