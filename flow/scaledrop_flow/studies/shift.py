# SPDX-License-Identifier: Apache-2.0
"""Distribution shift: each corruption at each severity, scale dropout beside its twin.

Severity 0 is the clean test set. The exact marginal over all masks; the twin has one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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
from scaledrop_flow.studies.tasks import SEEDS, TASKS, Progress, Task, Trained, trained_network

__all__ = ["SEVERITIES", "shift_rows", "shift_study"]

SEVERITIES = (1, 2, 3, 4, 5)
CORRUPTION_SEED = 3

Row = dict[str, Any]
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


def shift_rows(
    task: Task,
    kinds: Sequence[str],
    severities: Sequence[int],
    seeds: Sequence[int],
    data: Path | None,
    cache: Path,
    progress: Progress,
) -> Iterator[Row]:
    """All rows of one task; see :func:`shift_study`."""
    images = task.images(data)
    some = shifted(images, kinds, severities)
    for seed in seeds:
        config = task.run(images, seed)
        for name, run in (("scale dropout", config), ("twin", deterministic(config))):
            progress(f"{task.name}, {name}, seed {seed}")
            found = trained_network(run, images, cache)
            base = {"set": task.name, "seed": seed, "seed_of_corruption": CORRUPTION_SEED}
            for row in _network(name, found, images, some):
                yield {**base, **row, "config_sha256": run.config_hash()}


def shift_study(data: Path | None, cache: Path, progress: Progress) -> Iterator[Row]:
    """One row for each set, seed, network, corruption and severity."""
    for name in ("digits", "fashion-mnist"):
        yield from shift_rows(TASKS[name], CORRUPTIONS, SEVERITIES, SEEDS, data, cache, progress)
