# SPDX-License-Identifier: Apache-2.0
"""ISBI 2012: membranes in electron microscopy, a biomedical segmentation set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.data.catalogue import find, missing
from scaledrop.data.image_set import ImageSet
from scaledrop.data.pictures import read_frames, read_picture
from scaledrop.errors import UserError

__all__ = ["load_isbi2012", "tiles"]

SECTIONS, SIDE = 30, 512
TRAIN = 24

Pixels = npt.NDArray[np.uint8]


def load_isbi2012(folder: Path) -> ImageSet:
    """30 sections of one stack, 512 x 512 grey, label 1 on membranes and 0 in cells.

    Only the challenge's 30 labelled sections are used: 0 to 23 train, the last 6 test. The test
    part is one block because neighbouring sections look alike. Files: train-volume.tif and
    train-labels.tif as distributed, or image0.png to image29.png with label0.png to label29.png;
    in the masks 255 is cell and 0 membrane.

    Raises:
        UserError: a file is missing or damaged, or has another size or other values.

    Source: I. Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation
    algorithms for connectomics", Frontiers in Neuroanatomy, 2015. Free for non-commercial research.
    """
    images, masks = _stack(folder, "train-volume.tif", "image"), _masks(folder)
    labels = (masks == 0).astype(np.int64)
    return ImageSet(
        images[:TRAIN],
        labels[:TRAIN],
        images[TRAIN:],
        labels[TRAIN:],
        (SIDE, SIDE),
        2,
        "isbi2012",
        task="segmentation",
        label_names=("cell", "membrane"),
    )


def _masks(folder: Path) -> Pixels:
    masks = _stack(folder, "train-labels.tif", "label")
    wrong = np.argwhere((masks != 0) & (masks != 255))
    if len(wrong):
        value = masks[tuple(wrong[0])]
        raise UserError(
            f"{folder}: mask {wrong[0][0]} has a pixel of {value}, not 0 or 255; replace it"
        )
    return masks


def _stack(folder: Path, stack: str, name: str) -> Pixels:
    path = find(folder, stack)
    if path is not None:
        pixels = read_frames(path)
    else:
        paths = [folder / f"{name}{index}.png" for index in range(SECTIONS)]
        if not paths[0].is_file():
            raise missing("isbi2012", folder, stack)
        pixels = np.stack([_section(path) for path in paths])
    if pixels.shape != (SECTIONS, SIDE, SIDE):
        raise UserError(f"{path}: holds {pixels.shape}, not {(SECTIONS, SIDE, SIDE)}; replace it")
    return pixels


def _section(path: Path) -> Pixels:
    pixels = read_picture(path, colour=False)
    if pixels.shape != (SIDE, SIDE):
        raise UserError(f"{path}: is {pixels.shape}, not {(SIDE, SIDE)}; replace it")
    return pixels


def _starts(length: int, size: int, stride: int) -> list[int]:
    """Every ``stride``, and once flush with the far edge where that leaves a rest."""
    last = length - size
    return [*range(0, last, stride), last]


def tiles(
    images: Pixels, labels: npt.NDArray[np.int64], size: int, stride: int
) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Square patches of images and of their pixel labels, which together cover every pixel.

    Patches start every ``stride`` pixels from the top left, and the last of a row or column is
    flush with the edge. Order: images, then rows, then columns.

    Args:
        images: (N, H, W) or (N, C, H, W) uint8.
        labels: (N, H, W) int64.
        size: side of a patch, 1 to the smaller of H and W.
        stride: distance of neighbouring patches, 1 to size.

    Returns:
        (N * P, size, size) or (N * P, C, size, size) uint8 and (N * P, size, size) int64.

    Raises:
        UserError: size or stride out of range, or labels that do not match.
    """
    height, width = images.shape[-2:]
    if labels.shape != (len(images), height, width):
        raise UserError(
            f"labels: must be {(len(images), height, width)}, not {labels.shape}; give one for "
            "each pixel"
        )
    if not 1 <= size <= min(height, width):
        raise UserError(f"size: must be 1 to {min(height, width)}, not {size}; change it")
    if not 1 <= stride <= size:
        raise UserError(f"stride: must be 1 to {size}, the size, not {stride}; change it")
    corners = [(y, x) for y in _starts(height, size, stride) for x in _starts(width, size, stride)]
    patches = [images[..., y : y + size, x : x + size] for y, x in corners]
    masks = [labels[:, y : y + size, x : x + size] for y, x in corners]
    return (
        np.stack(patches, axis=1).reshape(-1, *images.shape[1:-2], size, size),
        np.stack(masks, axis=1).reshape(-1, size, size),
    )
