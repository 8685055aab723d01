# SPDX-License-Identifier: Apache-2.0
"""One call for a named set, one for a user's own images."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from scaledrop.data.catalogue import SET_NAMES, find, set_folder
from scaledrop.data.cifar import load_cifar10
from scaledrop.data.digits import load_digits
from scaledrop.data.download import Progress, fetch
from scaledrop.data.folder import from_folder
from scaledrop.data.idx import load_idx_set
from scaledrop.data.image_set import ImageSet
from scaledrop.data.medmnist import load_medmnist
from scaledrop.data.membranes import load_isbi2012
from scaledrop.data.npz import from_npz
from scaledrop.data.sources import SOURCES
from scaledrop.errors import UserError

__all__ = ["at_hand", "load_set", "open_images"]

LOADERS: dict[str, Callable[[Path], ImageSet]] = {
    **{
        name: partial(load_idx_set, name)
        for name in ("mnist", "fashion-mnist", "kmnist", "notmnist")
    },
    **{
        name: partial(load_medmnist, name)
        for name in ("breastmnist", "pneumoniamnist", "dermamnist")
    },
    "cifar10": load_cifar10,
    "isbi2012": load_isbi2012,
}

OTHER_FORMS = {"cifar10": "train_00.webp", "isbi2012": "image0.png"}
"""A file that shows that a set is there in another form than the published files."""

BY_HAND_FILES = {"isbi2012": ("train-volume.tif", "train-labels.tif")}
"""The published files of a set that ``fetch`` does not bring."""


def load_set(
    name: str,
    root: Path | None = None,
    *,
    download: bool = False,
    progress: Progress | None = None,
) -> ImageSet:
    """A public set by name.

    Files are looked for in the set's folder under ``root``, else under SCALEDROP_DATA, else under
    the user's cache. The network is used only when asked for, and only if a file is missing.
    Downloads are checked against their digests as they arrive. Files at hand are checked
    for structure, and for the digest of their contents where one is known that does not depend on
    how they were packed: MNIST, Fashion-MNIST, notMNIST, and the CIFAR-10 archive.

    Args:
        name: digits (embedded), mnist, fashion-mnist, kmnist, notmnist (test part alone), cifar10,
            breastmnist, pneumoniamnist, dermamnist or isbi2012 (segmentation).
        root: the data root.
        download: fetch the set first if it is not at hand.
        progress: called as a download arrives, with file name, bytes so far and bytes in all.

    Raises:
        UserError: unknown name, or files missing, damaged or wrong; the message says what to do.
    """
    if name not in SET_NAMES:
        raise UserError(f"data: no set is called {name!r}; choose one of {', '.join(SET_NAMES)}")
    if name == "digits":
        return load_digits()
    folder = set_folder(name, root)
    if download and name in SOURCES and not at_hand(name, folder):
        fetch(name, root, progress)
    return LOADERS[name](folder)


def at_hand(name: str, folder: Path) -> bool:
    """Whether every published file of a set, or the set in another form, is there.

    No file is read.

    Args:
        name: a set that has files: any but the digits.
        folder: where they are looked for, as ``set_folder`` has it.
    """
    if name in OTHER_FORMS and find(folder, OTHER_FORMS[name]) is not None:
        return True
    files = BY_HAND_FILES.get(name) or [source.file for source in SOURCES[name]]
    return all(find(folder, file, file.removesuffix(".gz")) is not None for file in files)


def open_images(path: Path) -> ImageSet:
    """A user's own images: an npz file (see ``from_npz``) or a folder (see ``from_folder``).

    Raises:
        UserError: it is neither, or its contents are wrong.
    """
    path = Path(path)
    if path.is_dir():
        return from_folder(path)
    if not path.exists():
        raise UserError(f"{path}: does not exist; give an npz file or a folder of pictures")
    if path.suffix != ".npz":
        raise UserError(f"{path}: is no npz file or folder; give one of the two")
    return from_npz(path)
