# SPDX-License-Identifier: Apache-2.0
"""Dropout probability and pull on the scales, at two depths and on two sets.

p by phi, the weight of ``sum_l (1 - mean(alpha_l))**2`` in the loss. The digits on perceptrons of
two and of four hidden layers of 128; the reduced Fashion-MNIST on LeNet-5 (five layers) and on a
network of its two convolutions and one dense layer behind them (three). All other choices are the
defaults of the set; the exact marginal; foreign images are those of the task.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scaledrop.data import ImageSet
from scaledrop.graph import Kind, Layer, MaxPool, Node, Window
from scaledrop.nn.config import CUSTOM
from scaledrop.training import TrainConfig
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import Progress, Task, table_of, trained_network

__all__ = ["DEPTHS", "PHIS", "PROBABILITIES", "ablation_study", "point_rows", "run_of"]

PROBABILITIES = (0.05, 0.15, 0.3)
PHIS = (0.0, 0.01, 0.1)
SEEDS = {"digits": (0, 1, 2), "fashion-mnist": (0,)}
"""One seed on Fashion-MNIST: 18 trainings of a minute each are what the budget has."""
DEPTHS = ("shallow", "deep")
SCORES = (
    "accuracy",
    "nll",
    "ece",
    "auroc_entropy",
    "auroc_mutual_information",
    "entropy",
    "mutual_information",
)


def _three_layers(classes: int) -> tuple[Node, ...]:
    """The convolutions of LeNet-5 and a head."""
    return (
        Layer("conv1", 6, Window(5, padding=2)),
        MaxPool("pool1"),
        Layer("conv2", 16, Window(5)),
        MaxPool("pool2"),
        Layer("head", classes, output=Kind.LOGITS),
    )


def run_of(
    task: Task, images: ImageSet, seed: int, depth: str, p: float, phi: float
) -> TrainConfig:
    """The run of one cell; the other depth than the task's own has "-shallow" or "-deep" in its
    name."""
    name, changes = task.config.network.name, dict[str, Any]()
    if task.name == "digits" and depth == "deep":
        changes = {"widths": (128, 128, 128, 128), "name": f"{name}-deep"}
    elif task.name != "digits" and depth == "shallow":
        nodes = _three_layers(images.classes)
        changes = {"topology": CUSTOM, "nodes": nodes, "name": f"{name}-shallow"}
    config = task.run(images, seed, **changes, p=p)
    return dataclasses.replace(config, scale_pull=phi)


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """The row of one network; the value of the point is depth, p and phi."""
    depth, p, phi = point.value
    images = point.task.images(data)
    config = run_of(point.task, images, point.seed, depth, p, phi)
    found = trained_network(config, images, cache)
    table = table_of(found, images, point.task.foreign(images, data))
    scores = table.scores(table.exact[None])
    yield {
        "depth": depth,
        "layers": len(table.drop_codes),
        "p": p,
        "phi": phi,
        **{name: scores[name] for name in SCORES},
        "config_sha256": config.config_hash(),
    }


def ablation_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """One row for each set, depth, p, phi and seed."""
    grid = [(depth, p, phi) for depth in DEPTHS for p in PROBABILITIES for phi in PHIS]
    few = {"digits": [("shallow", 0.15, 0.01), ("deep", 0.15, 0.1)]}
    points = list(points_of(choices, {name: grid for name in SEEDS}, few, SEEDS))
    for _, rows in measured("ablation", 1, points, point_rows, data, cache, choices, progress):
        yield from rows
