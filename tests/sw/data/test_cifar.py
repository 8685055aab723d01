# SPDX-License-Identifier: Apache-2.0
"""CIFAR-10 from the binary archive and from sheets."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scaledrop.data import SOURCES, Source, load_set
from scaledrop.errors import UserError

NAMES = [*(f"data_batch_{index}.bin" for index in range(1, 6)), "test_batch.bin"]


def records(first: int, count: int = 10000) -> bytes:
    """A batch whose image i is of the bytes (first + i) % 251 but for its red corner of 255."""
    index = np.arange(count)
    data = np.empty((count, 3073), np.uint8)
    data[:] = ((first + index) % 251)[:, None]
    data[:, 0], data[:, 1] = index % 10, 255
    return data.tobytes()


def archive(folder: Path, batches: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as file:
        for name, data in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return path


def trust(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Make the archive's digest the published one."""
    digests = {"md5": hashlib.md5(path.read_bytes()).hexdigest()}
    monkeypatch.setitem(SOURCES, "cifar10", (Source(path.name, (), digests, 0),))


def test_the_archive_is_read_in_its_own_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the batches are found by name, whatever their place in the archive
    batches = {name: records(7 * place) for place, name in reversed(list(enumerate(NAMES)))}
    trust(monkeypatch, archive(tmp_path / "cifar10", {"readme.html": b"hello", **batches}))
    data = load_set("cifar10", tmp_path)
    assert data.train_images.shape == (50000, 3, 32, 32) and data.shape == (3, 32, 32)
    assert data.test_images.shape == (10000, 3, 32, 32) and data.label_names[9] == "truck"
    assert data.train_images[20001, :, 0, 0].tolist() == [255, 15, 15]
    assert data.test_images[3, 2, 31, 31] == 38
    assert data.test_labels[:11].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_an_archive_with_another_checksum_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "cifar10", {"x": b""})
    found = hashlib.md5(path.read_bytes()).hexdigest()
    message = (
        f"{path}: wrong checksum: md5 is {found}, not c32a1d4ab5d03f1284b67883e8d87530; delete it "
        "and fetch it again"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load_set("cifar10", tmp_path)


def test_a_short_batch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = {name: records(0) for name in NAMES} | {"data_batch_3.bin": records(0, 9999)}
    trust(monkeypatch, archive(tmp_path / "cifar10", batches))
    with pytest.raises(
        UserError, match=r"its data_batch_3\.bin has 30726927 bytes, not 30730000; delete it and"
    ):
        load_set("cifar10", tmp_path)


def test_a_broken_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "cifar10", {"data_batch_1.bin": records(0)})
    path.write_bytes(path.read_bytes()[:-2000])
    trust(monkeypatch, path)
    with pytest.raises(UserError, match=r"is no readable tar\.gz; delete it and fetch it again$"):
        load_set("cifar10", tmp_path)


def sheets(folder: Path) -> None:
    """Sheets of images of one colour: red the sheet, green the row, blue the column."""
    folder.mkdir(parents=True)
    down, across = np.mgrid[:25, :40].astype(np.uint8)
    for part, count in (("train", 50), ("test", 10)):
        for index in range(count):
            tile = np.stack([np.full_like(down, index), down, across], axis=2)
            pixels = tile.repeat(32, axis=0).repeat(32, axis=1)
            Image.fromarray(pixels).save(
                folder / f"{part}_{index:02d}.webp", lossless=True, method=0
            )
        valid = np.ones(count * 1000, bool)
        valid[[3, 1041]] = False
        np.save(folder / f"{part}_valid.npy", np.packbits(valid))


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    sheets(root / "cifar10")
    return root


def test_sheets_are_read_but_for_missing_images(mosaic: Path) -> None:
    data = load_set("cifar10", mosaic)
    assert len(data.train_images) == 49998 and len(data.test_images) == 9998
    # image 2042 of the test part: sheet 2, tile 42, so row 1 and column 2; two before it are gone
    assert (data.test_images[2040] == np.array([2, 1, 2])[:, None, None]).all()
    assert data.test_labels[2040] == 2 and data.test_labels[:5].tolist() == [0, 1, 2, 4, 5]
    assert data.train_images[-1, :, 31, 31].tolist() == [49, 24, 39]


@pytest.mark.parametrize("file", ["train_07.webp", "test_valid.npy"])
def test_a_missing_file_is_named(mosaic: Path, tmp_path: Path, file: str) -> None:
    folder = tmp_path / "cifar10"
    folder.mkdir()
    for path in (mosaic / "cifar10").iterdir():
        if path.name != file:
            (folder / path.name).symlink_to(path)
    message = (
        f"cifar10: {file} is not in {folder}; run 'scaledrop data fetch cifar10', or name the "
        "folder that holds cifar10 with --data or SCALEDROP_DATA"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load_set("cifar10", tmp_path)


def test_wrong_sheets_and_masks_are_refused(mosaic: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cifar10"
    folder.mkdir()
    np.save(folder / "train_valid.npy", np.ones(6250, bool))
    Image.new("RGB", (1280, 640)).save(folder / "train_00.webp")
    with pytest.raises(UserError, match=r"holds \(6250,\) bool, not \(6250,\) uint8; replace it$"):
        load_set("cifar10", tmp_path)
    np.save(folder / "train_valid.npy", np.ones(6250, np.uint8))
    with pytest.raises(UserError, match=r"is 640 x 1280, not 800 x 1280 pixels \(height x width\)"):
        load_set("cifar10", tmp_path)
    (folder / "train_valid.npy").write_bytes(b"x")
    with pytest.raises(UserError, match=r"is no npy file of bits; replace it$"):
        load_set("cifar10", tmp_path)


def test_the_pickled_archive_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "cifar-10-python.tar.gz").write_bytes(b"x")
    with pytest.raises(
        UserError, match=r"^cifar10: cifar-10-binary\.tar\.gz \(the binary version; "
    ):
        load_set("cifar10", tmp_path)


def test_the_real_set(real) -> None:  # type: ignore[no-untyped-def]
    data = load_set("cifar10", real("cifar10"))
    assert 49923 <= len(data.train_images) <= 50000 and 9979 <= len(data.test_images) <= 10000
    means = data.train_images.mean(axis=(0, 2, 3)) / 255
    assert np.abs(means - [0.4914, 0.4822, 0.4465]).max() < 5e-4
