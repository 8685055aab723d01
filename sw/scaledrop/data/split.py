# SPDX-License-Identifier: Apache-2.0
"""Held-out images, stratified by class and the same for ever."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["fifth", "held_out"]


def _quotas(counts: npt.NDArray[np.int64], total: int) -> npt.NDArray[np.int64]:
    """``total`` shared in proportion to ``counts``: largest remainder, the lowest class first."""
    quotas, remainders = np.divmod(counts * total, counts.sum())
    for label in np.argsort(-remainders, kind="stable")[: total - quotas.sum()]:
        quotas[label] += 1
    return np.asarray(quotas, dtype=np.int64)


def held_out(labels: npt.NDArray[np.int64], total: int, seed: int) -> npt.NDArray[np.bool_]:
    """Held-out rows: per class, those with the smallest 64-bit words of PCG64(seed), one per row.

    The raw words of a bit generator are the one stream that NumPy promises never to change.

    Args:
        labels: (N,) int64, 0 or more, N of 1 or more.
        total: how many rows are held out, 0 to N.
        seed: 0 or more.

    Returns:
        (N,) bool, True in ``total`` places.
    """
    words = np.asarray(np.random.PCG64(seed).random_raw(len(labels)))
    held = np.zeros(len(labels), dtype=np.bool_)
    for label, quota in enumerate(_quotas(np.bincount(labels), total)):
        rows = np.flatnonzero(labels == label)
        held[rows[np.argsort(words[rows], kind="stable")[:quota]]] = True
    return held


def fifth(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """The test rows of a set that came without a test part: one in five, rounded, seed 0.

    Args:
        labels: (N,) int64, 0 or more.

    Returns:
        (N,) bool.
    """
    return held_out(labels, (2 * len(labels) + 5) // 10, 0)
