# SPDX-License-Identifier: Apache-2.0
"""What ``--data`` means: where public sets lie, or a user's own images."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scaledrop.data import SET_NAMES, ImageSet, at_hand, data_root, load_set, open_images
from scaledrop.data.catalogue import BY_HAND, FOLDERS, set_folder

__all__ = ["SetStatus", "holds_sets", "image_set", "set_statuses"]


def holds_sets(path: Path) -> bool:
    """Whether a folder is a place of public sets: it has the folder of one of them in it."""
    return path.is_dir() and any((path / folder).is_dir() for folder in set(FOLDERS.values()))


def image_set(name: str, path: Path | None) -> ImageSet:
    """The set ``name``, from ``path`` if public sets lie there; else what ``path`` holds.

    Args:
        name: a public set.
        path: a folder of public sets; or an npz file or a folder of class folders, which are then
            taken instead of ``name``. None: SCALEDROP_DATA, or the user's cache.

    Raises:
        UserError: nothing there, or it is damaged.
    """
    if path is None or holds_sets(path):
        return load_set(name, path)
    return open_images(path)


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
    if at_hand(name, folder):
        return SetStatus(name, folder, True, "")
    return SetStatus(name, folder, False, BY_HAND.get(name, f"scaledrop data fetch {name}"))
