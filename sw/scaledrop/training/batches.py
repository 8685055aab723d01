# SPDX-License-Identifier: Apache-2.0
"""The training images as batches: shuffled, moved, mirrored, cut."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from scaledrop.data import ImageSet, tiles
from scaledrop.training.config import TrainConfig

__all__ = ["Batches", "digest_of", "parts_of", "windows"]

MARGINS = {"none": 0, "shift": 2, "flip-crop": 4}
"""Zeros around an image, and the farthest that it is moved."""


def digest_of(data: ImageSet) -> str:
    """sha256, hexadecimal, of the training images and labels with their shapes."""
    found = hashlib.sha256()
    for array in (data.train_images, data.train_labels):
        found.update(repr(array.shape).encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def parts_of(config: TrainConfig, data: ImageSet, part: str) -> tuple[Tensor, Tensor]:
    """A part of the set as the network takes it: with ``tile``, the tiles that cover it.

    Args:
        config: the run.
        data: the set.
        part: "train", "valid" or "test".

    Returns:
        (N, *input_shape) uint8 and (N,) or (N, tile, tile) int64.
    """
    images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
    if config.tile and len(images):
        images, labels = tiles(images, labels, config.tile, config.tile)
    return torch.from_numpy(images), torch.from_numpy(labels)


class Windows(NamedTuple):
    """Which images, and where each is cut: (N,) int64 rows, first line, first column, and whether
    it is mirrored left to right."""

    rows: Tensor
    top: Tensor
    left: Tensor
    mirror: Tensor


def windows(images: Tensor, cut: Windows, height: int, width: int) -> Tensor:
    """Cut a window out of each chosen image.

    Args:
        images: (M, C, H, W).
        cut: N windows.
        height, width: of a window.

    Returns:
        (N, C, height, width).
    """
    device = images.device
    down, right = torch.arange(height, device=device), torch.arange(width, device=device)
    channels = torch.arange(images.shape[1], device=device).reshape(1, -1, 1, 1)
    across = torch.where(cut.mirror[:, None], width - 1 - right, right)
    lines = (cut.top[:, None] + down)[:, None, :, None]
    columns = (cut.left[:, None] + across)[:, None, None, :]
    return images[cut.rows[:, None, None, None], channels, lines, columns]


class Batches:
    """The training part on a device, as uint8, and its batches epoch by epoch.

    Parameters:
        config: the run.
        data: of the shape of its network, or larger with ``tile``.
        device: where batches are made.

    Attributes:
        steps: batches of an epoch.
    """

    def __init__(self, config: TrainConfig, data: ImageSet, device: torch.device) -> None:
        self.config, self.shape = config, config.network.input_shape
        self.images = torch.from_numpy(data.train_images).to(device)
        self.labels = torch.from_numpy(data.train_labels).to(device)
        self.cut = config.augment != "none" or config.tile > 0
        self.each = 1
        if self.cut:
            height, width = data.shape[-2:]
            maps = self.images.reshape(len(self.images), -1, height, width)
            self.images = nn.functional.pad(maps, [MARGINS[config.augment]] * 4)
        if config.tile:
            self.each = max(1, height * width // config.tile**2)
        self.steps = len(self.images) * self.each // config.batch_size

    def _windows(self, rows: Tensor, augment: torch.Generator) -> Windows:
        count, mirrored = (len(rows),), self.config.augment == "flip-crop"
        room = [
            have - want + 1
            for have, want in zip(self.images.shape[-2:], self.shape[-2:], strict=True)
        ]
        top = torch.randint(room[0], count, generator=augment)
        left = torch.randint(room[1], count, generator=augment)
        mirror = torch.zeros(count, dtype=torch.bool)
        if mirrored:
            mirror = torch.randint(2, count, generator=augment).bool()
        return Windows(*(part.to(self.images.device) for part in (rows, top, left, mirror)))

    def epoch(
        self, order: torch.Generator, augment: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Pixels (B, *input_shape) uint8 and labels, each image ``each`` times at most.

        All random numbers of the epoch are drawn before the first batch.
        """
        size = self.config.batch_size
        rows = torch.randperm(len(self.images) * self.each, generator=order)
        rows = rows[: self.steps * size] % len(self.images)
        if not self.cut:
            for batch in torch.split(rows.to(self.images.device), size):
                yield self.images[batch], self.labels[batch]
            return
        drawn = self._windows(rows, augment)
        for parts in zip(*(torch.split(part, size) for part in drawn), strict=True):
            yield self._cut(Windows(*parts))

    def _cut(self, cut: Windows) -> tuple[Tensor, Tensor]:
        height, width = self.shape[-2:]
        pixels = windows(self.images, cut, height, width).reshape(-1, *self.shape)
        if self.labels.ndim == 1:
            return pixels, self.labels[cut.rows]
        return pixels, windows(self.labels[:, None], cut, height, width)[:, 0]
