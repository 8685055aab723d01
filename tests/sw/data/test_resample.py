# SPDX-License-Identifier: Apache-2.0
"""Resampling against SciPy's and Pillow's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from scaledrop.data.blurs import clipped_zoom
from scaledrop.data.resample import bilinear, box_matrix, correlate, gaussian_matrix

ndimage = pytest.importorskip("scipy.ndimage")
RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 1, 28, 20), np.float32)
CLOSE = 1e-5
"""Float32 of values up to about 10: a few units in the last place."""


@pytest.mark.parametrize(
    ("border", "mode"),
    [("symmetric", "reflect"), ("mirror", "mirror"), ("zero", "grid-constant")],
)
def test_bilinear(border, mode: str) -> None:  # type: ignore[no-untyped-def]
    y, x = RNG.uniform(-40, 70, (2, 28, 20)), RNG.uniform(-40, 60, (2, 28, 20))
    found = bilinear(IMAGES, y, x, border)
    for index in range(2):
        places = [y[index], x[index]]
        wanted = ndimage.map_coordinates(IMAGES[index, 0], places, order=1, mode=mode)
        assert np.abs(found[index, 0] - wanted).max() < CLOSE


@pytest.mark.parametrize("sigma", [0.0, 0.4, 1.0, 6.4])
def test_gaussian(sigma: float) -> None:
    rows, columns = gaussian_matrix(28, sigma, 3.0), gaussian_matrix(20, sigma, 3.0)
    wanted = ndimage.gaussian_filter(IMAGES[0, 0], sigma, truncate=3.0, mode="reflect")
    assert np.abs(rows @ IMAGES[0, 0] @ columns.T - wanted).max() < CLOSE


def test_correlate() -> None:
    kernel = RNG.random((3, 5), np.float32)
    wanted = ndimage.correlate(IMAGES[1, 0], kernel, mode="mirror")
    assert np.abs(correlate(IMAGES, kernel)[1, 0] - wanted).max() < CLOSE


@pytest.mark.parametrize("factor", [1.0, 1.01, 1.07, 1.25, 1.75, 2.25])
def test_zoom(factor: float) -> None:
    tall, wide = int(np.ceil(28 / factor)), int(np.ceil(20 / factor))
    top, left = (28 - tall) // 2, (20 - wide) // 2
    whole = ndimage.zoom(IMAGES[0, 0, top : top + tall, left : left + wide], factor, order=1)
    top, left = (whole.shape[0] - 28) // 2, (whole.shape[1] - 20) // 2
    wanted = whole[top : top + 28, left : left + 20]
    assert np.abs(clipped_zoom(IMAGES, factor)[0, 0] - wanted).max() < CLOSE


@pytest.mark.parametrize("height", [1, 13, 20, 27, 28])
def test_box(height: int) -> None:
    pixels = np.rint(IMAGES[0, 0] * 255).astype(np.uint8)
    small = Image.fromarray(pixels).resize((20, height), Image.Resampling.BOX)
    found = box_matrix(28, height) @ pixels.astype(np.float32)
    assert np.abs(found - np.asarray(small, dtype=np.float32)).max() <= 0.5 + CLOSE
