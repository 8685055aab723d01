# SPDX-License-Identifier: Apache-2.0
"""Rotations and corruptions."""

from __future__ import annotations

import re

import numpy as np
import pytest

from scaledrop.data import CORRUPTIONS, blurs, corrupt, corruptions, load_digits, rotate
from scaledrop.errors import UserError

GREY = load_digits().test_images[:40].repeat(4, axis=1).repeat(4, axis=2)
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=1)

EXACT = {"brightness", "contrast", "defocus_blur", "zoom_blur", "pixelate", "jpeg_compression"}
"""Kinds without randomness."""


def change(kind: str, severity: int) -> float:
    return float(np.abs(corrupt(COLOUR, kind, severity, 0).astype(int) - COLOUR).mean())


def test_the_kinds() -> None:
    assert len(CORRUPTIONS) == 14 and "frost" not in CORRUPTIONS
    assert set(CORRUPTIONS) >= EXACT


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_every_kind_repeats_and_keeps_shape_and_type(kind: str) -> None:
    for images in (GREY, COLOUR, GREY[:, :27, :21], GREY[:, ::4, ::4], GREY[:0], GREY[:, None]):
        before = images.copy()
        out = corrupt(images, kind, 3, 1)
        assert out.shape == images.shape and out.dtype == np.uint8
        assert np.array_equal(images, before) and np.array_equal(out, corrupt(images, kind, 3, 1))
    assert not np.array_equal(corrupt(COLOUR, kind, 3, 1), COLOUR)
    same = np.array_equal(corrupt(COLOUR, kind, 3, 1), corrupt(COLOUR, kind, 3, 2))
    assert same == (kind in EXACT)


@pytest.mark.parametrize("kind", sorted(set(CORRUPTIONS) - {"elastic_transform", "glass_blur"}))
def test_severity_grows(kind: str) -> None:
    changes = [change(kind, severity) for severity in range(1, 6)]
    assert changes[4] > 1.2 * changes[0]


MIDDLE = np.full((400, 3, 32, 32), 128, np.uint8)
VALUES = MIDDLE.size


def test_gaussian_noise_has_its_deviation() -> None:
    for severity, sigma in enumerate((0.04, 0.06, 0.08, 0.09, 0.10), 1):
        out = corrupt(MIDDLE, "gaussian_noise", severity, 3).astype(float)
        # rounding adds a variance of 1 / 12; six standard errors of a deviation
        wanted = np.hypot(255 * sigma, 12**-0.5)
        assert abs(out.std() - wanted) < 6 * wanted / np.sqrt(2 * VALUES)
        assert abs(out.mean() - 128) < 6 * wanted / np.sqrt(VALUES)


def test_shot_noise_is_of_photons() -> None:
    out = corrupt(MIDDLE, "shot_noise", 5, 3) / 255
    photons = 50 * 128 / 255
    assert abs(out.mean() * 50 - photons) < 6 * np.sqrt(photons / VALUES) + 0.05
    assert abs(out.std() * 50 / np.sqrt(photons) - 1) < 0.02


def test_impulses_are_of_the_right_share_and_colour() -> None:
    out = corrupt(MIDDLE, "impulse_noise", 4, 3)
    for value in (0, 255):
        share = 0.05 / 2
        assert abs((out == value).mean() - share) < 6 * np.sqrt(share / VALUES)
    assert set(np.unique(out).tolist()) == {0, 128, 255}


def test_contrast_and_brightness_by_hand() -> None:
    images = np.array([[[0, 100], [100, 200]]], np.uint8)
    assert corrupt(images, "contrast", 2, 0).tolist() == [[[50, 100], [100, 150]]]
    assert corrupt(images, "brightness", 4, 0).tolist() == [[[51, 151], [151, 251]]]
    colour = np.array([[[[100]], [[50]], [[200]]], [[[0]], [[0]], [[0]]]], np.uint8)
    # the value 200 becomes 251, the others keep their ratio to it; black becomes grey
    assert corrupt(colour, "brightness", 4, 0).reshape(2, 3).tolist() == [
        [126, 63, 251],
        [51, 51, 51],
    ]


def test_blurs_keep_a_flat_image_and_fog_keeps_the_range() -> None:
    for kind in ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "pixelate"):
        assert np.array_equal(corrupt(MIDDLE[:4], kind, 5, 0), MIDDLE[:4]), kind
    assert corrupt(np.zeros((2, 8, 8), np.uint8), "fog", 5, 0).max() == 0
    assert corrupt(GREY, "fog", 5, 0).max() <= GREY.max()


