# SPDX-License-Identifier: Apache-2.0
"""What every loader returns: images, labels and their held-out parts, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = ["ImageSet"]

TASKS = ("classification", "segmentation")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A labelled set with its held-out part.

    Attributes:
        train_images, test_images: (N, *shape) uint8 pixels, 0 to 255; N may be 0.
        train_labels, test_labels: int64, 0 to classes - 1; (N,) for classification, (N, H, W),
            one per pixel, for segmentation.
        shape: shape of one image: (H, W) grey, (C, H, W) colour, channels first.
        classes: number of labels.
        name: short name.
        task: "classification" or "segmentation".
        valid_images, valid_labels: a third part where the set's authors made one, else None.
        label_names: one per class, or empty.

    Raises:
        UserError: a field has the wrong type, shape or range, or counts do not match.
    """

    train_images: npt.NDArray[np.uint8]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.uint8]
    test_labels: npt.NDArray[np.int64]
    shape: tuple[int, ...]
    classes: int
    name: str
    task: str = "classification"
    valid_images: npt.NDArray[np.uint8] | None = None
    valid_labels: npt.NDArray[np.int64] | None = None
    label_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_kind(self)
        _check_part(self, "train", self.train_images, self.train_labels)
        _check_part(self, "test", self.test_images, self.test_labels)
        if self.valid_images is not None and self.valid_labels is not None:
            _check_part(self, "valid", self.valid_images, self.valid_labels)


def _check_kind(data: ImageSet) -> None:
    if data.task not in TASKS:
        raise UserError(f"task: must be {' or '.join(TASKS)}, not {data.task!r}")
    if len(data.shape) not in {2, 3}:
        raise UserError(f"shape: must be (H, W) or (C, H, W), not {data.shape}; reshape the images")
    if data.classes < 1:
        raise UserError(f"classes: must be 1 or more, not {data.classes}")
    if len(data.label_names) not in {0, data.classes}:
        raise UserError(
            f"label_names: has {len(data.label_names)} names for {data.classes} classes; give one "
            "for each class, or none"
        )
    if (data.valid_images is None) != (data.valid_labels is None):
        missing = "valid_images" if data.valid_images is None else "valid_labels"
        raise UserError(f"{missing}: is missing; give valid_images and valid_labels, or neither")


def _check_part(
    data: ImageSet, part: str, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]
) -> None:
    if images.dtype != np.uint8:
        raise UserError(
            f"{part}_images: must be uint8, not {images.dtype}; scale the pixels to 0 to 255 and "
            "round them"
        )
    if images.ndim == 0 or images.shape[1:] != data.shape:
        wanted = ", ".join(["N", *map(str, data.shape)])
        raise UserError(
            f"{part}_images: must be ({wanted}), not {images.shape}; reshape the images"
        )
    wanted_labels = (len(images), *(data.shape[-2:] if data.task == "segmentation" else ()))
    if labels.dtype != np.int64 or labels.shape != wanted_labels:
        raise UserError(
            f"{part}_labels: must be {wanted_labels} int64 for the {len(images)} images, not "
            f"{labels.shape} {labels.dtype}; give one label for each "
            + ("pixel" if data.task == "segmentation" else "image")
        )
    _check_range(data, part, labels)


def _check_range(data: ImageSet, part: str, labels: npt.NDArray[np.int64]) -> None:
    if labels.size == 0 or (labels.min() >= 0 and labels.max() < data.classes):
        return
    first = np.argwhere((labels < 0) | (labels >= data.classes))[0].tolist()
    names = ("image", "row", "column")
    where = ", ".join(f"{name} {index}" for name, index in zip(names, first, strict=False))
    raise UserError(
        f"{part}_labels: must be 0 to {data.classes - 1}, not {labels[tuple(first)]} ({where}, "
        "counted from 0); correct the label or the number of classes"
    )
