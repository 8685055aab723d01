# SPDX-License-Identifier: Apache-2.0
"""Which images a run uses: the held-out digits, or a user's own file."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.data import load_digits
from scaledrop.engine import check_images
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork

__all__ = ["LabelledImages", "images_for"]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images (N, input_size) as a network takes them, and labels (N,)."""

    pixels: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    name: str


def _from_file(path: Path, network: FrozenNetwork) -> tuple[npt.NDArray[np.int64], ...]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = {"images", "labels"} - set(arrays.files)
            if missing:
                raise UserError(f"{path}: has no array {sorted(missing)[0]!r}; give an npz with it")
            images, labels = arrays["images"], arrays["labels"]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or "not an npz file of plain arrays"
        raise UserError(f"{path}: cannot be read ({reason})") from None
    pixels = check_images(network, images)
    if labels.shape != (len(pixels),) or labels.dtype.kind not in "iu":
        raise UserError(f"{path}: labels must be ({len(pixels)},) integers, not {labels.shape}")
    if labels.size and not 0 <= labels.min() <= labels.max() < network.classes:
        raise UserError(f"{path}: labels must be 0 to {network.classes - 1}, not {labels.max()}")
    return pixels, labels.astype(np.int64)


def images_for(network: FrozenNetwork, count: int, path: Path | None = None) -> LabelledImages:
    """The first ``count`` test images for a network; 0 takes all.

    Args:
        path: An npz with ``images`` (N, ...) of unsigned pixels and ``labels`` (N,); the held-out
            digits when None.

    Raises:
        UserError: no such file, wrong shape or range, or fewer images than asked for.
    """
    if path is None:
        digits = load_digits()
        if network.input_size != digits.test_images[0].size:
            raise UserError(
                f"images: the digits have {digits.test_images[0].size} pixels but the network "
                f"takes {network.input_size}; give your own with --data FILE.npz"
            )
        flat = digits.test_images.reshape(len(digits.test_images), -1)
        pixels, labels = check_images(network, flat), digits.test_labels
        name = "digits, held-out part"
    else:
        pixels, labels = _from_file(path, network)
        name = path.name
    if not 0 <= count <= len(pixels):
        raise UserError(f"images: {name} has {len(pixels)}, not {count}; 0 takes all")
    return LabelledImages(pixels[: count or None], labels[: count or None], name)
