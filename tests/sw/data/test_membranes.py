# SPDX-License-Identifier: Apache-2.0
"""The segmentation set and its tiles."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scaledrop.data import load_set, tiles
from scaledrop.errors import UserError

MASKS = np.full((30, 512, 512), 255, np.uint8)
MASKS[:, 100, 7] = 0
VOLUME = np.zeros((30, 512, 512), np.uint8)
VOLUME[:, 0, 0] = np.arange(30)


def pictures(folder: Path) -> None:
    folder.mkdir()
    for index in range(30):
        Image.fromarray(VOLUME[index]).save(folder / f"image{index}.png", compress_level=1)
        Image.fromarray(MASKS[index]).save(folder / f"label{index}.png", compress_level=1)


def stacks(folder: Path) -> None:
    folder.mkdir()
    for name, pixels in (("train-volume.tif", VOLUME), ("train-labels.tif", MASKS)):
        first, *rest = map(Image.fromarray, pixels)
        first.save(folder / name, save_all=True, append_images=rest)


@pytest.mark.parametrize("make", [pictures, stacks])
def test_sections_and_membranes(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    make(tmp_path / "isbi2012_em")
    data = load_set("isbi2012", tmp_path)
    assert (data.task, data.shape, data.classes) == ("segmentation", (512, 512), 2)
    assert data.train_images[:, 0, 0].tolist() == list(range(24))
    assert data.test_images[:, 0, 0].tolist() == list(range(24, 30))
    assert np.argwhere(data.test_labels[5]).tolist() == [[100, 7]]


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "isbi2012_em"
    message = (
        f"isbi2012: train-volume.tif is not in {folder}; download train-volume.tif and "
        "train-labels.tif of the ISBI 2012 EM segmentation challenge "
        "(https://imagej.net/events/isbi-2012-segmentation-challenge), or name the folder that "
        "holds isbi2012_em with --data or SCALEDROP_DATA"
    )
    for download in (False, True):
        with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
            load_set("isbi2012", tmp_path, download=download)
    pictures(folder)
    Image.fromarray(MASKS[0] // 2).save(folder / "label7.png")
    with pytest.raises(UserError, match=r"mask 7 has a pixel of 127, not 0 or 255; replace it$"):
        load_set("isbi2012", tmp_path)
    (folder / "label7.png").unlink()
    with pytest.raises(UserError, match=r"label7\.png: is missing; put the file there$"):
        load_set("isbi2012", tmp_path)
    Image.new("L", (512, 500)).save(folder / "label7.png")
    with pytest.raises(UserError, match=r"label7\.png: is \(500, 512\), not \(512, 512\); replace"):
        load_set("isbi2012", tmp_path)


def test_tiles_cover_every_pixel_in_order() -> None:
    labels = np.arange(2 * 7 * 10).reshape(2, 7, 10)
    images = labels.astype(np.uint8)
    patches, masks = tiles(images, labels, 4, 3)
    assert patches.shape == masks.shape == (2 * 2 * 3, 4, 4)
    assert masks[:, 0, 0].tolist() == [0, 3, 6, 30, 33, 36, 70, 73, 76, 100, 103, 106]
    assert np.array_equal(patches, masks.astype(np.uint8)) and set(masks.ravel()) == set(range(140))


def test_a_rest_gets_a_tile_flush_with_the_edge() -> None:
    labels = np.arange(49).reshape(1, 7, 7)
    colour = np.stack([labels[0], labels[0] + 1, labels[0] + 2])[None].astype(np.uint8)
    patches, masks = tiles(colour, labels, 3, 3)
    assert patches.shape == (9, 3, 3, 3)
    assert masks[:, 0, 0].tolist() == [0, 3, 4, 21, 24, 25, 28, 31, 32]
    assert np.array_equal(patches[:, 2], masks + 2)
    assert tiles(labels.astype(np.uint8), labels, 7, 7)[1].shape == (1, 7, 7)


@pytest.mark.parametrize(
    ("size", "stride", "message"),
    [
        (8, 1, "size: must be 1 to 7, not 8; change it"),
        (3, 4, "stride: must be 1 to 3, the size, not 4; change it"),
        (3, 0, "stride: must be 1 to 3, the size, not 0; change it"),
    ],
)
def test_wrong_tiles(size: int, stride: int, message: str) -> None:
    images = np.zeros((1, 7, 9), np.uint8)
    with pytest.raises(UserError, match=f"^{message}$"):
        tiles(images, images.astype(np.int64), size, stride)
    with pytest.raises(UserError, match=r"^labels: must be \(1, 7, 9\), not \(1, 9, 7\); give one"):
        tiles(images, np.zeros((1, 9, 7), np.int64), 3, 3)


def test_the_real_set(real) -> None:  # type: ignore[no-untyped-def]
    data = load_set("isbi2012", real("isbi2012"))
    assert data.train_images.shape == (24, 512, 512) and data.test_labels.shape == (6, 512, 512)
    assert 0.15 < data.train_labels.mean() < 0.3
    # membranes are the dark parts
    membrane = data.train_labels == 1
    assert data.train_images[membrane].mean() < data.train_images[~membrane].mean() - 30
    assert tiles(data.train_images, data.train_labels, 128, 128)[0].shape == (384, 128, 128)
