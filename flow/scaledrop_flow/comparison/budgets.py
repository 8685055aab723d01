# SPDX-License-Identifier: Apache-2.0
"""The sets of the comparison: how many images, how many epochs, and what is unknown to each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from scaledrop.training import TrainConfig, named_config, with_network

__all__ = ["BUDGETS", "MAIN", "PASSES", "SEEDS", "Budget"]

PASSES = 20
"""T of every method that draws."""
SEEDS = (0, 1, 2)
MAIN = ("fashion-mnist", "breastmnist", "pneumoniamnist")
"""Sets of the main table."""


@dataclass(frozen=True)
class Budget:
    """What every method gets of a set.

    Attributes:
        key: Of the set.
        config: Named configuration that the run starts from.
        epochs: Instead of the configuration's.
        train: Training images, drawn by class; 0 takes all.
        valid: Images held out of the training part for tuning; 0 where the set has its own.
        test: Test images at most, the first ones; 0 takes all.
        unknown: Two things that are not known: a set, ``rotate:ANGLE`` of the test images, or
            ``noise``.
        foreign: Images of each of them at most.
        widths: Of a narrower network than the topology's.
        note: What is reduced, for people.
    """

    key: str
    config: str
    epochs: int
    train: int
    valid: int
    test: int
    unknown: tuple[str, str]
    foreign: int
    widths: tuple[int, ...] = ()
    note: str = ""

    def run(self, seed: int) -> TrainConfig:
        """The run that all methods get."""
        base = dataclasses.replace(named_config(self.config, seed), epochs=self.epochs)
        return with_network(base, widths=self.widths) if self.widths else base

    @property
    def measured_on(self) -> str:
        """For people: training and test images, epochs."""
        train = f"{self.train:,} training images" if self.train else "all training images"
        text = f"{train}, {self.epochs} epochs"
        return f"{text}; {self.note}" if self.note else text


BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {
        one.key: one
        for one in (
            Budget(
                "fashion-mnist",
                "lenet5-fashion-mnist",
                epochs=20,
                train=10_000,
                valid=2_000,
                test=5_000,
                unknown=("notmnist", "mnist"),
                foreign=1_000,
                note="of the set's 60,000, and the first half of its test part",
            ),
            Budget(
                "breastmnist",
                "lenet5-breastmnist",
                epochs=60,
                train=0,
                valid=0,
                test=0,
                unknown=("pneumoniamnist", "fashion-mnist"),
                foreign=1_000,
            ),
            Budget(
                "pneumoniamnist",
                "lenet5-pneumoniamnist",
                epochs=20,
                train=0,
                valid=0,
                test=0,
                unknown=("breastmnist", "fashion-mnist"),
                foreign=1_000,
            ),
            Budget(
                "digits",
                "digits",
                epochs=30,
                train=0,
                valid=287,
                test=0,
                unknown=("rotate:90", "noise"),
                foreign=360,
                note="a perceptron of 64-128-128-10",
            ),
            Budget(
                "smoke",
                "digits",
                epochs=1,
                train=256,
                valid=64,
                test=64,
                unknown=("rotate:90", "noise"),
                foreign=64,
                note="nothing is learnt: a test of the machinery",
            ),
            Budget(
                "cifar10",
                "vgg-small-cifar10",
                epochs=10,
                train=5_000,
                valid=1_000,
                test=2_000,
                unknown=("fashion-mnist", "mnist"),
                foreign=1_000,
                widths=(16, 32, 64),
                note="a reduced run: an eighth of the widths of VGG-small, a tenth of the images; "
                "the unknown are grey, padded to 32 x 32",
            ),
        )
    }
)
