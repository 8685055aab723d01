# SPDX-License-Identifier: Apache-2.0
"""The images of a budget: training, validation and test part, and what is unknown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.data import ImageSet, load_set, rotate
from scaledrop.data.split import held_out
from scaledrop.errors import UserError
from scaledrop_flow.comparison.budgets import BUDGETS, Budget
from scaledrop_flow.comparison.cells import digest_of_arrays

__all__ = ["Bench", "bench"]

SEED = 0
"""Of the images that are chosen, the same for every method and seed."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Bench:
    """What a method is trained, tuned and measured on.

    Attributes:
        data: With a validation part.
        blind: The same without: what methods are trained on. Watching a validation part while
            training changes nothing but the time it takes.
        unknown: Name to images (N, *shape) that the network should not know.
        digest: sha256 of all of them.
    """

    data: ImageSet
    blind: ImageSet
    unknown: Mapping[str, Pixels]
    digest: str


def _part(data: ImageSet, budget: Budget) -> ImageSet:
    """The training part cut to the budget, and a validation part out of the rest of it."""
    images, labels = data.train_images, data.train_labels
    valid_images, valid_labels = data.valid_images, data.valid_labels
    if budget.valid:
        held = held_out(labels, budget.valid, SEED)
        valid_images, valid_labels = images[held], labels[held]
        images, labels = images[~held], labels[~held]
    if budget.train:
        chosen = held_out(labels, budget.train, SEED + 1)
        images, labels = images[chosen], labels[chosen]
    if valid_images is None or not len(valid_images):
        raise UserError(f"{budget.key}: has no validation part; say how many images make one")
    return dataclasses.replace(
        data,
        train_images=images,
        train_labels=labels,
        valid_images=valid_images,
        valid_labels=valid_labels,
        test_images=data.test_images[: budget.test or None],
        test_labels=data.test_labels[: budget.test or None],
    )


def _shaped(images: Pixels, shape: tuple[int, ...], name: str) -> Pixels:
    """Images brought to a shape: zeros around them, and grey as three colours."""
    room = [want - have for want, have in zip(shape[-2:], images.shape[-2:], strict=True)]
    if min(room) < 0:
        raise UserError(f"unknown: {name} is larger than {shape}; choose another set")
    if max(room):
        edges = [(each // 2, each - each // 2) for each in room]
        images = np.pad(images, [(0, 0)] * (images.ndim - 2) + edges)
    if images.shape[1:] == shape:
        return images
    return np.broadcast_to(images[:, None], (len(images), *shape)).copy()


def _unknown(what: str, data: ImageSet, root: Path | None, most: int) -> Pixels:
    if what.startswith("rotate:"):
        return rotate(data.test_images[:most], float(what.partition(":")[2]))
    if what == "noise":
        rng = np.random.default_rng(SEED)
        return rng.integers(0, int(data.test_images.max()) + 1, (most, *data.shape), dtype=np.uint8)
    return _shaped(load_set(what, root).test_images[:most], data.shape, what)


@cache
def bench(key: str, root: Path | None = None) -> Bench:
    """The images of a budget of :data:`BUDGETS`, the same ones every time.

    Args:
        key: Of the set.
        root: Folder of the public sets.

    Raises:
        UserError: an unknown set, or one whose files are missing.
    """
    if key not in BUDGETS:
        raise UserError(f"set: {key!r} is not known; choose one of {', '.join(BUDGETS)}")
    budget = BUDGETS[key]
    data = _part(load_set(budget.run(0).data, root), budget)
    unknown = {what: _unknown(what, data, root, budget.foreign) for what in budget.unknown}
    parts: list[npt.NDArray[Any]] = [data.train_images, data.train_labels]
    parts += [data.test_images, data.test_labels]
    assert data.valid_images is not None and data.valid_labels is not None
    parts += [data.valid_images, data.valid_labels, *unknown.values()]
    blind = dataclasses.replace(data, valid_images=None, valid_labels=None)
    return Bench(data, blind, unknown, digest_of_arrays(*parts))
