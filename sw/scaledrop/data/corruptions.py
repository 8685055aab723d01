# SPDX-License-Identifier: Apache-2.0
"""Corruptions other than blurs: noise, weather, and what cameras and codecs do."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from scaledrop.data.blurs import clipped_zoom, motion
from scaledrop.data.resample import bilinear, box_matrix, gaussian_matrix

__all__ = [
    "brightness",
    "contrast",
    "elastic_transform",
    "fog",
    "gaussian_noise",
    "impulse_noise",
    "jpeg_compression",
    "pixelate",
    "shot_noise",
    "snow",
]

Floats = npt.NDArray[np.float32]
Rng = np.random.Generator

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)

GAUSSIAN = (0.04, 0.06, 0.08, 0.09, 0.10)
SHOT = (500, 250, 100, 75, 50)
IMPULSE = (0.01, 0.02, 0.03, 0.05, 0.07)
FOG = ((0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75))
SNOW = (
    (0.1, 0.2, 1.0, 0.6, 8, 3.0, 0.95),
    (0.1, 0.2, 1.0, 0.5, 10, 4.0, 0.9),
    (0.15, 0.3, 1.75, 0.55, 10, 4.0, 0.9),
    (0.25, 0.3, 2.25, 0.6, 12, 6.0, 0.85),
    (0.3, 0.3, 1.25, 0.65, 14, 12.0, 0.8),
)
BRIGHTNESS = (0.05, 0.1, 0.15, 0.2, 0.3)
CONTRAST = (0.75, 0.5, 0.4, 0.3, 0.15)
ELASTIC = (
    (0.0, 0.0, 0.08),
    (0.05, 0.2, 0.07),
    (0.08, 0.06, 0.06),
    (0.1, 0.04, 0.05),
    (0.1, 0.03, 0.03),
)
PIXELATE = (0.95, 0.9, 0.85, 0.75, 0.65)
JPEG = (80, 65, 58, 50, 40)


def gaussian_noise(x: Floats, level: int, rng: Rng) -> Floats:
    """Normal noise of this deviation."""
    return x + np.float32(GAUSSIAN[level]) * rng.standard_normal(x.shape, np.float32)


def shot_noise(x: Floats, level: int, rng: Rng) -> Floats:
    """Poisson noise of this many photons at full scale."""
    return np.asarray(rng.poisson(x * SHOT[level]) / SHOT[level], dtype=np.float32)


def impulse_noise(x: Floats, level: int, rng: Rng) -> Floats:
    """This share of the values black or white, either as likely."""
    draw = rng.random(x.shape, np.float32)
    amount = IMPULSE[level]
    return np.where(draw < amount, (draw < amount / 2).astype(np.float32), x)


def _plasma(count: int, size: int, decay: float, rng: Rng) -> Floats:
    """(count, size, size) of 0 to 1: midpoint displacement on a torus, size a power of two.

    Each halving of the step divides the displacement by the square of ``decay``.
    """
    field = np.zeros((count, size, size))
    step, reach = size, 1.0

    def displaced(*four: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(sum(four) / 4 + rng.uniform(-reach, reach, four[0].shape))

    while step > 1:
        corner = field[:, ::step, ::step]
        right, below = np.roll(corner, -1, 2), np.roll(corner, -1, 1)
        centre = displaced(corner, right, below, np.roll(below, -1, 2))
        half = step // 2
        field[:, half::step, half::step] = centre
        field[:, ::step, half::step] = displaced(corner, right, centre, np.roll(centre, 1, 1))
        field[:, half::step, ::step] = displaced(corner, below, centre, np.roll(centre, 1, 2))
        step, reach = half, reach / decay**2
    field -= field.min(axis=(1, 2), keepdims=True)
    return np.asarray(field / field.max(axis=(1, 2), keepdims=True), dtype=np.float32)


def fog(x: Floats, level: int, rng: Rng) -> Floats:
    """A plasma fractal of (strength, decay) laid over, and the range kept."""
    strength, decay = FOG[level]
    height, width = x.shape[2:]
    size = 1 << max(height - 1, width - 1, 1).bit_length()
    veil = _plasma(len(x), size, decay, rng)[:, None, :height, :width]
    brightest = x.max(axis=(1, 2, 3), keepdims=True)
    return np.asarray((x + strength * veil) * brightest / (brightest + strength))


def _luma(x: Floats) -> Floats:
    return np.asarray(np.tensordot(LUMA, x, (0, 1)))[:, None] if x.shape[1] == 3 else x


def snow(x: Floats, level: int, rng: Rng) -> Floats:
    """Flakes of (mean, deviation, size, threshold), blown by (radius, sigma), over (share)."""
    mean, deviation, size, threshold, radius, sigma, share = SNOW[level]
    flakes = rng.normal(mean, deviation, (len(x), 1, *x.shape[2:])).astype(np.float32)
    flakes = clipped_zoom(flakes, size)
    flakes = np.where(flakes < threshold, np.float32(0), np.clip(flakes, 0, 1))
    flakes = motion(flakes, int(radius), sigma, rng.uniform(-135, -45, len(x)))
    whitened = np.maximum(x, _luma(x) * 1.5 + 0.5)
    return np.asarray(share * x + (1 - share) * whitened + flakes + flakes[:, :, ::-1, ::-1])


def brightness(x: Floats, level: int, rng: Rng) -> Floats:
    """The value of hue, saturation and value raised by this much; grey levels themselves."""
    value = x.max(axis=1, keepdims=True)
    raised = np.minimum(value + BRIGHTNESS[level], 1)
    scale = np.divide(raised, value, out=np.zeros_like(value), where=value > 0)
    return np.asarray(np.where(value > 0, x * scale, raised))


def contrast(x: Floats, level: int, rng: Rng) -> Floats:
    """The distance from the channel's mean scaled by this much."""
    means = x.mean(axis=(2, 3), keepdims=True)
    return np.asarray((x - means) * CONTRAST[level] + means)


