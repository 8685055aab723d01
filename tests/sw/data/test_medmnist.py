# SPDX-License-Identifier: Apache-2.0
"""MedMNIST files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from scaledrop.data import load_set
from scaledrop.errors import UserError


def arrays(counts: tuple[int, int, int], *channels: int) -> dict[str, npt.NDArray[Any]]:
    made: dict[str, npt.NDArray[Any]] = {}
    for part, count in zip(("train", "val", "test"), counts, strict=True):
        images = np.zeros((count, 28, 28, *channels), np.uint8)
        images[..., 1, 2, -1] = 9
        made[f"{part}_images"] = images
        made[f"{part}_labels"] = (np.arange(count) % 2).astype(np.uint8)[:, None]
    return made


def save(root: Path, name: str, made: dict[str, npt.NDArray[Any]]) -> Path:
    (root / "medmnist").mkdir(exist_ok=True)
    path = root / "medmnist" / f"{name}.npz"
    np.savez_compressed(path, **made)
    return path


def test_grey_and_colour(tmp_path: Path) -> None:
    save(tmp_path, "breastmnist", arrays((546, 78, 156)))
    breast = load_set("breastmnist", tmp_path)
    assert breast.shape == (28, 28) and breast.classes == 2
    assert breast.valid_images is not None and breast.valid_images.shape == (78, 28, 28)
    assert breast.test_labels.shape == (156,) and breast.test_labels.dtype == np.int64
    save(tmp_path, "dermamnist", arrays((7007, 1003, 2005), 3))
    derma = load_set("dermamnist", tmp_path)
    assert derma.shape == (3, 28, 28) and derma.classes == 7
    assert derma.label_names[4] == "melanoma"
    assert np.argwhere(derma.train_images[5]).tolist() == [[2, 1, 2]]


def test_wrong_contents_are_refused(tmp_path: Path) -> None:
    made = arrays((546, 78, 156))
    path = save(tmp_path, "breastmnist", made | {"val_images": made["val_images"][:5]})
    message = (
        f"{path}: val_images: must be (78, 28, 28), not (5, 28, 28); delete the file and fetch it "
        "again"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load_set("breastmnist", tmp_path)
    save(tmp_path, "breastmnist", made | {"test_labels": made["test_labels"] + 1})
    with pytest.raises(UserError, match="test_labels: must be 0 to 1, not 2 "):
        load_set("breastmnist", tmp_path)
    save(tmp_path, "breastmnist", made | {"test_images": made["test_images"].astype(np.float32)})
    with pytest.raises(UserError, match="test_images: must be uint8 pixels of 0 to 255, not float"):
        load_set("breastmnist", tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="is no npz file of plain arrays"):
        load_set("breastmnist", tmp_path)


@pytest.mark.parametrize(
    ("name", "counts"),
    [("breastmnist", (399, 147)), ("pneumoniamnist", (3494, 1214)), ("dermamnist", None)],
)
def test_the_real_sets(real, name: str, counts: tuple[int, int] | None) -> None:  # type: ignore[no-untyped-def]
    data = load_set(name, real(name))
    found = np.bincount(data.train_labels)
    assert counts is None or sorted(found.tolist(), reverse=True) == list(counts)
