# SPDX-License-Identifier: Apache-2.0
"""A user's own npz file."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scaledrop.data import from_npz, open_images, read_npz
from scaledrop.errors import UserError

PIXELS = np.arange(20 * 5 * 6, dtype=np.uint8).reshape(20, 5, 6)
LABELS = np.arange(20) % 4


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path / "mine.npz", **arrays)
    return path / "mine.npz"


def divided(**changes: Any) -> dict[str, Any]:
    fields = {
        "train_images": PIXELS[:15],
        "train_labels": LABELS[:15],
        "test_images": PIXELS[15:],
        "test_labels": LABELS[15:],
    }
    return fields | changes


def test_both_parts(tmp_path: Path) -> None:
    data = open_images(save(tmp_path, **divided()))
    assert (data.name, data.shape, data.classes, data.task) == (
        "mine",
        (5, 6),
        4,
        "classification",
    )
    assert np.array_equal(data.test_images, PIXELS[15:]) and data.test_labels.dtype == np.int64


def test_one_part_is_divided_for_ever(tmp_path: Path) -> None:
    data = from_npz(save(tmp_path, images=PIXELS, labels=LABELS.astype(np.uint8)[:, None]))
    assert sorted(data.test_labels.tolist()) == [0, 1, 2, 3]
    assert data.test_images[:, 0, 0].tolist() == [30 * row % 256 for row in (2, 8, 11, 13)]
    assert len(data.train_images) == 16


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_first_and_last_are_one(tmp_path: Path, channels: int) -> None:
    first = np.arange(20 * channels * 30, dtype=np.uint8).reshape(20, channels, 5, 6)
    a = from_npz(save(tmp_path, images=first, labels=LABELS))
    b = from_npz(save(tmp_path, images=first.transpose(0, 2, 3, 1), labels=LABELS))
    assert a.shape == b.shape == ((5, 6) if channels == 1 else (3, 5, 6))
    assert np.array_equal(a.test_images, b.test_images)


def test_options(tmp_path: Path) -> None:
    names = np.array(["a", "b", "c", "d", "e"])
    data = from_npz(
        save(
            tmp_path,
            **divided(classes=5, label_names=names),
            val_images=PIXELS[:2],
            val_labels=LABELS[:2],
        )
    )
    assert data.classes == 5 and data.label_names == tuple("abcde")
    assert data.valid_labels is not None and data.valid_labels.tolist() == [0, 1]


def test_masks_make_a_segmentation_set(tmp_path: Path) -> None:
    data = from_npz(save(tmp_path, images=PIXELS, labels=PIXELS % 2))
    assert data.task == "segmentation" and data.classes == 2
    assert data.train_labels.shape == (16, 5, 6) and data.test_labels.shape == (4, 5, 6)


NAN = np.full((15, 5, 6), np.nan, np.float32)

WRONG = [
    (
        divided(train_images=PIXELS[:15] / 255),
        "train_images: must be uint8 pixels of 0 to 255, not float64; scale and round",
    ),
    (
        divided(train_images=NAN),
        "train_images: must be uint8 pixels of 0 to 255, not float32 with NaN; scale and round",
    ),
    (
        divided(test_labels=LABELS[15:] - 1),
        "test_labels: must be 0 to 9999, not -1; number them from 0",
    ),
    (divided(train_labels=LABELS[:14]), "train_labels: has 14 for 15 images; give one for each"),
    (
        divided(train_labels=LABELS[:15] / 2),
        "train_labels: must be (N,) or (N, H, W) integers, not (15,) float64; convert them",
    ),
    (
        divided(train_images=np.zeros((15, 30), np.uint8)),
        "train_images: must be (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3, not "
        "(15, 30); reshape it",
    ),
    (
        divided(train_images=np.zeros((15, 4, 5, 6), np.uint8)),
        "train_images: must be (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3, not "
        "(15, 4, 5, 6); reshape it",
    ),
    (
        divided(test_images=np.zeros((5, 6, 5), np.uint8)),
        "test_images: must be (N, 5, 6), not (5, 6, 5); reshape the images",
    ),
    (
        divided(train_labels=LABELS[:15] + 10**6),
        "train_labels: must be 0 to 9999, not 1000003; number them from 0",
    ),
    (divided(classes=3), "train_labels: must be 0 to 2, not 3 (image 3, counted from 0); correct"),
    (divided(classes=2**63), f"classes: must be 1 to 10000, not {2**63}; correct it"),
    (divided(classes=0), "classes: must be 1 to 10000, not 0; correct it"),
    (divided(classes=2.5), "classes: must be one integer, not () float64; correct it"),
    (
        {"images": PIXELS},
        "labels: is missing; the file has ['images']; add it",
    ),
    (
        {"test_images": PIXELS, "test_labels": LABELS},
        "train_images: is missing; give training and test arrays, or images alone",
    ),
    (
        {"images": PIXELS[:1], "labels": LABELS[:1]},
        "images: has 1; give 2 or more, one to train and one to test",
    ),
    (
        {"images": PIXELS, "labels": LABELS - 1},
        "labels: must be 0 to 9999, not -1; number them from 0",
    ),
]


@pytest.mark.parametrize(("arrays", "message"), WRONG)
def test_wrong_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = save(tmp_path, **arrays)
    with pytest.raises(UserError, match=f"^{re.escape(f'{path}: {message}')}"):
        from_npz(path)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = save(tmp_path, **divided(train_labels=np.array([{}] * 15, dtype=object)))
    message = (
        f"{path}: is no npz file of plain arrays (Python objects are not read); save it with "
        "np.savez"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        from_npz(path)


def test_members_that_are_no_npy_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for name in ("images", "images.txt", "images.npy"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"1 2 3")
        with pytest.raises(UserError, match=r"a\.npz: is no npz file of plain arrays"):
            from_npz(path)


def test_some_members_alone_are_read(tmp_path: Path) -> None:
    path = save(tmp_path, a=np.arange(3), b=np.array([{}], dtype=object))
    assert read_npz(path, ("a", "c"))["a"].tolist() == [0, 1, 2]
    assert set(read_npz(path, ("a", "c"))) == {"a"}


def test_what_is_no_npz(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(
        UserError, match=r"a\.npz: does not exist; give an npz file or a folder of "
    ):
        open_images(path)
    for content in (b"", b"PK\3\4 broken", b"text"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a\.npz: is no npz file of plain arrays"):
            open_images(path)
    np.save(tmp_path / "b.npy", PIXELS)
    with pytest.raises(UserError, match=r"b\.npy: is no npz file or folder; give one of the two$"):
        open_images(tmp_path / "b.npy")
    (tmp_path / "b.npy").rename(path)
    with pytest.raises(UserError, match=r"a\.npz: is no npz file of plain arrays"):
        open_images(path)
    with pytest.raises(UserError, match=r"cannot be read \(No such file or directory\); give an "):
        from_npz(tmp_path / "none.npz")
