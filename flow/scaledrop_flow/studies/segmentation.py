# SPDX-License-Identifier: Apache-2.0
"""Uncertainty by pixel: a small binary U-Net on membranes in electron microscopy, and its twin.

REDUCED: widths 16, 32, 64 instead of 32 to 256 and 10 epochs instead of 60, so that a training
takes some ten minutes of one core; overlaps are below those of the full configuration. Eleven
layers have 2048 masks, so passes are drawn. "Error detection" is the AUROC of telling wrong pixels
from right ones by their uncertainty.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.metrics import (
    accuracy,
    auroc,
    expected_calibration_error,
    negative_log_likelihood,
    segmentation_scores,
)
from scaledrop.predict import predict
from scaledrop.prediction import Prediction
from scaledrop.sampling import Passes
from scaledrop.training import deterministic
from scaledrop.training.batches import parts_of
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import Progress, trained_network

__all__ = ["NETWORKS", "PASSES", "point_rows", "predicted_tiles", "segmentation_study"]

NETWORKS = ("scale dropout", "twin")
PASSES, WORD_SEED = 20, 1
SMOKE_TILES = 4


def predicted_tiles(
    point: Point, data: Path | None, cache: Path
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], Prediction, str]:
    """Test tiles (N, H, W), their labels, what a network says of them, and its configuration's
    hash; the value of the point is one of :data:`NETWORKS`."""
    images = point.task.images(data)
    config = point.task.run(images, point.seed)
    if point.value[0] == "twin":
        config = deterministic(config)
    found = trained_network(config, images, cache)
    tiles, labels = (part.numpy() for part in parts_of(config, images, "test"))
    if point.smoke:
        tiles, labels = tiles[:SMOKE_TILES], labels[:SMOKE_TILES]
    prediction = predict(found.network, tiles, Passes(PASSES, WORD_SEED))
    return tiles, labels, prediction, config.config_hash()


def _detection(score: npt.NDArray[np.float64], wrong: npt.NDArray[np.bool_]) -> float:
    """AUROC of wrong pixels by ``score``; half where no pixel, or every one, is wrong."""
    if wrong.all() or not wrong.any():
        return 0.5
    return auroc(score[~wrong], score[wrong])


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """The row of one network."""
    _, labels, found, digest = predicted_tiles(point, data, cache)
    scores, wrong = segmentation_scores(found.predicted, labels, 2), found.predicted != labels
    mean, truth = found.mean.reshape(-1, 2), labels.ravel()
    values: dict[str, Any] = {
        "network": point.value[0],
        "passes": PASSES,
        "seed_of_words": WORD_SEED,
        "tiles": len(labels),
        "accuracy": accuracy(mean, truth),
        "iou_cell": float(scores.iou[0]),
        "iou_membrane": float(scores.iou[1]),
        "dice_cell": float(scores.dice[0]),
        "dice_membrane": float(scores.dice[1]),
        "nll": negative_log_likelihood(mean, truth),
        "ece": expected_calibration_error(mean, truth),
    }
    for score in ("entropy", "mutual_information"):
        uncertainty = getattr(found, score)
        values[f"error_auroc_{score}"] = _detection(uncertainty, wrong)
        values[f"{score}_of_right"] = float(uncertainty[~wrong].mean())
        values[f"{score}_of_wrong"] = float(uncertainty[wrong].mean()) if wrong.any() else 0.0
    yield {**values, "config_sha256": digest}


def segmentation_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """One row for each network, one seed."""
    values = {"isbi2012": [(name,) for name in NETWORKS]}
    points = list(points_of(choices, values, values, {name: (0,) for name in values}))
    for _, rows in measured("segmentation", 1, points, point_rows, data, cache, choices, progress):
        yield from rows