def test_fog_is_smooth_and_smoother_when_mild() -> None:
    rough = []
    for severity in (1, 5):
        fog = corrupt(MIDDLE, "fog", severity, 0)[:, 0].astype(float)
        rough.append(np.abs(np.diff(fog, axis=2)).mean() / fog.std(axis=(1, 2)).mean())
    # noise without memory would have 2 / sqrt(pi) = 1.13
    assert rough[0] < rough[1] < 0.25


def test_snow_only_adds_light() -> None:
    out = corrupt(COLOUR, "snow", 3, 0)
    assert (out >= COLOUR).all() and (out.max(axis=(1, 2, 3)) == 255).all()


def test_the_affine_map_follows_its_points() -> None:
    moves = np.zeros((2, 3, 2))
    moves[1] = [2, -3]
    maps = corruptions._affine(32, 20, moves)
    assert np.allclose(maps[0], [[1, 0, 0], [0, 1, 0]])
    # all three points go 2 down and 3 to the left, so a pixel comes from 2 up and 3 to the right
    assert np.allclose(maps[1], [[1, 0, -2], [0, 1, 3]])


def test_defocus_is_a_disk() -> None:
    point = np.zeros((1, 1, 9, 9), np.float32)
    point[0, 0, 4, 4] = 1
    out = blurs.defocus_blur(point, 4, np.random.default_rng(0))[0, 0]
    # radius 1.5 covers 3 x 3 pixels; its softness of 0.1 of a pixel changes nothing
    assert np.allclose(out[3:6, 3:6], 1 / 9) and np.isclose(out.sum(), 1)


def test_motion_follows_its_direction() -> None:
    point = np.zeros((2, 1, 15, 15), np.float32)
    point[:, 0, 7, 7] = 1
    out = blurs.motion(point, 3, 2.0, np.array([0.0, 90.0]))[:, 0]
    weights = np.exp(-0.5 * (np.arange(7) / 2) ** 2)
    assert np.allclose(out[0, 7, 7::-1][:7], weights / weights.sum())
    assert np.array_equal(out[0], out[1].T)


def test_pixelate_repeats_pixels() -> None:
    ramp = np.arange(32, dtype=np.uint8)[None, None].repeat(32, axis=1) * 8
    rows = corrupt(ramp, "pixelate", 5, 0)[0]
    assert (rows == rows[0]).all() and len(np.unique(rows)) == 20


@pytest.mark.parametrize("images", [GREY, COLOUR])
def test_quarter_turns_are_exact_and_counter_clockwise(images: np.ndarray) -> None:
    for quarters in (-1, 0, 1, 2, 3, 4):
        wanted = np.rot90(images, quarters, (-2, -1))
        assert np.array_equal(rotate(images, 90 * quarters), wanted)


def test_other_angles() -> None:
    flat = np.full((1, 21, 21), 200, np.uint8)
    out = rotate(flat, 45)
    assert out[0, 10, 10] == 200 and out[0, 0, 0] == 0 and (out[0, 6:15, 6:15] == 200).all()
    point = np.zeros((1, 21, 21), np.uint8)
    point[0, 10, 18] = 255
    # 8 to the right of the middle, turned by 30 degrees: 4 up, 6.93 to the right
    assert np.argwhere(rotate(point, 30)[0] > 100).tolist() == [[6, 17]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((GREY, "frost", 1, 0), "kind: no corruption is called 'frost'; choose gaussian_noise, "),
        ((GREY, "fog", 0, 0), "severity: must be 1 to 5, not 0; 1 is mild"),
        ((GREY, "fog", 6, 0), "severity: must be 1 to 5, not 6; 1 is mild"),
        ((GREY, "fog", 1, -1), "seed: must be 0 or more, not -1; change it"),
        ((GREY / 255, "fog", 1, 0), "images: must be uint8, not float64; convert them"),
        (
            (GREY[0], "fog", 1, 0),
            "images: must be (N, H, W) or (N, C, H, W) with C of 1 or 3, not (32, 32); reshape",
        ),
        (
            (COLOUR[:, :2], "fog", 1, 0),
            "images: must be (N, H, W) or (N, C, H, W) with C of 1 or 3, not (40, 2, 32, 32); ",
        ),
    ],
)
def test_wrong_arguments(arguments, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        corrupt(*arguments)
    with pytest.raises(UserError, match=r"^degrees: must be a finite angle, not nan; give one"):
        rotate(GREY, float("nan"))
