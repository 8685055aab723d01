# SPDX-License-Identifier: Apache-2.0
"""A user's own images in an npz file."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from scaledrop.data.image_set import ImageSet
from scaledrop.data.split import fifth
from scaledrop.errors import UserError

__all__ = ["from_npz", "labels_of", "pixels_of", "read_npz"]

MOST_CLASSES = 10000
"""A largest label beyond this is a mistake, not a class."""

PARTS = {"train": "train", "test": "test", "valid": "valid", "val": "valid"}
UNREADABLE = (
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise on a file that is no npz of plain arrays."""

Arrays = Mapping[str, npt.NDArray[Any]]


def read_npz(path: Path, names: Collection[str] | None = None) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an npz file, without pickle.

    Args:
        path: the file.
        names: which to read, where the file has them; None reads all.

    Raises:
        UserError: it cannot be read, or is no npz of plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            wanted = [name for name in arrays.files if names is None or name in names]
            return {name: _plain(arrays[name]) for name in wanted}
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror or error}); give an npz file"
        ) from None
    except UNREADABLE:
        raise UserError(
            f"{path}: is no npz file of plain arrays (Python objects are not read); save it with "
            "np.savez"
        ) from None


def _plain(member: Any) -> npt.NDArray[Any]:
    """NumPy gives a member that is no npy as its bytes."""
    if not isinstance(member, np.ndarray):
        raise TypeError
    return member


def from_npz(path: Path) -> ImageSet:
    """Images of one npz file.

    Arrays: ``train_images``, ``train_labels``, ``test_images``, ``test_labels``, and ``valid_`` (or
    ``val_``) ones if there are any; or ``images`` and ``labels`` alone, of which one in five of
    each class, the same for ever, becomes the test part.

    Images are uint8, (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3; where both ends of
    the shape could be C, the last one is. Labels are integers of 0 to 9999: (N,) or (N, 1), or
    (N, H, W) for segmentation. Optional: ``classes``, one integer of 1 to 10000, else the largest
    label + 1; ``label_names``, (classes,) strings.

    Raises:
        UserError: an array is missing, or of another type, shape or range; the message names the
            file and the array.
    """
    path = Path(path)
    arrays = read_npz(path)
    try:
        return _image_set(arrays, path.stem)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _image_set(arrays: Arrays, name: str) -> ImageSet:
    parts: dict[str, npt.NDArray[Any]] = {}
    for prefix, part in PARTS.items():
        if f"{prefix}_images" in arrays or f"{prefix}_labels" in arrays:
            parts |= _part(arrays, f"{prefix}_", f"{part}_")
    if not parts:
        parts = _divided(_part(arrays, "", ""))
    for needed in ("train_images", "test_images"):
        if needed not in parts:
            raise UserError(f"{needed}: is missing; give training and test arrays, or images alone")
    labels = [array for key, array in parts.items() if key.endswith("labels")]
    return ImageSet(
        **parts,
        shape=parts["train_images"].shape[1:],
        classes=_classes(arrays, labels),
        name=name,
        task="segmentation" if labels[0].ndim == 3 else "classification",
        label_names=tuple(map(str, np.atleast_1d(arrays.get("label_names", ())))),
    )


def _part(arrays: Arrays, prefix: str, target: str) -> dict[str, npt.NDArray[Any]]:
    for what in ("images", "labels"):
        if prefix + what not in arrays:
            raise UserError(f"{prefix}{what}: is missing; the file has {sorted(arrays)}; add it")
    images = pixels_of(f"{prefix}images", arrays[f"{prefix}images"])
    labels = labels_of(f"{prefix}labels", arrays[f"{prefix}labels"])
    if len(images) != len(labels):
        raise UserError(
            f"{prefix}labels: has {len(labels)} for {len(images)} images; give one for each"
        )
    if labels.size and (labels.min() < 0 or labels.max() >= MOST_CLASSES):
        worst = labels.min() if labels.min() < 0 else labels.max()
        raise UserError(
            f"{prefix}labels: must be 0 to {MOST_CLASSES - 1}, not {worst}; number them from 0"
        )
    return {f"{target}images": images, f"{target}labels": labels}


def _divided(whole: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    images, labels = whole["images"], whole["labels"]
    if len(images) < 2:
        raise UserError(f"images: has {len(images)}; give 2 or more, one to train and one to test")
    flat = labels if labels.ndim == 1 else np.zeros(len(labels), np.int64)
    held = fifth(flat)
    if not held.any():
        held[-1] = True
    return {
        "train_images": images[~held],
        "train_labels": labels[~held],
        "test_images": images[held],
        "test_labels": labels[held],
    }


def _classes(arrays: Arrays, labels: list[npt.NDArray[np.int64]]) -> int:
    if "classes" in arrays:
        classes = arrays["classes"]
        if classes.size != 1 or classes.dtype.kind not in "iu":
            raise UserError(
                f"classes: must be one integer, not {classes.shape} {classes.dtype}; correct it"
            )
        count = int(classes.reshape(()))
        if not 1 <= count <= MOST_CLASSES:
            raise UserError(f"classes: must be 1 to {MOST_CLASSES}, not {count}; correct it")
        return count
    return 1 + max(int(part.max(initial=0)) for part in labels)


def pixels_of(field: str, array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Images as (N, H, W) grey or (N, 3, H, W) colour.

    Args:
        field: name for messages.
        array: uint8, (N, H, W), (N, H, W, C) or (N, C, H, W), C of 1 or 3.

    Raises:
        UserError: another type or shape.
    """
    if array.dtype != np.uint8:
        nan = " with NaN" if array.dtype.kind == "f" and np.isnan(array).any() else ""
        raise UserError(
            f"{field}: must be uint8 pixels of 0 to 255, not {array.dtype}{nan}; scale and round"
        )
    if array.ndim == 3:
        return array
    if array.ndim == 4 and array.shape[3] in {1, 3}:
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or array.shape[1] not in {1, 3}:
        raise UserError(
            f"{field}: must be (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1 or 3, not "
            f"{array.shape}; reshape it"
        )
    return np.ascontiguousarray(array[:, 0] if array.shape[1] == 1 else array)


def labels_of(field: str, array: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Labels as (N,), or (N, H, W) for segmentation.

    Args:
        field: name for messages.
        array: integers, (N,), (N, 1) or (N, H, W).

    Raises:
        UserError: another type or shape.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind not in "iu" or array.ndim not in {1, 3}:
        raise UserError(
            f"{field}: must be (N,) or (N, H, W) integers, not {array.shape} {array.dtype}; "
            "convert them"
        )
    return array.astype(np.int64)
