# SPDX-License-Identifier: Apache-2.0
"""Which images a run uses: the held-out part of the training set, or a user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.data import SET_NAMES, ImageSet, corrupt, read_npz, rotate, tiles
from scaledrop.engine import check_images
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork
from scaledrop.graph import INPUT
from scaledrop_flow.image_source import holds_sets, image_set

__all__ = [
    "LabelledImages",
    "foreign_images",
    "images_for",
    "read_arrays",
    "set_name",
    "shifted",
]

PIXEL_BITS = 8


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images (N, input_size) as a network takes them, and labels (N,), or (N, H, W) for a network
    that predicts at every position."""

    pixels: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    name: str


Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any]]


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """The named arrays of an npz file, without pickle.

    Raises:
        UserError: the file cannot be read, is no npz of plain arrays, or lacks one of them.
    """
    arrays = read_npz(path, names)
    for name in names:
        if name not in arrays:
            raise UserError(f"{path}: has no array {name!r}; give an npz with it")
    return arrays


def _cut(network: FrozenNetwork, images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Arrays:
    """Images and their labels of pixels; where they are larger than the network takes, the tiles
    that cover them, as in training."""
    side, edges = network.input_shape[-1], images.shape[-2:]
    square = network.positions == (side, side) == network.input_shape[-2:]
    if not square or images.ndim < 3 or labels.shape != (len(images), *edges):
        return images, labels
    if min(edges) < side or max(edges) == side:
        return images, labels
    return tiles(images, labels, side, side)


def _from_file(path: Path, network: FrozenNetwork) -> tuple[npt.NDArray[np.int64], ...]:
    arrays = read_arrays(path, ("images", "labels"))
    images, labels = _cut(network, arrays["images"], arrays["labels"])
    try:
        pixels = check_images(network, images)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if len(pixels) == 0:
        raise UserError(f"{path}: images is empty; at least one is needed")
    shape = (len(pixels), *network.positions)
    if labels.shape != shape or labels.dtype.kind not in "iu":
        wanted = f"({len(pixels)},)" if len(shape) == 1 else str(shape)
        raise UserError(f"{path}: labels must be {wanted} integers, not {labels.shape}")
    codes = labels.astype(np.int64)
    if codes.min() < 0 or codes.max() >= network.classes:
        worst = codes.min() if codes.min() < 0 else codes.max()
        raise UserError(f"{path}: labels must be 0 to {network.classes - 1}, not {worst}")
    return pixels, codes


def _test_part(found: ImageSet, network: FrozenNetwork) -> tuple[npt.NDArray[np.int64], ...]:
    images, labels = _cut(network, found.test_images, found.test_labels)
    size = int(np.prod(images.shape[1:]))
    if (network.input_size, network.input_bits) != (size, PIXEL_BITS):
        raise UserError(
            f"images: {found.name} has {size} pixels of {PIXEL_BITS} bits but the network takes "
            f"{network.input_size} of {network.input_bits}; give such images with --data FILE.npz"
        )
    if network.classes < found.classes:
        raise UserError(
            f"labels: {found.name} has {found.classes} classes but the network has "
            f"{network.classes}; give images of its classes with --data FILE.npz"
        )
    if labels.shape[1:] != network.positions:
        raise UserError(
            f"labels: {found.name} has labels {labels.shape[1:]} an image but the network predicts "
            f"{network.positions}; give a network of the same task"
        )
    return check_images(network, images.reshape(len(images), size)), labels


def set_name(network: FrozenNetwork) -> str:
    """The public set that a network was trained on; the digits if it does not say.

    Raises:
        UserError: it was trained on a user's own images.
    """
    name = network.provenance.get("data", "digits")
    if name not in SET_NAMES:
        raise UserError(
            f"data: the network was trained on {name!r}, which is no public set; give the images "
            "with --data"
        )
    return str(name)


def images_for(
    network: FrozenNetwork, count: int, path: Path | None = None, name: str | None = None
) -> LabelledImages:
    """The first ``count`` test images for a network; 0 takes all.

    Of images with a label for each pixel that are larger than the network takes, these are tiles.

    Args:
        path: an npz file with ``images`` (N, ...) of unsigned pixels and ``labels`` (N,), all of
            which are taken unless the network was trained on that file; or what
            :func:`scaledrop_flow.image_source.image_set` takes.
        name: a public set; the one that the network was trained on when None.

    Raises:
        UserError: no such file, wrong shape or range, or fewer images than asked for.
    """
    trained_on = network.provenance.get("data")
    if path is not None and path.stem != trained_on and _is_plain(path):
        (pixels, labels), found = _from_file(path, network), path.name
    else:
        own = path is not None and not holds_sets(path)
        source = image_set("" if own else name or set_name(network), path)
        (pixels, labels), found = _test_part(source, network), f"{source.name}, held-out part"
        if len(pixels) != len(source.test_images):
            found += " in tiles"
    if not 0 <= count <= len(pixels):
        raise UserError(f"images: {found} has {len(pixels)}, not {count}; 0 takes all")
    return LabelledImages(pixels[: count or None], labels[: count or None], found)


def _is_plain(path: Path) -> bool:
    """An npz of ``images`` and ``labels``, or what shall be refused as one."""
    return not path.is_dir() and "train_images" not in read_npz(path, ("train_images",))


def shifted(
    network: FrozenNetwork, images: LabelledImages, shift: str, seed: int
) -> LabelledImages:
    """The same images and labels under a shift: ``rotate:ANGLE`` or ``KIND:SEVERITY``.

    Raises:
        UserError: an unknown kind, a severity or angle that is none, or a network without maps or
            of other pixels than 8 bits.
    """
    shape = network.graph.values[INPUT].shape
    if len(network.input_shape) == 2:
        shape = (1, *network.input_shape)
    if len(shape) != 3:
        raise UserError(f"shift: needs images of two dimensions, not {network.input_shape}")
    if network.input_bits != PIXEL_BITS:
        raise UserError(
            f"shift: {shift!r} is for pixels of {PIXEL_BITS} bits but the network takes "
            f"{network.input_bits}; leave it out"
        )
    maps = images.pixels.reshape(-1, *shape).astype(np.uint8)
    kind, angle, severity = _parsed(shift)
    turned = rotate(maps, angle) if kind == "rotate" else corrupt(maps, kind, severity, seed)
    pixels = turned.reshape(len(turned), -1).astype(np.int64)
    return LabelledImages(pixels, images.labels, f"{images.name}, {shift}")


def _parsed(shift: str) -> tuple[str, float, int]:
    """The kind, and its amount as an angle and as a severity, of which one is meant."""
    kind, _, amount = shift.partition(":")
    try:
        return (kind, float(amount), 0) if kind == "rotate" else (kind, 0.0, int(amount))
    except ValueError:
        raise UserError(
            f"shift: {shift!r} has no amount; write rotate:30 or gaussian_noise:3"
        ) from None


def foreign_images(
    network: FrozenNetwork, known: LabelledImages, what: str, path: Path | None, seed: int
) -> LabelledImages:
    """Images that the network should not know: a public set, a file or folder, or a shift of the
    known ones.

    Raises:
        UserError: it is none of them, or of another size than the network takes.
    """
    if ":" in what and not Path(what).exists():
        return shifted(network, known, what, seed)
    own = what not in SET_NAMES
    root = None if path is None or not holds_sets(path) else path
    source = image_set(what, Path(what) if own else root)
    images, labels = _cut(network, source.test_images, source.test_labels)
    pixels = images.reshape(len(images), -1)
    if pixels.shape[1] != network.input_size:
        raise UserError(
            f"unknown: {source.name} has images of {source.shape} but the network takes "
            f"{network.input_shape}; give images of that size"
        )
    return LabelledImages(check_images(network, pixels), labels, source.name)
