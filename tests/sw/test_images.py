# SPDX-License-Identifier: Apache-2.0
"""Images: what is refused, and the order in which the hardware takes pixels."""

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.images import checked_pixels, stream_order


@pytest.mark.parametrize(
    ("images", "text"),
    [
        (np.zeros((2, 5), int), "images: shape must be (N, 6), not (2, 5)"),
        (np.zeros((2, 3, 2), int), "images: shape must be (N, 6), not (2, 3, 2)"),
        (np.zeros(6, int), "images: shape must be (N, 6), not (6,)"),
        (np.zeros((2, 6)), "images: must be integers of 4 bits, not float64"),
        (np.full((2, 6), 16), "images: pixels must be 0 to 15, not 16"),
        (np.full((2, 6), -1), "images: pixels must be 0 to 15, not -1"),
    ],
)
def test_wrong_images_are_refused(images, text):
    with pytest.raises(UserError) as caught:
        checked_pixels(images, (2, 3), 4)
    assert str(caught.value) == text


@pytest.mark.parametrize(("bits", "kind"), [(8, np.uint8), (9, np.uint16)])
def test_checked_pixels_are_narrow_rows(bits, kind):
    images = np.arange(12).reshape(2, 2, 3)
    for given in (images, images.reshape(2, 6), images.astype(">i4"), images[::-1][::-1]):
        found = checked_pixels(given, (2, 3), bits)
        assert found.dtype == kind and found.flags.c_contiguous
        assert found.tolist() == images.reshape(2, 6).tolist()
    assert checked_pixels(images[:0], (2, 3), bits).shape == (0, 6)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 5), (1, 4, 6), (5, 1, 3)])
def test_channels_of_a_position_go_together(shape):
    channels, height, width = shape
    images = np.random.default_rng(0).integers(0, 256, (4, channels * height * width))
    expected = [
        [
            image[(channel * height + y) * width + x]
            for y in range(height)
            for x in range(width)
            for channel in range(channels)
        ]
        for image in images
    ]
    ordered = stream_order(images, shape)
    assert ordered.tolist() == expected
    np.testing.assert_array_equal(stream_order(ordered, shape, back=True), images)


@pytest.mark.parametrize("shape", [(12,), (3, 4)])
def test_images_of_one_channel_keep_their_order(shape):
    images = np.arange(24, dtype=np.uint8).reshape(2, 12)
    for back in (False, True):
        assert stream_order(images, shape, back).tolist() == images.tolist()


@pytest.mark.parametrize("count", [0, 1])
def test_few_images(count):
    images = np.arange(24).reshape(1, 24)[:count]
    assert stream_order(images, (2, 3, 4)).shape == (count, 24)
    assert stream_order(images, (2, 3, 4), back=True).shape == (count, 24)
