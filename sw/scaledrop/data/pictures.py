# SPDX-License-Identifier: Apache-2.0
"""Reading picture files of 8-bit pixels, with errors that name the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from scaledrop.errors import UserError

__all__ = ["is_grey", "read_frames", "read_picture"]

GREY = {"1", "L", "LA"}
DEEP = ("I", "F")
"""Modes of more than 8 bits start so; Pillow would clip them, not scale them."""


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError:
        raise UserError(f"{path}: is missing; put the file there") from None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: is no readable picture; replace or remove it") from None


def is_grey(path: Path) -> bool:
    """Whether a picture has one channel.

    Raises:
        UserError: it is no readable picture, or has more than 8 bits per channel.
    """
    with _opened(path) as image:
        if image.mode.startswith(DEEP):
            raise UserError(
                f"{path}: has pixels of mode {image.mode}, more than 8 bits; convert it to 8 bits"
            )
        return image.mode in GREY


def read_picture(
    path: Path, colour: bool, size: tuple[int, int] | None = None
) -> npt.NDArray[np.uint8]:
    """A picture as (H, W) grey or (3, H, W) colour; transparency is dropped.

    Args:
        path: any format that Pillow reads.
        colour: three channels, or one (the luma of ITU-R 601) otherwise.
        size: (H, W) to resize to, bilinear; None leaves it as it is.

    Raises:
        UserError: it is no readable picture.
    """
    with _opened(path) as image:
        pixels = image.convert("RGB" if colour else "L")
        if size is not None and pixels.size != (size[1], size[0]):
            pixels = pixels.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    array = np.asarray(pixels, dtype=np.uint8)
    return np.ascontiguousarray(array.transpose(2, 0, 1)) if colour else array


def read_frames(path: Path) -> npt.NDArray[np.uint8]:
    """The pages of a grey picture file, for instance a TIFF stack, as (N, H, W).

    Raises:
        UserError: it is no readable picture, or its pages differ in size.
    """
    with _opened(path) as image:
        frames = []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            frames.append(np.asarray(image.convert("L"), dtype=np.uint8))
    if len({frame.shape for frame in frames}) != 1:
        raise UserError(f"{path}: its pages differ in size; give pages of one size")
    return np.stack(frames)
