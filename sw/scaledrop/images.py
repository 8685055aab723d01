# SPDX-License-Identifier: Apache-2.0
"""Images as every evaluator takes them: whole pixels in range, one image a row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = ["checked_pixels", "stream_order"]


def checked_pixels(
    images: npt.NDArray[Any], shape: tuple[int, ...], bits: int
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Images (N, *shape) or (N, size) as (N, size) of uint8, or of uint16 for more than 8 bits.

    The result is contiguous, in the machine's byte order, and may share memory with ``images``.

    Raises:
        UserError: wrong shape, no integers, or a pixel outside ``0 .. 2**bits - 1``.
    """
    images = np.asarray(images)
    size = math.prod(shape)
    if images.ndim < 2 or images.shape[1:] not in (shape, (size,)):
        raise UserError(f"images: shape must be (N, {size}), not {images.shape}")
    if images.dtype.kind not in "iu":
        raise UserError(f"images: must be integers of {bits} bits, not {images.dtype}")
    top = (1 << bits) - 1
    if images.size and (images.min() < 0 or images.max() > top):
        worst = images.min() if images.min() < 0 else images.max()
        raise UserError(f"images: pixels must be 0 to {top}, not {worst}")
    kind = np.uint8 if bits <= 8 else np.uint16
    return np.ascontiguousarray(images.reshape(len(images), size), dtype=kind)


def stream_order(
    pixels: npt.NDArray[np.integer], shape: tuple[int, ...], back: bool = False
) -> npt.NDArray[np.integer]:
    """Pixels (N, size) of images of ``shape`` as the hardware takes them, or back from there.

    Raster positions, channels of a position together: a (C, H, W) image goes as (H, W, C).
    """
    if len(shape) != 3:
        return pixels
    channels, height, width = shape
    if back:
        maps = pixels.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
    else:
        maps = pixels.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    return maps.reshape(pixels.shape)
