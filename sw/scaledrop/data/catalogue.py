# SPDX-License-Identifier: Apache-2.0
"""The named sets, the folder where each is looked for, and what to say when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from scaledrop.errors import UserError

__all__ = ["BY_HAND", "FOLDERS", "SET_NAMES", "data_root", "find", "missing", "set_folder"]

FOLDERS = {
    "mnist": "mnist",
    "fashion-mnist": "fashion_mnist",
    "kmnist": "kmnist",
    "notmnist": "notmnist_t10k",
    "cifar10": "cifar10",
    "breastmnist": "medmnist",
    "pneumoniamnist": "medmnist",
    "dermamnist": "medmnist",
    "isbi2012": "isbi2012_em",
}
"""Set name to its folder under the data root; digits need none."""

SET_NAMES = ("digits", *FOLDERS)

BY_HAND = {
    "isbi2012": "download train-volume.tif and train-labels.tif of the ISBI 2012 EM segmentation "
    "challenge (https://imagej.net/events/isbi-2012-segmentation-challenge)"
}
"""What a person must do for a set whose files have no published checksum."""


def data_root(root: Path | None = None) -> Path:
    """The folder that holds the sets: ``root``, else SCALEDROP_DATA, else the user's cache.

    It need not exist.
    """
    if root is not None:
        return Path(root)
    if os.environ.get("SCALEDROP_DATA"):
        return Path(os.environ["SCALEDROP_DATA"])
    return platformdirs.user_cache_path("scaledrop") / "data"


def set_folder(name: str, root: Path | None = None) -> Path:
    """Where the files of a set are looked for and fetched to.

    Raises:
        UserError: no set of that name has files.
    """
    if name not in FOLDERS:
        raise UserError(f"data: no set is called {name!r}; choose one of {', '.join(SET_NAMES)}")
    return data_root(root) / FOLDERS[name]


def find(folder: Path, *files: str) -> Path | None:
    """The first of ``files`` that is in ``folder``."""
    return next((folder / file for file in files if (folder / file).is_file()), None)


def missing(name: str, folder: Path, file: str) -> UserError:
    """The error for a set that is not at hand: what, where, and the remedies."""
    get = BY_HAND.get(name, f"run 'scaledrop data fetch {name}'")
    return UserError(
        f"{name}: {file} is not in {folder}; {get}, or name the folder that holds "
        f"{folder.name} with --data or SCALEDROP_DATA"
    )
