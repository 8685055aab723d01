# SPDX-License-Identifier: Apache-2.0
"""MedMNIST: breast ultrasound, chest X-rays, skin lesions, at 28 x 28."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.data.catalogue import missing
from scaledrop.data.image_set import ImageSet
from scaledrop.data.npz import labels_of, pixels_of, read_npz
from scaledrop.errors import UserError

__all__ = ["load_medmnist"]

COUNTS = {
    "breastmnist": (546, 78, 156),
    "pneumoniamnist": (4708, 524, 624),
    "dermamnist": (7007, 1003, 2005),
}
COLOUR = {"dermamnist"}
LABEL_NAMES = {
    "breastmnist": ("malignant", "normal, benign"),
    "pneumoniamnist": ("normal", "pneumonia"),
    "dermamnist": (
        "actinic keratoses and intraepithelial carcinoma",
        "basal cell carcinoma",
        "benign keratosis-like lesions",
        "dermatofibroma",
        "melanoma",
        "melanocytic nevi",
        "vascular lesions",
    ),
}


def load_medmnist(name: str, folder: Path) -> ImageSet:
    """One of three MedMNIST sets, 28 x 28, with the authors' validation part.

    breastmnist: 546 + 78 + 156 grey, 2 classes. pneumoniamnist: 4,708 + 524 + 624 grey, 2 classes.
    dermamnist: 7,007 + 1,003 + 2,005 colour, (3, 28, 28), 7 classes. Checked here: arrays, shapes,
    counts and labels. Checksums are those of the published npz and are verified by ``fetch`` alone,
    as the same arrays packed anew have others.

    Raises:
        UserError: the file is missing, damaged, or holds something else.

    Source: J. Yang et al., "MedMNIST v2", Scientific Data, 2023. CC BY 4.0.
    """
    path = folder / f"{name}.npz"
    if not path.is_file():
        raise missing(name, folder, path.name)
    arrays = read_npz(path)
    try:
        return _image_set(name, arrays)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _image_set(name: str, arrays: dict[str, npt.NDArray[Any]]) -> ImageSet:
    parts: dict[str, Any] = {}
    for prefix, target, count in zip(
        ("train", "val", "test"), ("train", "valid", "test"), COUNTS[name], strict=True
    ):
        images = _array(arrays, f"{prefix}_images", (count, 28, 28, *(3,) * (name in COLOUR)))
        labels = _array(arrays, f"{prefix}_labels", (count, 1))
        parts[f"{target}_images"] = pixels_of(f"{prefix}_images", images)
        parts[f"{target}_labels"] = labels_of(f"{prefix}_labels", labels)
    return ImageSet(
        **parts,
        shape=(3, 28, 28) if name in COLOUR else (28, 28),
        classes=len(LABEL_NAMES[name]),
        name=name,
        label_names=LABEL_NAMES[name],
    )


def _array(
    arrays: dict[str, npt.NDArray[Any]], field: str, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    found = arrays.get(field, np.zeros(0)).shape
    if found != shape:
        raise UserError(
            f"{field}: must be {shape}, not {found}; delete the file and fetch it again"
        )
    return arrays[field]
