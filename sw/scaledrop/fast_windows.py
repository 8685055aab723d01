# SPDX-License-Identifier: Apache-2.0
"""Windows over maps held channels last: views of patches, in pieces of bounded size."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.graph import Window

__all__ = ["band_view", "max_pool", "patch_view", "pieces"]

Floats = npt.NDArray[Any]

PATCH_BYTES = 16 * 2**20
"""Largest copy of patches at a time."""


def patch_view(padded: Floats, window: Window) -> Floats:
    """A view (N, OH, OW, K, K * C) of (N, H, W, C)."""
    columns = (padded.shape[2] - window.size) // window.stride + 1
    n, h, w, c = padded.strides
    step = window.stride
    return np.lib.stride_tricks.as_strided(
        padded,
        (
            len(padded),
            _heights(padded, window),
            columns,
            window.size,
            window.size * padded.shape[3],
        ),
        (n, h * step, w * step, h, c),
        writeable=False,
    )


def band_view(padded: Floats, window: Window) -> Floats:
    """A view (N, OH, K * W * C) of (N, H, W, C)."""
    n, h, _, c = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (len(padded), _heights(padded, window), window.size * padded.shape[2] * padded.shape[3]),
        (n, h * window.stride, c),
        writeable=False,
    )


def _heights(padded: Floats, window: Window) -> int:
    return int((padded.shape[1] - window.size) // window.stride + 1)


def pieces(view: Floats) -> list[Floats]:
    """``view`` (N, OH, ...) in pieces that are no more than :data:`PATCH_BYTES` once copied."""
    count, heights = view.shape[:2]
    row = view.itemsize * int(np.prod(view.shape[2:]))
    if count * heights * row <= PATCH_BYTES:
        return [view]
    images = PATCH_BYTES // (heights * row)
    if images:
        return [view[at : at + images] for at in range(0, count, images)]
    band = max(1, PATCH_BYTES // row)
    return [one[at : at + band] for one in view for at in range(0, heights, band)]


def max_pool(values: Floats, size: int) -> Floats:
    height, width = (edge // size for edge in values.shape[1:3])
    result = values[:, : height * size : size, : width * size : size]
    for row in range(size):
        for column in range(size):
            if row or column:
                part = values[:, row : height * size : size, column : width * size : size]
                result = np.maximum(result, part)
    return result
