# SPDX-License-Identifier: Apache-2.0
"""Distribution shift: each corruption at each severity, scale dropout beside its twin.

Severity 0 is the clean test set. The exact marginal over all masks; the twin has one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.data import CORRUPTIONS, ImageSet, corrupt
from scaledrop.metrics import (
    accuracy,
    auroc,
    expected_calibration_error,
    negative_log_likelihood,
)
from scaledrop.predict import predict
from scaledrop.prediction import Prediction
from scaledrop.sampling import Exact
from scaledrop.training import deterministic
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import Progress, Trained, trained_network

__all__ = ["SEVERITIES", "point_rows", "shift_study"]

SEVERITIES = (1, 2, 3, 4, 5)
CORRUPTION_SEED = 3

Shifted = dict[tuple[str, int], npt.NDArray[np.uint8]]


def shifted(images: ImageSet, kinds: Sequence[str], severities: Sequence[int]) -> Shifted:
    """The test images under each corruption, by kind and severity; the same for all networks."""
    found: Shifted = {("none", 0): images.test_images}
    for kind in kinds:
        for severity in severities:
            found[kind, severity] = corrupt(images.test_images, kind, severity, CORRUPTION_SEED)
    return found


def _row(found: Prediction, clean: Prediction, images: ImageSet) -> Row:
    labels = images.test_labels
    return {
        "accuracy": accuracy(found.mean, labels),
        "nll": negative_log_likelihood(found.mean, labels),
        "ece": expected_calibration_error(found.mean, labels),
        "entropy": float(found.entropy.mean()),
        "mutual_information": float(found.mutual_information.mean()),
        "auroc_entropy": auroc(clean.entropy, found.entropy),
    }


def _network(name: str, found: Trained, images: ImageSet, some: Shifted) -> Iterator[Row]:
    clean = predict(found.network, images.test_images, Exact())
    for (kind, severity), pixels in some.items():
        row = _row(predict(found.network, pixels, Exact()), clean, images)
        yield {"network": name, "corruption": kind, "severity": severity, **row}


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """All rows of one task and seed; the value of the point are the corruptions."""
    images = point.task.images(data)
    severities = SEVERITIES[-1:] if point.smoke else SEVERITIES
    some = shifted(images, point.value, severities)
    config = point.task.run(images, point.seed)
    for name, run in (("scale dropout", config), ("twin", deterministic(config))):
        for row in _network(name, trained_network(run, images, cache), images, some):
            head = {"seed_of_corruption": CORRUPTION_SEED, **row}
            yield {**head, "config_sha256": run.config_hash()}


def shift_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """One row for each set, seed, network, corruption and severity."""
    values = {name: [CORRUPTIONS] for name in ("digits", "fashion-mnist")}
    points = list(points_of(choices, values, {"digits": [("fog", "pixelate")]}))
    for _, rows in measured("shift", 1, points, point_rows, data, cache, choices, progress):
        yield from rows
