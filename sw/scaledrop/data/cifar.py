# SPDX-License-Identifier: Apache-2.0
"""CIFAR-10: the original binary archive, or lossless WebP sheets of it."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.data.catalogue import missing
from scaledrop.data.checksum import mismatch
from scaledrop.data.image_set import ImageSet
from scaledrop.data.pictures import read_picture
from scaledrop.data.sources import SOURCES
from scaledrop.errors import UserError

__all__ = ["load_cifar10"]

LABEL_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
ARCHIVE = "cifar-10-binary.tar.gz"
BATCHES = tuple(f"data_batch_{index}.bin" for index in range(1, 6))
TEST_BATCH = "test_batch.bin"
PER_BATCH, RECORD = 10000, 1 + 3 * 32 * 32
SHEETS = {"train": 50, "test": 10}
ROWS, COLUMNS = 25, 40
PER_SHEET = ROWS * COLUMNS

Part = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def load_cifar10(folder: Path) -> ImageSet:
    """60,000 colour images (3, 32, 32) of 10 classes in the official split.

    ``cifar-10-binary.tar.gz``, where it is present, has all 50,000 + 10,000 in the official order.
    Its checksum is verified, and it is read as a stream, with nothing unpacked to disk. The other
    archive on the authors' page, the Python version, is pickled and never read.

    Otherwise the sheets train_00.webp to train_49.webp and test_00.webp to test_09.webp: each a
    mosaic of 25 x 40 images, image i of a part in sheet i // 1000 with label i % 10, and those
    whose bit in train_valid.npy or test_valid.npy (``np.packbits``) is 0 left out.

    Raises:
        UserError: a file is missing, damaged, or not the published one.
    """
    archive = folder / ARCHIVE
    if archive.is_file():
        train, test = _from_archive(archive)
    elif (folder / "train_00.webp").is_file():
        train, test = _from_sheets(folder, "train"), _from_sheets(folder, "test")
    else:
        raise missing("cifar10", folder, f"{ARCHIVE} (the binary version; the pickled is not read)")
    return ImageSet(*train, *test, (3, 32, 32), 10, "cifar10", label_names=LABEL_NAMES)


def _from_archive(path: Path) -> tuple[Part, Part]:
    wrong = mismatch(path, SOURCES["cifar10"][0].digests)
    if wrong is not None:
        raise UserError(f"{path}: wrong checksum: {wrong}; delete it and fetch it again")
    batches = _members(path)
    for name in (*BATCHES, TEST_BATCH):
        size = len(batches.get(name, b""))
        if size != PER_BATCH * RECORD:
            raise UserError(
                f"{path}: its {name} has {size} bytes, not {PER_BATCH * RECORD}; delete it and "
                "fetch it again"
            )
    return _records(b"".join(map(batches.__getitem__, BATCHES))), _records(batches[TEST_BATCH])


def _members(path: Path) -> dict[str, bytes]:
    batches = {}
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                file = archive.extractfile(member) if name in {*BATCHES, TEST_BATCH} else None
                if file is not None:
                    batches[name] = file.read(PER_BATCH * RECORD + 1)
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        raise UserError(f"{path}: is no readable tar.gz; delete it and fetch it again") from None
    return batches


def _records(data: bytes) -> Part:
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32).copy(), records[:, 0].astype(np.int64)


def _from_sheets(folder: Path, part: str) -> Part:
    count = SHEETS[part] * PER_SHEET
    valid = _valid(folder / f"{part}_valid.npy", count)
    images = np.empty((count, 3, 32, 32), np.uint8)
    for index in range(SHEETS[part]):
        path = folder / f"{part}_{index:02d}.webp"
        images[index * PER_SHEET :][:PER_SHEET] = _sheet(path)
    return images[valid], (np.arange(count, dtype=np.int64) % 10)[valid]


def _sheet(path: Path) -> npt.NDArray[np.uint8]:
    if not path.is_file():
        raise missing("cifar10", path.parent, path.name)
    sheet = read_picture(path, colour=True)
    if sheet.shape != (3, ROWS * 32, COLUMNS * 32):
        raise UserError(
            f"{path}: is {sheet.shape[1]} x {sheet.shape[2]}, not {ROWS * 32} x {COLUMNS * 32} "
            "pixels (height x width); replace the sheet"
        )
    tiles = sheet.reshape(3, ROWS, 32, COLUMNS, 32).transpose(1, 3, 0, 2, 4)
    return tiles.reshape(PER_SHEET, 3, 32, 32)


def _valid(path: Path, count: int) -> npt.NDArray[np.bool_]:
    if not path.is_file():
        raise missing("cifar10", path.parent, path.name)
    try:
        bits = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError):
        raise UserError(f"{path}: is no npy file of bits; replace it") from None
    if bits.dtype != np.uint8 or bits.shape != (count // 8,):
        raise UserError(
            f"{path}: holds {bits.shape} {bits.dtype}, not ({count // 8},) uint8; replace it"
        )
    return np.unpackbits(bits).astype(np.bool_)
