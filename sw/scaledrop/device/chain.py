# SPDX-License-Identifier: Apache-2.0
"""Bits that depend on the bit before them, without a loop over the bits.

A word u gives the bit ``u < after[previous]``. Where both thresholds agree the bit is certain
whatever came before; only between them does it copy (or, if ``after[0]`` is the larger one, invert)
the previous bit. Such bits come in runs, each with a certain bit before it: the run is resolved by
that bit and the parity of the inversions since.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["resolve", "spin_words"]

Words = npt.NDArray[np.uint32]
Bits = npt.NDArray[np.bool_]


def spin_words(seed: int, count: int, start: int = 0) -> Words:
    """``count`` uniform 32-bit words from ``seed``, from the ``start``-th on.

    Two to each 64-bit word of NumPy's PCG64, the lower half first; raw words are the one stream
    that NumPy promises never to change, and any part of it can be had without the rest.
    """
    generator = np.random.PCG64(seed)
    generator.advance(start // 2)
    skip = start % 2
    raw = generator.random_raw(-(-(skip + count) // 2)) if count else np.zeros(0)
    words = np.asarray(raw, dtype="<u8").view("<u4")[skip : skip + count]
    return words.astype(np.uint32, copy=False)


def resolve(words: Words, after_0: Words | int, after_1: Words | int, previous: int) -> Bits:
    """The bits (N,) of ``words``, the first one after the bit ``previous``.

    Args:
        words: uint32 (N,).
        after_0, after_1: Thresholds after a 0 and after a 1, uint32: (N,), or one for all words.
        previous: Bit before the first word.
    """
    bits = words < np.asarray(after_0, dtype=np.uint32)
    if np.array_equal(after_0, after_1):
        return bits
    unsure = np.flatnonzero(bits != (words < np.asarray(after_1, dtype=np.uint32)))
    if not unsure.size:
        return bits
    # After a 0 an unsure word gives `bits`, after a 1 its opposite: so 1 here means "invert".
    inverts = np.cumsum(bits[unsure])
    first = np.flatnonzero(np.diff(unsure, prepend=-2) != 1)
    before = unsure[first] - 1
    known = np.where(before >= 0, bits[before], bool(previous))
    done = np.where(first > 0, inverts[first - 1], 0)
    lengths = np.diff(first, append=unsure.size)
    bits[unsure] = ((inverts - np.repeat(done - known, lengths)) & 1).astype(bool)
    return bits