def _affine(height: int, width: int, noise: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N, 2, 3): where a pixel (y, x, 1) comes from when three points of a square are moved.

    Args:
        height, width: of the image.
        noise: (N, 3, 2) movement of each point, pixels.
    """
    centre, arm = np.array([height // 2, width // 2]), max(min(height, width) // 3, 1)
    before = centre + arm * np.array([[1, 1], [1, -1], [-1, -1]])
    after = np.concatenate([before + noise, np.ones((len(noise), 3, 1))], axis=2)
    return np.asarray(np.linalg.solve(after, np.broadcast_to(before, noise.shape))).swapaxes(1, 2)


def elastic_transform(x: Floats, level: int, rng: Rng) -> Floats:
    """A random affine map, then displacement by noise smoothed; all relative to the side.

    (size of the displacement, its smoothness, reach of the affine map).
    """
    height, width = x.shape[2:]
    side = min(height, width)
    size, sigma, reach = (side * value for value in ELASTIC[level])
    moves = _affine(height, width, rng.uniform(-reach, reach, (len(x), 3, 2)))
    y, z = np.meshgrid(np.arange(float(height)), np.arange(float(width)), indexing="ij")
    places = np.einsum("nij,jhw->inhw", moves, np.stack([y, z, np.ones_like(y)]))
    x = bilinear(x, places[0], places[1], "mirror")
    if size == 0:
        return x
    rows, columns = (gaussian_matrix(length, sigma, 3.0) for length in (height, width))
    drift = rows @ rng.uniform(-1, 1, (2, len(x), height, width)) @ columns.T * size
    return bilinear(x, y + drift[0], z + drift[1], "symmetric")


def pixelate(x: Floats, level: int, rng: Rng) -> Floats:
    """Reduced to this share of the side by box means, and enlarged by repeating pixels."""
    height, width = x.shape[2:]
    small = [max(int(length * PIXELATE[level]), 1) for length in (height, width)]
    fewer = box_matrix(height, small[0]) @ x @ box_matrix(width, small[1]).T
    rows, columns = (
        ((np.arange(length) + 0.5) * count / length).astype(np.intp)
        for length, count in zip((height, width), small, strict=True)
    )
    return np.asarray(fewer[:, :, rows[:, None], columns])


def jpeg_compression(x: Floats, level: int, rng: Rng) -> Floats:
    """Through a JPEG file of this quality."""
    pixels = np.rint(x * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    out = np.empty_like(pixels)
    for index, image in enumerate(pixels):
        file = BytesIO()
        Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).save(
            file, "JPEG", quality=JPEG[level]
        )
        with Image.open(file) as packed:
            out[index] = np.asarray(packed).reshape(image.shape)
    return out.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
