# SPDX-License-Identifier: Apache-2.0
"""A seeded stand-in for the spin unit: an ideal device whose every bit can be drawn again.

One uniform word of 16 bits is consumed by each write pulse; the device switches when the word is
below the drive code, so it switches with probability ``code / 2**16``. A device that switched means
that the scale is dropped: mask bit m = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scaledrop.frozen import FrozenNetwork

__all__ = ["masks_from_codes", "masks_from_words", "uniform_words"]


def uniform_words(seed: int, count: int, start: int = 0) -> npt.NDArray[np.uint16]:
    """``count`` uniform 16-bit words from ``seed``, from the ``start``-th on.

    Four to each 64-bit word of NumPy's PCG64, the lowest bits first; raw words are the one stream
    that NumPy promises never to change, and any part of it can be had without the rest.
    """
    generator = np.random.PCG64(seed)
    generator.advance(start // 4)
    skip = start % 4
    raw = generator.random_raw(-(-(skip + count) // 4)) if count else np.zeros(0)
    return np.asarray(raw, dtype="<u8").view("<u2")[skip : skip + count].astype(np.uint16)


def masks_from_codes(codes: Sequence[int], words: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Mask bits (..., L) of words whose last axis, or its folding, runs over the layers."""
    switched = words.astype(np.int64).reshape(-1, len(codes)) < np.array(codes, dtype=np.int64)
    return (~switched).astype(np.uint8)


def masks_from_words(
    network: FrozenNetwork, words: npt.NDArray[np.uint16], images: int, passes: int
) -> npt.NDArray[np.uint8]:
    """The masks (N, T, L) that the words produce: by image, then by pass, then by layer.

    That order is part of the contract of mode ``passes``.
    """
    codes = [layer.drop_code for layer in network.layers]
    return masks_from_codes(codes, words).reshape(images, passes, len(codes))
