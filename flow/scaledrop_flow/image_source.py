# SPDX-License-Identifier: Apache-2.0
"""What ``--data`` means: where public sets lie, or a user's own images."""

from __future__ import annotations

from pathlib import Path

from scaledrop.data import ImageSet, load_set, open_images
from scaledrop.data.catalogue import FOLDERS

__all__ = ["holds_sets", "image_set"]


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
