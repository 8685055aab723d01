# SPDX-License-Identifier: Apache-2.0
"""A seeded stand-in for the spin unit: an ideal device whose every bit can be drawn again.

One uniform word of 16 bits is consumed by each write pulse; the device switches when the word is
below the drive code, so it switches with probability ``code / 2**16``. A device that switched means
that the scale is dropped: mask bit m = 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.frozen import FrozenNetwork
from scaledrop.numbers import DROP_BITS

__all__ = ["masks_from_words", "uniform_words"]


def uniform_words(seed: int, count: int) -> npt.NDArray[np.uint16]:
    """``count`` uniform 16-bit words from ``seed`` (NumPy PCG64)."""
    return np.random.default_rng(seed).integers(0, 2**DROP_BITS, count, dtype=np.uint16)


def masks_from_words(
    network: FrozenNetwork, words: npt.NDArray[np.uint16], images: int, passes: int
) -> npt.NDArray[np.uint8]:
    """The masks (N, T, L) that the words produce: by image, then by pass, then by layer.

    That order is part of the contract of mode ``passes``.
    """
    codes = np.array([layer.drop_code for layer in network.layers], dtype=np.int64)
    switched = words.astype(np.int64).reshape(images, passes, len(codes)) < codes
    return (~switched).astype(np.uint8)
