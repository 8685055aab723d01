# SPDX-License-Identifier: Apache-2.0
"""Distribution shift: rotations and the standard corruptions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scaledrop.data import blurs, corruptions
from scaledrop.data.resample import bilinear
from scaledrop.errors import UserError

__all__ = ["CORRUPTIONS", "corrupt", "rotate"]

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

KINDS: dict[str, Callable[[Floats, int, np.random.Generator], Floats]] = {
    "gaussian_noise": corruptions.gaussian_noise,
    "shot_noise": corruptions.shot_noise,
    "impulse_noise": corruptions.impulse_noise,
    "defocus_blur": blurs.defocus_blur,
    "glass_blur": blurs.glass_blur,
    "motion_blur": blurs.motion_blur,
    "zoom_blur": blurs.zoom_blur,
    "snow": corruptions.snow,
    "fog": corruptions.fog,
    "brightness": corruptions.brightness,
    "contrast": corruptions.contrast,
    "elastic_transform": corruptions.elastic_transform,
    "pixelate": corruptions.pixelate,
    "jpeg_compression": corruptions.jpeg_compression,
}
"""Each takes (N, C, H, W) of 0 to 1, the severity less one, and the randomness."""

CORRUPTIONS = tuple(KINDS)

CHUNK = 500
"""Images corrupted at a time, to bound memory. It decides which random words an image gets."""


def _channels_first(images: Pixels) -> Pixels:
    if images.dtype != np.uint8:
        raise UserError(f"images: must be uint8, not {images.dtype}; convert them")
    if images.ndim == 3:
        return images[:, None]
    if images.ndim != 4 or images.shape[1] not in {1, 3}:
        raise UserError(
            f"images: must be (N, H, W) or (N, C, H, W) with C of 1 or 3, not {images.shape}; "
            "reshape them"
        )
    return images


def _pixels(x: Floats) -> Pixels:
    return np.asarray(np.rint(np.clip(x, 0, 1) * np.float32(255)), dtype=np.uint8)


def rotate(images: Pixels, degrees: float) -> Pixels:
    """Images turned about their middle, counter-clockwise, bilinear, black where nothing was.

    Args:
        images: (N, H, W) or (N, C, H, W) uint8, C of 1 or 3.
        degrees: any finite angle.

    Returns:
        As ``images``.

    Raises:
        UserError: another type or shape, or an angle that is no number.
    """
    x = _channels_first(images)
    if not np.isfinite(degrees):
        raise UserError(f"degrees: must be a finite angle, not {degrees}; give one of 0 to 360")
    height, width = x.shape[2:]
    y0, x0 = (height - 1) / 2, (width - 1) / 2
    down, right = np.meshgrid(np.arange(height) - y0, np.arange(width) - x0, indexing="ij")
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    rows, columns = y0 + cos * down + sin * right, x0 - sin * down + cos * right
    out = np.empty_like(x)
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK].astype(np.float32) / np.float32(255)
        out[start : start + CHUNK] = _pixels(bilinear(part, rows, columns, "zero"))
    return out.reshape(images.shape)


def corrupt(images: Pixels, kind: str, severity: int, seed: int) -> Pixels:
    """Images with one of the common corruptions.

    The kinds are those of D. Hendrycks, T. Dietterich, "Benchmarking Neural Network Robustness to
    Common Corruptions and Perturbations", 2019, arXiv:1903.12261, and their parameters those of
    the authors' code for CIFAR-10-C: pixels of an image of 32 x 32, or shares of its side where
    theirs are. Left out is frost, which needs photographs. Grey images are corrupted as such.
    Results are not the bits of CIFAR-10-C: randomness is NumPy's, values are rounded to the
    nearest, not down, and resampling is our own.

    The same arguments give the same images with the same releases of NumPy and Pillow (JPEG).

    Args:
        images: (N, H, W) or (N, C, H, W) uint8, C of 1 or 3.
        kind: one of ``CORRUPTIONS``.
        severity: 1 to 5.
        seed: 0 or more.

    Returns:
        As ``images``.

    Raises:
        UserError: an unknown kind, a severity or seed out of range, another type or shape.
    """
    if kind not in KINDS:
        raise UserError(f"kind: no corruption is called {kind!r}; choose {', '.join(CORRUPTIONS)}")
    if not 1 <= severity <= 5:
        raise UserError(f"severity: must be 1 to 5, not {severity}; 1 is mild")
    if seed < 0:
        raise UserError(f"seed: must be 0 or more, not {seed}; change it")
    x, rng = _channels_first(images), np.random.default_rng(seed)
    out = np.empty_like(x)
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK].astype(np.float32) / np.float32(255)
        out[start : start + CHUNK] = _pixels(KINDS[kind](part, severity - 1, rng))
    return out.reshape(images.shape)
