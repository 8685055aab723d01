# SPDX-License-Identifier: Apache-2.0
"""idx files: the format, its faults, and the four sets that use it."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from scaledrop.data import load_set
from scaledrop.data.idx import RAW_MD5, read_idx
from scaledrop.errors import UserError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def idx(array: npt.NDArray[np.uint8]) -> bytes:
    """The bytes of an idx file."""
    shape = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


def write(folder: Path, part: str, images: npt.NDArray[np.uint8], labels: list[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ys = np.array(labels, np.uint8)
    for name, array in (
        (f"{part}-images-idx3-ubyte.gz", images),
        (f"{part}-labels-idx1-ubyte.gz", ys),
    ):
        (folder / name).write_bytes(gzip.compress(idx(array), 1))


@pytest.mark.parametrize("name", ["a-ubyte.gz", "a-ubyte"])
def test_an_array_comes_back(tmp_path: Path, name: str) -> None:
    data = gzip.compress(idx(IMAGES)) if name.endswith("gz") else idx(IMAGES)
    (tmp_path / name).write_bytes(data)
    array = read_idx(tmp_path / name, 3, hashlib.md5(idx(IMAGES)).hexdigest())
    assert np.array_equal(array, IMAGES)
    array[0] = 0


WHOLE = gzip.compress(idx(IMAGES))

WRONG = [
    (WHOLE[:-12], "is cut short or no gzip file; delete it and fetch it again"),
    (b"<html>", "is cut short or no gzip file; delete it and fetch it again"),
    (WHOLE[:20] + b"\0\0\0\0" + WHOLE[24:], None),
    (
        gzip.compress(idx(IMAGES[0])),
        "starts with 0x00000802, not the 0x00000803 of an idx file of bytes in 3 dimensions; "
        "delete it and fetch it again",
    ),
    (
        gzip.compress(b"\0\0\x0d\x03" + idx(IMAGES)[4:]),
        "starts with 0x00000d03, not the 0x00000803 of an idx file of bytes in 3 dimensions; "
        "delete it and fetch it again",
    ),
    (
        gzip.compress(b"\0\0\x08\x03"),
        "starts with 0x00000803, not the 0x00000803 of an idx file of bytes in 3 dimensions; "
        "delete it and fetch it again",
    ),
    (
        gzip.compress(idx(IMAGES)[:-1]),
        "has 39 bytes for (2, 3, 4), not 40; delete it and fetch it again",
    ),
    (
        gzip.compress(idx(IMAGES) + b"\0"),
        "has 41 bytes for (2, 3, 4), not 40; delete it and fetch it again",
    ),
    (
        gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12),
        "has 16 bytes for (4294967295, 4294967295, 4294967295), not 79228162458924105385300197391; "
        "delete it and fetch it again",
    ),
]


@pytest.mark.parametrize(("data", "message"), WRONG, ids=range(len(WRONG)))
def test_damaged_files_are_refused(tmp_path: Path, data: bytes, message: str | None) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(data)
    with pytest.raises(UserError) as error:
        read_idx(path, 3)
    if message is not None:
        assert str(error.value) == f"{path}: {message}"


def test_a_wrong_checksum_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(idx(IMAGES))
    found = hashlib.md5(idx(IMAGES)).hexdigest()
    message = (
        f"{path}: wrong checksum: md5 of its decompressed bytes is {found}, not 1234; delete it "
        "and fetch it again, or keep it elsewhere and open it as your own images"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        read_idx(path, 3, "1234")


@pytest.fixture(scope="module")
def kuzushiji(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a made set of KMNIST's size."""
    root = tmp_path_factory.mktemp("root")
    for part, count in (("train", 60000), ("t10k", 10000)):
        images = np.zeros((count, 28, 28), np.uint8)
        images[:, 0, 0] = np.arange(count) % 251
        write(root / "kmnist", part, images, [index % 10 for index in range(count)])
    return root


def test_a_set_is_read_in_its_own_order(kuzushiji: Path) -> None:
    data = load_set("kmnist", kuzushiji)
    assert (data.name, data.shape, data.classes) == ("kmnist", (28, 28), 10)
    assert data.train_images.shape == (60000, 28, 28) and data.test_images.shape == (10000, 28, 28)
    assert data.train_images[59999, 0, 0] == 59999 % 251
    assert data.test_labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert data.label_names[3] == "tsu"


def test_another_set_in_its_place_is_refused(kuzushiji: Path, tmp_path: Path) -> None:
    (tmp_path / "mnist").symlink_to(kuzushiji / "kmnist")
    with pytest.raises(
        UserError, match=r"wrong checksum: md5 of its decompressed bytes is .*, not "
    ):
        load_set("mnist", tmp_path)


def test_too_few_images_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "kmnist", "train", IMAGES, [0, 1])
    path = tmp_path / "kmnist" / "train-images-idx3-ubyte.gz"
    message = (
        f"{path}: holds (2, 3, 4), not (60000, 28, 28) of kmnist; delete it and fetch it again"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load_set("kmnist", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "notmnist"])
def test_the_real_sets(real, name: str) -> None:  # type: ignore[no-untyped-def]
    data = load_set(name, real(name))
    train = 0 if name == "notmnist" else 60000
    assert data.train_images.shape == (train, 28, 28) and data.test_images.shape == (10000, 28, 28)
    assert len(data.label_names) == 10 and set(RAW_MD5[name]) >= {"t10k-images-idx3-ubyte"}
    if name == "mnist":
        assert data.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
        assert np.bincount(data.test_labels)[:3].tolist() == [980, 1135, 1032]
