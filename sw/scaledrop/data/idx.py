# SPDX-License-Identifier: Apache-2.0
"""MNIST and the sets that share its idx files: Fashion-MNIST, KMNIST, notMNIST."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.data.catalogue import find, missing
from scaledrop.data.image_set import ImageSet
from scaledrop.errors import UserError

__all__ = ["RAW_MD5", "load_idx_set", "read_idx"]

COUNTS = {"train": 60000, "t10k": 10000}

FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

LABEL_NAMES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": FASHION,
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "notmnist": tuple("ABCDEFGHIJ"),
}

RAW_MD5 = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
    "notmnist": {
        "t10k-images-idx3-ubyte": "1e78b07d677d6e4de2c8857bafff012e",
        "t10k-labels-idx1-ubyte": "b10b3ef34b4e468313a7b24c216c6a53",
    },
}
"""md5 of the decompressed files, where known: it does not change when a file is packed anew."""

AGAIN = "delete it and fetch it again"


def load_idx_set(name: str, folder: Path) -> ImageSet:
    """One of the four sets, 28 x 28 grey, 10 classes, in the files' own order.

    60,000 training and 10,000 test images; of notMNIST only the 10,000 test letters, its training
    part being (0, 28, 28): a set to tell apart from digits, not to train on. Files may be gzipped
    or not. A file whose decompressed bytes have another md5 than ``RAW_MD5`` is refused; KMNIST,
    not listed there, is checked for its structure alone.

    Raises:
        UserError: a file is missing, damaged, or not the published one.
    """
    parts = ("t10k",) if name == "notmnist" else ("train", "t10k")
    images = {part: _read(name, folder, part, "images", 3) for part in parts}
    labels = {part: _read(name, folder, part, "labels", 1).astype(np.int64) for part in parts}
    return ImageSet(
        images.get("train", np.zeros((0, 28, 28), np.uint8)),
        labels.get("train", np.zeros(0, np.int64)),
        images["t10k"],
        labels["t10k"],
        (28, 28),
        10,
        name,
        label_names=LABEL_NAMES[name],
    )


def _read(name: str, folder: Path, part: str, what: str, dimensions: int) -> npt.NDArray[np.uint8]:
    file = f"{part}-{what}-idx{dimensions}-ubyte"
    path = find(folder, f"{file}.gz", file)
    if path is None:
        raise missing(name, folder, f"{file}.gz")
    array = read_idx(path, dimensions, RAW_MD5.get(name, {}).get(file))
    wanted = (COUNTS[part], 28, 28)[:dimensions]
    if array.shape != wanted:
        raise UserError(f"{path}: holds {array.shape}, not {wanted} of {name}; {AGAIN}")
    return array


def read_idx(path: Path, dimensions: int, md5: str | None = None) -> npt.NDArray[np.uint8]:
    """The array of an idx file of unsigned bytes, gzipped if its name ends in .gz.

    Args:
        path: the file.
        dimensions: how many the array must have, 1 to 255.
        md5: digest that the decompressed bytes must have; None checks the structure alone.

    Raises:
        UserError: it cannot be read or unpacked, or its magic number, length or digest is wrong.
    """
    data, header = _bytes(path), 4 + 4 * dimensions
    magic = 0x800 + dimensions
    if int.from_bytes(data[:4]) != magic or len(data) < header:
        raise UserError(
            f"{path}: starts with 0x{data[:4].hex()}, not the 0x{magic:08x} of an idx file of "
            f"bytes in {dimensions} dimensions; {AGAIN}"
        )
    shape = tuple(np.frombuffer(data, ">u4", dimensions, 4).tolist())
    size = header + int(np.prod(shape, dtype=object))
    if len(data) != size:
        raise UserError(f"{path}: has {len(data)} bytes for {shape}, not {size}; {AGAIN}")
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if md5 is not None and found != md5:
        raise UserError(
            f"{path}: wrong checksum: md5 of its decompressed bytes is {found}, not {md5}; {AGAIN}"
            ", or keep it elsewhere and open it as your own images"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape).copy()


def _bytes(path: Path) -> bytes:
    try:
        if path.suffix != ".gz":
            return path.read_bytes()
        with gzip.open(path) as file:
            return file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UserError(f"{path}: is cut short or no gzip file; {AGAIN}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {AGAIN}") from None
