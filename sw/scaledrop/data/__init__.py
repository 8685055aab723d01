# SPDX-License-Identifier: Apache-2.0
"""Image sets in the unsigned pixels that the first crossbar takes."""

from scaledrop.data.catalogue import SET_NAMES, data_root
from scaledrop.data.digits import load_digits
from scaledrop.data.download import fetch
from scaledrop.data.folder import from_folder
from scaledrop.data.image_set import ImageSet
from scaledrop.data.load import at_hand, load_set, open_images
from scaledrop.data.membranes import tiles
from scaledrop.data.npz import from_npz, read_npz
from scaledrop.data.shift import CORRUPTIONS, corrupt, rotate
from scaledrop.data.sources import SOURCES, Source

__all__ = [
    "CORRUPTIONS",
    "SET_NAMES",
    "SOURCES",
    "ImageSet",
    "Source",
    "at_hand",
    "corrupt",
    "data_root",
    "fetch",
    "from_folder",
    "from_npz",
    "load_digits",
    "load_set",
    "open_images",
    "read_npz",
    "rotate",
    "tiles",
]
