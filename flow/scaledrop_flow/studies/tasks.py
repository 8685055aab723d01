# SPDX-License-Identifier: Apache-2.0
"""What the studies of the method run on: a network, a reduced set, and images that it never saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.data import ImageSet, load_set, rotate
from scaledrop.data.split import held_out
from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork
from scaledrop.nn import ScaleDropNet
from scaledrop.training import TrainConfig, config_for, named_config, with_network
from scaledrop_flow.steps.train import trained
from scaledrop_flow.studies.scale import ANGLES
from scaledrop_flow.studies.spin_masks import MaskTable, mask_table

__all__ = [
    "SEEDS",
    "TASKS",
    "Pixels",
    "Progress",
    "Task",
    "Trained",
    "evenly",
    "reduced",
    "small",
    "table_of",
    "trained_network",
]

SEEDS = (0, 1, 2)
ROTATED = "rotated"
Progress = Callable[[str], None]
Pixels = npt.NDArray[np.uint8]


def reduced(data: ImageSet, train: int, test: int) -> ImageSet:
    """Fewer images of each part, stratified, the same ones for ever; 0 keeps a part as it is.

    The name says how many there are for training: "fashion-mnist-10000".
    """
    changes: dict[str, Any] = {}
    for part, count in (("train", train), ("test", test)):
        labels = getattr(data, f"{part}_labels")
        if 0 < count < len(labels):
            some = held_out(labels, count, 0)
            changes[f"{part}_images"] = getattr(data, f"{part}_images")[some]
            changes[f"{part}_labels"] = labels[some]
    if "train_images" in changes:
        changes["name"] = f"{data.name}-{train}"
    return dataclasses.replace(data, **changes)


def evenly(images: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """``count`` images, or rows of anything, evenly over the set, or all of them."""
    if count >= len(images):
        return images
    return images[np.linspace(0, len(images) - 1, count).astype(np.int64)]


@dataclass(frozen=True)
class Task:
    """A training run on a set that may be reduced.

    Attributes:
        config: the run; its data is the public set.
        train, test: images of each part; 0 takes all.
        unknown: a public set of the same shape, or "rotated": the test images turned by 30 to 180
            degrees.
        weight: seconds of one training, roughly.
    """

    config: TrainConfig
    train: int = 0
    test: int = 0
    unknown: str = ROTATED
    weight: float = 10.0

    @property
    def name(self) -> str:
        """Of the set."""
        return self.config.data

    def images(self, data: Path | None) -> ImageSet:
        """The reduced set."""
        return reduced(load_set(self.config.data, data), self.train, self.test)

    def foreign(self, images: ImageSet, data: Path | None) -> Pixels:
        """Images that are not of the set, as many as its test part has, at most."""
        known = images.test_images
        if self.unknown == ROTATED:
            turned = [rotate(known, angle) for angle in ANGLES]
            return evenly(np.concatenate(turned), 6 * 360)
        return evenly(load_set(self.unknown, data).test_images, len(known))

    def run(self, images: ImageSet, seed: int, **network: Any) -> TrainConfig:
        """The run with a seed and other fields of its network, named after the reduced set."""
        config = config_for(self.config, images) if self.train else self.config
        return dataclasses.replace(with_network(config, **network), seed=seed)


def small(task: Task) -> Task:
    """The smoke form of a task: two epochs, 60 test images."""
    config = dataclasses.replace(task.config, epochs=2)
    return dataclasses.replace(task, config=config, test=60, weight=1.0)


def _task(name: str, *reduced: Any, weight: float = 10.0, **run: Any) -> Task:
    config = dataclasses.replace(named_config(name), **run)
    return dataclasses.replace(Task(config, *reduced), weight=weight)


def _small_unet() -> Task:
    task = _task("unet-isbi2012", weight=600.0, epochs=10)
    changes: dict[str, Any] = {"widths": (16, 32, 64), "name": "unet-isbi2012-small"}
    return dataclasses.replace(task, config=with_network(task.config, **changes))


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            _task("digits"),
            _task("lenet5-fashion-mnist", 10_000, 2_000, "notmnist", weight=60.0, epochs=20),
            _task("lenet5-breastmnist", 0, 0, "fashion-mnist", epochs=60),
            _task("lenet5-pneumoniamnist", 0, 0, "fashion-mnist", weight=30.0, epochs=20),
            _task("resnet20-cifar10", 10_000, 2_000, weight=600.0, epochs=6),
            _small_unet(),
        )
    }
)
"""By name of the set. Reduced, with fewer epochs than the named configurations: Fashion-MNIST and
CIFAR-10 to 10,000 training and 2,000 test images, the U-Net to narrower layers."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A network of a task, and the integers that it froze to."""

    config: TrainConfig
    net: ScaleDropNet
    network: FrozenNetwork


def trained_network(config: TrainConfig, images: ImageSet, cache: Path) -> Trained:
    """From the cache, or trained on ``images``."""
    net = trained(config, cache, images=images).net
    return Trained(config, net, freeze(net, {}))


def table_of(found: Trained, images: ImageSet, foreign: Pixels) -> MaskTable:
    """Every test image, and every foreign one, under every mask."""
    return mask_table(found.network, images.test_images, images.test_labels, foreign)
