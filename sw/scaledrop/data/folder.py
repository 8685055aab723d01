# SPDX-License-Identifier: Apache-2.0
"""A user's own folder of pictures, one folder for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.data.image_set import ImageSet
from scaledrop.data.pictures import is_grey, read_picture
from scaledrop.data.split import fifth
from scaledrop.errors import UserError

__all__ = ["from_folder"]

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm"}

Files = list[tuple[Path, int]]
"""Pictures and their labels."""


def from_folder(
    path: Path, size: tuple[int, int] | None = None, colour: bool | None = None
) -> ImageSet:
    """Pictures sorted into folders: PATH/train/CLASS/* and PATH/test/CLASS/*, or PATH/CLASS/*.

    Classes are numbered in the order of their names; pictures are read in the order of theirs.
    Without train and test folders, one in five of each class, the same for ever, becomes the test
    part. Hidden files and files that are no pictures by their suffix are passed over.

    Args:
        path: the folder.
        size: (H, W) that pictures are resized to, bilinear; None asks that all are of one size.
        colour: (3, H, W) images, or (H, W) grey; None takes colour if any picture has it.

    Raises:
        UserError: no such folder, a class without pictures, a class in test alone, an unreadable
            picture, or one of another size; the message names it.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"{path}: is no folder; give one with a folder of pictures for each class")
    if size is not None and min(size) < 1:
        raise UserError(f"size: must be 1 or more each way, not {size}; give (height, width)")
    names, train, test = _listing(path)
    files = [file for file, _ in train + test]
    if colour is None:
        colour = not all(is_grey(file) for file in files)
    pixels = _read(files, size, colour)
    labels = np.array([label for _, label in train + test], dtype=np.int64)
    held = np.arange(len(files)) >= len(train) if test else fifth(labels)
    if not held.any():
        raise UserError(f"{path}: has {len(files)} pictures, too few to hold one in five out")
    return ImageSet(
        pixels[~held],
        labels[~held],
        pixels[held],
        labels[held],
        pixels.shape[1:],
        len(names),
        path.resolve().name,
        label_names=names,
    )


def _visible(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))


def _listing(path: Path) -> tuple[tuple[str, ...], Files, Files]:
    """Class names, the training (or all) pictures, and the test pictures."""
    divided = (path / "train").is_dir(), (path / "test").is_dir()
    if any(divided) and not all(divided):
        there, other = ("train", "test") if divided[0] else ("test", "train")
        raise UserError(f"{path}: has a folder {there} but none called {other}; add it")
    train = path / "train" if all(divided) else path
    names = tuple(entry.name for entry in _visible(train) if entry.is_dir())
    if not names:
        raise UserError(f"{train}: has no folders; make one for each class")
    return names, _files(train, names), _files(path / "test", names) if all(divided) else []


def _files(path: Path, names: tuple[str, ...]) -> Files:
    files: Files = []
    for folder in _visible(path):
        if not folder.is_dir():
            continue
        if folder.name not in names:
            raise UserError(f"{folder}: is no class of {path.parent / 'train'}; rename or add it")
        found = [file for file in _visible(folder) if file.suffix.lower() in SUFFIXES]
        if not found:
            raise UserError(f"{folder}: has no pictures; add some or remove the folder")
        files += [(file, names.index(folder.name)) for file in found]
    if not files:
        raise UserError(f"{path}: has no pictures; add a folder of them for each class")
    return files


def _read(files: list[Path], size: tuple[int, int] | None, colour: bool) -> npt.NDArray[np.uint8]:
    first = read_picture(files[0], colour, size)
    pixels = np.empty((len(files), *first.shape), np.uint8)
    for index, file in enumerate(files):
        picture = read_picture(file, colour, size)
        if picture.shape != first.shape:
            raise UserError(
                f"{file}: is {picture.shape[-2]} x {picture.shape[-1]} (height x width) but "
                f"{files[0]} is {first.shape[-2]} x {first.shape[-1]}; give a size to resize to"
            )
        pixels[index] = picture
    return pixels
