# SPDX-License-Identifier: Apache-2.0
"""Batches: every image once, moved as far as said and no farther, labels with their pixels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from training_runs import CONV, DENSE, PIXELS

from scaledrop.data import ImageSet
from scaledrop.nn.seeds import stream
from scaledrop.training import TrainConfig, parts_of
from scaledrop.training.batches import Batches, digest_of

CPU = torch.device("cpu")


def epoch(config: TrainConfig, data: ImageSet, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    batches = Batches(config, data, CPU)
    parts = list(batches.epoch(stream(seed, 2), stream(seed, 3)))
    assert len(parts) == batches.steps
    assert all(len(pixels) == config.batch_size for pixels, _ in parts)
    return torch.cat([pixels for pixels, _ in parts]), torch.cat([labels for _, labels in parts])


def numbered(shape: tuple[int, ...], count: int = 32) -> ImageSet:
    """Image i has the label i, and pixels that are never 0 nor equal between images."""
    pixels = np.arange(count * int(np.prod(shape))).reshape(count, *shape) % 251 + 1
    labels = np.arange(count, dtype=np.int64)
    images = pixels.astype(np.uint8)
    return ImageSet(images, labels, images, labels, shape, count, "numbered")


def test_plain_batches_are_a_permutation() -> None:
    data = numbered((8, 8))
    config = dataclasses.replace(DENSE, batch_size=8)
    pixels, labels = epoch(config, data)
    assert sorted(labels.tolist()) == list(range(32)) and labels.tolist() != list(range(32))
    assert pixels.dtype == torch.uint8
    assert torch.equal(pixels, torch.from_numpy(data.train_images)[labels])
    assert len(epoch(dataclasses.replace(DENSE, batch_size=5), data)[1]) == 30


def placements(image: np.ndarray, reach: int, mirror: bool) -> set[bytes]:
    """Every way in which an image may be moved, and mirrored."""
    padded = np.pad(image, [(0, 0)] * (image.ndim - 2) + [(reach, reach)] * 2)
    height, width = image.shape[-2:]
    found = set()
    for top in range(2 * reach + 1):
        for left in range(2 * reach + 1):
            cut = padded[..., top : top + height, left : left + width]
            found |= {cut.tobytes()} | ({cut[..., ::-1].tobytes()} if mirror else set())
    return found


@pytest.mark.parametrize("shape", [(8, 8), (3, 6, 8)])
@pytest.mark.parametrize(("augment", "reach"), [("shift", 2), ("flip-crop", 4)])
def test_augmented_images_are_placements_of_their_own(
    augment: str, reach: int, shape: tuple[int, ...]
) -> None:
    data = numbered(shape)
    network = dataclasses.replace(DENSE.network, input_shape=shape)
    config = dataclasses.replace(DENSE, network=network, augment=augment, batch_size=8)
    pixels, labels = epoch(config, data)
    assert sorted(labels.tolist()) == list(range(32))
    seen = set()
    for image, label in zip(pixels.numpy(), labels.tolist(), strict=True):
        source = data.train_images[label]
        assert image.tobytes() in placements(source, reach, augment == "flip-crop")
        seen.add((image == source).all())
    assert False in seen


def test_augmentation_has_a_stream_of_its_own() -> None:
    data = numbered((8, 8))
    moved = dataclasses.replace(DENSE, augment="shift", batch_size=8)
    plain = dataclasses.replace(moved, augment="none")
    assert torch.equal(epoch(moved, data)[1], epoch(plain, data)[1])
    assert torch.equal(epoch(moved, data)[0], epoch(moved, data)[0])


def test_crops_keep_labels_with_their_pixels(squares: ImageSet) -> None:
    pixels, labels = epoch(PIXELS, squares)
    assert pixels.shape == labels.shape == (16 * 9, 8, 8)
    assert torch.equal(pixels >= 120, labels == 1) or ((pixels >= 120) <= (labels == 1)).all()
    whole = [squares.train_images[i] for i in range(16)]
    views = {
        np.ascontiguousarray(image[y : y + 8, x : x + 8]).tobytes()
        for image in whole
        for y in range(17)
        for x in range(17)
    }
    assert all(crop.tobytes() in views for crop in pixels.numpy())


def test_parts_are_what_the_network_takes(few: ImageSet, squares: ImageSet) -> None:
    images, labels = parts_of(CONV, few, "valid")
    assert images.shape == (100, 8, 8) and labels.shape == (100,)
    images, labels = parts_of(PIXELS, squares, "test")
    assert images.shape == labels.shape == (4 * 9, 8, 8)
    blind = dataclasses.replace(
        squares, test_images=squares.test_images[:0], test_labels=squares.test_labels[:0]
    )
    assert len(parts_of(PIXELS, blind, "test")[0]) == 0


def test_the_digest_is_of_the_training_part_alone(few: ImageSet) -> None:
    digest = digest_of(few)
    blind = dataclasses.replace(
        few, test_images=few.test_images[:0], test_labels=few.test_labels[:0]
    )
    assert digest_of(blind) == digest
    labels = few.train_labels.copy()
    labels[3] = (labels[3] + 1) % 10
    assert digest_of(dataclasses.replace(few, train_labels=labels)) != digest
