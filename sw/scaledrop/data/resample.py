# SPDX-License-Identifier: Apache-2.0
"""Linear resampling and filtering of many images at once."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["bilinear", "box_matrix", "correlate", "gaussian_matrix", "zoom_matrix"]

Floats = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]
Border = Literal["zero", "mirror", "symmetric"]


def _fold(index: Index, length: int, border: Border) -> Index:
    """Indices beyond an edge, brought inside: mirror is dcb|abcd|cba, symmetric cba|abcd|dcb."""
    if border == "mirror":
        period = max(2 * length - 2, 1)
        index = index % period
        return np.asarray(np.minimum(index, period - index) % length)
    index = index % (2 * length)
    return np.asarray(np.minimum(index, 2 * length - 1 - index))


def bilinear(
    images: Floats, y: npt.NDArray[np.float64], x: npt.NDArray[np.float64], border: Border
) -> Floats:
    """Images read at fractional places.

    Args:
        images: (N, C, H, W).
        y, x: rows and columns to read, (H, W) the same for all images, or (N, H, W).
        border: what lies outside.

    Returns:
        (N, C, H, W).
    """
    if border == "zero":
        images = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
        height, width = images.shape[2:]
        y, x = np.clip(y + 1, 0, height - 1), np.clip(x + 1, 0, width - 1)
    height, width = images.shape[2:]
    top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
    flat = images.reshape(*images.shape[:2], -1)
    out = np.zeros((*images.shape[:2], y.shape[-2] * y.shape[-1]), np.float32)
    for dy, row_weight in ((0, 1 - down), (1, down)):
        rows = _fold(top + dy, height, "symmetric" if border == "zero" else border)
        for dx, weight in ((0, row_weight * (1 - right)), (1, row_weight * right)):
            columns = _fold(left + dx, width, "symmetric" if border == "zero" else border)
            index = (rows * width + columns).reshape(-1, 1, out.shape[2])
            out += weight.reshape(index.shape) * np.take_along_axis(flat, index, 2)
    return out.reshape(*images.shape[:2], *y.shape[-2:])


def correlate(images: Floats, kernel: Floats) -> Floats:
    """Images filtered with one small kernel of odd sides, mirrored at the edges.

    Args:
        images: (..., H, W).
        kernel: (K, L).
    """
    tall, wide = kernel.shape[0] // 2, kernel.shape[1] // 2
    height, width = images.shape[-2:]
    rows = _fold(np.arange(-tall, height + tall), height, "mirror")
    columns = _fold(np.arange(-wide, width + wide), width, "mirror")
    padded = images[..., rows[:, None], columns]
    out = np.zeros_like(images)
    for y, x in np.argwhere(kernel):
        out += kernel[y, x] * padded[..., y : y + height, x : x + width]
    return out


def gaussian_matrix(length: int, sigma: float, truncate: float) -> Floats:
    """(length, length): a Gaussian along one axis, symmetric at the edges; sigma 0 is identity."""
    radius = int(truncate * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2) if radius else np.ones(1)
    matrix = np.zeros((length, length))
    for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
        source = _fold(np.arange(length) + offset, length, "symmetric")
        np.add.at(matrix, (np.arange(length), source), weight)
    return matrix.astype(np.float32)


def zoom_matrix(length: int, factor: float) -> Floats:
    """(length, length): the middle of one axis enlarged by ``factor`` of 1 or more, linear."""
    crop = int(np.ceil(length / factor))
    zoomed = max(round(crop * factor), length)
    start = (zoomed - length) // 2
    places = (start + np.arange(length)) * (crop - 1) / max(zoomed - 1, 1)
    low = np.minimum(places.astype(np.intp), max(crop - 2, 0))
    matrix, rows, top = np.zeros((length, length)), np.arange(length), (length - crop) // 2
    matrix[rows, top + low] = 1 - (places - low)
    matrix[rows, np.minimum(top + low + 1, length - 1)] += places - low
    return matrix.astype(np.float32)


def box_matrix(length: int, target: int) -> Floats:
    """(target, length): the mean of the pixels whose middle each of fewer pixels covers.

    As Pillow's box filter does: a pixel counts wholly or not at all.
    """
    edges = np.arange(target + 1) * length / target
    middles = np.arange(length) + 0.5
    inside = (middles > edges[:-1, None]) & (middles <= edges[1:, None])
    return np.asarray(inside / inside.sum(axis=1, keepdims=True), dtype=np.float32)
