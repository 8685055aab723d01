# SPDX-License-Identifier: Apache-2.0
"""A larger network: ResNet-20 on CIFAR-10, twenty layers and so a million masks, and its twin.

REDUCED: 10,000 of 50,000 training images and 6 of 150 epochs, so that a training takes some ten
minutes of one core; the accuracy is far below that of a full training, and says nothing of it. What
it shows is the method at work where masks cannot be enumerated: passes are drawn, and the masks in
order of probability give the exact marginal up to a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scaledrop.data import ImageSet
from scaledrop.metrics import (
    accuracy,
    auroc,
    expected_calibration_error,
    negative_log_likelihood,
)
from scaledrop.predict import predict
from scaledrop.prediction import Prediction
from scaledrop.sampling import Passes, Probable, Sampling
from scaledrop.training import deterministic
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import Pixels, Progress, trained_network

__all__ = ["larger_study", "point_rows"]

NETWORKS = ("scale dropout", "twin")
WORD_SEED = 1
MASKS, SMOKE_MASKS = 256, 8


def _row(found: Prediction, foreign: Prediction, images: ImageSet) -> Row:
    labels = images.test_labels
    return {
        "bound": found.bound,
        "accuracy": accuracy(found.mean, labels),
        "nll": negative_log_likelihood(found.mean, labels),
        "ece": expected_calibration_error(found.mean, labels),
        "entropy": float(found.entropy.mean()),
        "mutual_information": float(found.mutual_information.mean()),
        "auroc_entropy": auroc(found.entropy, foreign.entropy),
        "auroc_mutual_information": auroc(found.mutual_information, foreign.mutual_information),
    }


def _samplings(point: Point) -> dict[str, Sampling]:
    if point.value[0] == "twin":
        return {"one pass": Passes(1, WORD_SEED)}
    masks = SMOKE_MASKS if point.smoke else MASKS
    return {
        "T = 1": Passes(1, WORD_SEED),
        "T = 20": Passes(20, WORD_SEED),
        f"{masks} likeliest masks": Probable(masks),
    }


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """Rows of one network by sampling; the value of the point is one of :data:`NETWORKS`."""
    images = point.task.images(data)
    foreign: Pixels = point.task.foreign(images, data)[:: 6 if not point.smoke else 60]
    config = point.task.run(images, point.seed)
    if point.value[0] == "twin":
        config = deterministic(config)
    found = trained_network(config, images, cache)
    for name, sampling in _samplings(point).items():
        known, unknown = (
            predict(found.network, part, sampling) for part in (images.test_images, foreign)
        )
        yield {
            "network": point.value[0],
            "layers": len(found.network.layers),
            "sampling": name,
            **_row(known, unknown, images),
            "config_sha256": config.config_hash(),
        }


def larger_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """One row for each network and sampling, one seed."""
    values = {"cifar10": [(name,) for name in NETWORKS]}
    points = list(points_of(choices, values, values, {name: (0,) for name in values}))
    for _, rows in measured("larger", 1, points, point_rows, data, cache, choices, progress):
        yield from rows
