# SPDX-License-Identifier: Apache-2.0
"""Which images ``--data`` means: a public set at hand, or the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scaledrop.data import SET_NAMES, SOURCES, ImageSet, data_root, load_set, open_images
from scaledrop.data.catalogue import BY_HAND, FOLDERS, find, set_folder
from scaledrop.training import TrainConfig

__all__ = ["SetStatus", "images_of", "is_own", "set_statuses"]


def is_own(path: Path | None) -> bool:
    """Whether ``--data`` names the user's own images rather than a place of public sets.

    A file is the user's own. A folder is a place of public sets if it holds one under its usual
    name (``mnist``, ``fashion_mnist``, ``medmnist``, ...), or is one: bears such a name and has no
    folders of its own. Any other folder is the user's own, with a folder of pictures for each class.
    """
    if path is None or not path.exists():
        return path is not None
    return _root(path) is None


def _root(path: Path) -> Path | None:
    """The data root that a folder is or lies in."""
    if not path.is_dir():
        return None
    names = set(FOLDERS.values())
    if any((path / name).is_dir() for name in names):
        return path
    alone = path.resolve().name in names and not any(entry.is_dir() for entry in path.iterdir())
    return path.resolve().parent if alone else None


def images_of(config: TrainConfig, path: Path | None) -> ImageSet:
    """The images of a run.

    Args:
        config: whose set is meant where ``path`` is a place of public sets, or None.
        path: an npz file or a folder of the user's own (:func:`is_own`), a folder of public sets,
            or None for SCALEDROP_DATA or the cache.

    Raises:
        UserError: the images are missing, damaged or wrong; the message says what to do.
    """
    if path is not None and is_own(path):
        return open_images(path)
    return load_set(config.data, None if path is None else _root(path))


class SetStatus(NamedTuple):
    """A public set: its name, its folder (None if embedded), whether every file is there, and how
    to get it ("" if there is nothing to get)."""

    name: str
    folder: Path | None
    at_hand: bool
    remedy: str


def set_statuses(root: Path | None = None) -> list[SetStatus]:
    """Every public set under ``root``, else SCALEDROP_DATA, else the cache. No file is read."""
    return [_status(name, data_root(root)) for name in SET_NAMES]


def _status(name: str, root: Path) -> SetStatus:
    if name not in FOLDERS:
        return SetStatus(name, None, True, "")
    folder = set_folder(name, root)
    remedy = BY_HAND.get(name, f"scaledrop data fetch {name}")
    return SetStatus(name, folder, _at_hand(name, folder), remedy)


def _at_hand(name: str, folder: Path) -> bool:
    other = {"cifar10": "train_00.webp", "isbi2012": "image0.png"}
    if name in other and find(folder, other[name]) is not None:
        return True
    files = [source.file for source in SOURCES.get(name, ())] or ["train-volume.tif"]
    return all(find(folder, file, file.removesuffix(".gz")) is not None for file in files)
