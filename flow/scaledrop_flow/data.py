# SPDX-License-Identifier: Apache-2.0
"""Which images a run uses: the held-out digits, or a user's own file."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from scaledrop.data import load_digits
from scaledrop.engine import check_images
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork

__all__ = ["LabelledImages", "images_for", "read_arrays"]

DIGIT_BITS = 8


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images (N, input_size) as a network takes them, and labels (N,)."""

    pixels: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    name: str


UNREADABLE = (ValueError, TypeError, EOFError, NotImplementedError, BadZipFile, zlib.error)
"""What NumPy and zipfile raise on a file that is no npz of plain arrays."""


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """The named arrays of an npz file, without pickle.

    Raises:
        UserError: the file cannot be read, is no npz of plain arrays, or lacks one of them.
    """
    arrays = _read_npz(path, names)
    for name in names:
        if name not in arrays:
            raise UserError(f"{path}: has no array {name!r}; give an npz with it")
    return arrays


def _read_npz(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names if name in arrays.files}
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (*UNREADABLE, AttributeError):
        raise UserError(f"{path}: cannot be read (not an npz file of plain arrays)") from None


def _from_file(path: Path, network: FrozenNetwork) -> tuple[npt.NDArray[np.int64], ...]:
    arrays = read_arrays(path, ("images", "labels"))
    labels = arrays["labels"]
    try:
        pixels = check_images(network, arrays["images"])
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if len(pixels) == 0:
        raise UserError(f"{path}: images is empty; at least one is needed")
    if labels.shape != (len(pixels),) or labels.dtype.kind not in "iu":
        raise UserError(f"{path}: labels must be ({len(pixels)},) integers, not {labels.shape}")
    codes = labels.astype(np.int64)
    if codes.min() < 0 or codes.max() >= network.classes:
        worst = codes.min() if codes.min() < 0 else codes.max()
        raise UserError(f"{path}: labels must be 0 to {network.classes - 1}, not {worst}")
    return pixels, codes


def _digits_for(network: FrozenNetwork) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    digits = load_digits()
    size = digits.test_images[0].size
    if (network.input_size, network.input_bits) != (size, DIGIT_BITS):
        raise UserError(
            f"images: the digits have {size} pixels of {DIGIT_BITS} bits but the network takes "
            f"{network.input_size} of {network.input_bits}; give your own with --data FILE.npz"
        )
    if network.classes < digits.classes:
        raise UserError(
            f"labels: the digits have {digits.classes} classes but the network has "
            f"{network.classes}; give your own with --data FILE.npz"
        )
    return check_images(network, digits.test_images.reshape(-1, size)), digits.test_labels


def images_for(network: FrozenNetwork, count: int, path: Path | None = None) -> LabelledImages:
    """The first ``count`` test images for a network; 0 takes all.

    Args:
        path: An npz with ``images`` (N, ...) of unsigned pixels and ``labels`` (N,); the held-out
            digits when None.

    Raises:
        UserError: no such file, wrong shape or range, or fewer images than asked for.
    """
    if path is None:
        (pixels, labels), name = _digits_for(network), "digits, held-out part"
    else:
        (pixels, labels), name = _from_file(path, network), path.name
    if not 0 <= count <= len(pixels):
        raise UserError(f"images: {name} has {len(pixels)}, not {count}; 0 takes all")
    return LabelledImages(pixels[: count or None], labels[: count or None], name)
