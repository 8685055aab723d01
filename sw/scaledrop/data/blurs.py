# SPDX-License-Identifier: Apache-2.0
"""Corruptions that blur: out of focus, through glass, in motion, zooming."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.data.resample import correlate, gaussian_matrix, zoom_matrix

__all__ = ["clipped_zoom", "defocus_blur", "glass_blur", "motion", "motion_blur", "zoom_blur"]

Floats = npt.NDArray[np.float32]
Rng = np.random.Generator

DEFOCUS = ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1))
GLASS = ((0.05, 1), (0.25, 1), (0.4, 1), (0.25, 2), (0.4, 2))
MOTION = ((6, 1.0), (6, 1.5), (6, 2.0), (8, 2.0), (9, 2.5))
ZOOM = (1.06, 1.11, 1.16, 1.21, 1.26)


def defocus_blur(x: Floats, level: int, rng: Rng) -> Floats:
    """A disk of (radius, softness), softened by 3 x 3 Gaussian weights."""
    radius, softness = DEFOCUS[level]
    place = np.arange(-2, 3)
    disk = (place[:, None] ** 2 + place**2 <= radius**2).astype(np.float32)
    taps = np.exp(-0.5 * (np.arange(-1, 2) / softness) ** 2)
    taps /= taps.sum()
    soft = np.pad(np.outer(taps, taps), 1)[1:-1, 1:-1].astype(np.float32)
    kernel = np.zeros((7, 7), np.float32)
    for dy in range(3):
        for dx in range(3):
            kernel[dy : dy + 5, dx : dx + 5] += soft[dy, dx] * disk / disk.sum()
    return correlate(x, kernel)


def _gaussian(x: Floats, sigma: float) -> Floats:
    rows, columns = (gaussian_matrix(length, sigma, 4.0) for length in x.shape[2:])
    return np.asarray(rows @ x @ columns.T)


def glass_blur(x: Floats, level: int, rng: Rng) -> Floats:
    """Pixels replaced by near ones between two Gaussian blurs of (sigma, passes).

    As in the original code, a pixel takes over its neighbour's value; the two are not swapped.
    """
    sigma, passes = GLASS[level]
    x = _gaussian(x, sigma)
    images = np.arange(len(x))
    height, width = x.shape[2:]
    for _ in range(passes):
        for row in range(height - 1, 1, -1):
            for column in range(width - 1, 1, -1):
                dx, dy = rng.integers(-1, 1, (2, len(x)))
                x[:, :, row, column] = x[images, :, row + dy, column + dx]
    return _gaussian(x, sigma)


def motion(x: Floats, radius: int, sigma: float, degrees: npt.NDArray[np.float64]) -> Floats:
    """Each image smeared one way, with the weights and whole-pixel steps of ImageMagick.

    Args:
        x: (N, C, H, W).
        radius: the smear has 2 * radius + 1 taps.
        sigma: of the half Gaussian of their weights, pixels.
        degrees: (N,) direction of each.
    """
    taps = np.arange(2 * radius + 1)
    weights = np.exp(-0.5 * (taps / sigma) ** 2)
    weights /= weights.sum()
    angles = np.deg2rad(degrees)[:, None]
    steps = np.ceil(np.stack([taps * np.sin(angles), taps * np.cos(angles)], 2) - 0.5)
    # A whole-pixel path is shared by many angles: images are smeared together, path by path.
    paths, which = np.unique(steps.astype(np.intp), axis=0, return_inverse=True)
    out = np.empty_like(x)
    for index, path in enumerate(paths):
        rows = which.reshape(-1) == index
        out[rows] = _along(x[rows], path, weights)
    return out


def _along(x: Floats, path: npt.NDArray[np.intp], weights: npt.NDArray[np.float64]) -> Floats:
    height, width = x.shape[2:]
    far = int(np.abs(path).max())
    padded = np.pad(x, ((0, 0), (0, 0), (far, far), (far, far)), mode="edge")
    out = np.zeros_like(x)
    for (dy, dx), weight in zip(path.tolist(), weights.tolist(), strict=True):
        out += weight * padded[..., far + dy :, far + dx :][..., :height, :width]
    return out


def motion_blur(x: Floats, level: int, rng: Rng) -> Floats:
    """A smear of (radius, sigma) within 45 degrees of level."""
    radius, sigma = MOTION[level]
    return motion(x, radius, sigma, rng.uniform(-45, 45, len(x)))


def clipped_zoom(x: Floats, factor: float) -> Floats:
    """The middle of (N, C, H, W) enlarged to the whole."""
    rows, columns = (zoom_matrix(length, factor) for length in x.shape[2:])
    return np.asarray(rows @ x @ columns.T)


def zoom_blur(x: Floats, level: int, rng: Rng) -> Floats:
    """The mean of the image and its enlargements in steps of 1 %."""
    factors = np.arange(1, ZOOM[level], 0.01)
    out = x.copy()
    for factor in factors.tolist():
        out += clipped_zoom(x, factor)
    return np.asarray(out / np.float32(len(factors) + 1))
