# SPDX-License-Identifier: Apache-2.0
"""Images as frames of the pixel stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scaledrop.device_sizes import DeviceSizes
from scaledrop.errors import UserError
from scaledrop.images import stream_order

__all__ = ["pixel_frames"]


def pixel_frames(
    images: npt.ArrayLike, sizes: DeviceSizes, shape: Sequence[int] | None
) -> list[bytes]:
    """The bytes of every image.

    Args:
        images: (N, pixels), or (N, *shape).
        shape: Of an image as users hold it, which is put into the order of the stream; None takes
            pixels in that order already.

    Raises:
        UserError: another shape, or a pixel that is no whole number in range.
    """
    pixels = np.asarray(images)
    most = (1 << sizes.input_bits) - 1
    if shape is not None and pixels.shape[1:] == tuple(shape):
        pixels = pixels.reshape(len(pixels), -1)
    if pixels.ndim != 2 or pixels.shape[1] != sizes.pixels:
        raise UserError(f"images: must be (N, {sizes.pixels}), not {np.shape(images)}")
    if pixels.dtype.kind not in "iu" or (pixels.size and not _fit(pixels, most)):
        raise UserError(f"images: pixels must be whole numbers from 0 to {most}")
    ordered = pixels if shape is None else stream_order(pixels, tuple(shape))
    return [row.tobytes() for row in ordered.astype(f"<u{sizes.pixel_bytes}")]


def _fit(pixels: npt.NDArray[np.integer], most: int) -> bool:
    return int(pixels.min()) >= 0 and int(pixels.max()) <= most
