# SPDX-License-Identifier: Apache-2.0
"""Robustness: each method with faults of its hardware, at rising rates.

Faults are those of :mod:`scaledrop.methods.faults`; every rate is three chips, with faults of their
own, of the same trained network. A method's setting is the middle one of those that it may have:
nothing is tuned for faults, nor on the test images. Twenty passes. Thresholds, gains and the random
bits are without fault; what the device of the bits does is in the studies ``spin`` and ``drift``,
what converters and wires do in ``analog``. Digits with three seeds; Fashion-MNIST with one, and 300
known and 300 foreign images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from scaledrop.methods import METHODS, prediction_of
from scaledrop.methods.contract import Model
from scaledrop.methods.faults import Fault, faulty
from scaledrop.metrics import (
    accuracy,
    auroc,
    expected_calibration_error,
    negative_log_likelihood,
)
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import SEEDS, Progress, evenly

__all__ = ["CHIPS", "RATES", "faults_study", "point_rows"]

RATES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "flipped": (0.001, 0.003, 0.01, 0.03, 0.1),
        "stuck": (0.001, 0.01, 0.03, 0.1, 0.2),
        "scale": (0.0, 0.001, 0.01, 0.03, 0.1),
        "spread": (0.05, 0.1, 0.2, 0.4),
    }
)
"""By kind; "scale" also at 0, which is what the words of the scales cost."""
CHIPS, PASSES, SEED = 3, 20, 17
SETS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"digits": (3, 360), "fashion-mnist": (1, 300)}
)
"""Seeds, and known images at most, of which there are as many foreign ones at most."""

Pixels = npt.NDArray[np.uint8]


def _scores(
    model: Model, known: Pixels, labels: npt.NDArray[np.int64], foreign: Pixels
) -> dict[str, float]:
    inside, outside = (prediction_of(model, part, PASSES, SEED) for part in (known, foreign))
    return {
        "accuracy": accuracy(inside.mean, labels),
        "nll": negative_log_likelihood(inside.mean, labels),
        "ece": expected_calibration_error(inside.mean, labels),
        "auroc_entropy": auroc(inside.entropy, outside.entropy),
    }


def _cases(smoke: bool) -> Iterator[Fault | None]:
    yield None
    for kind, rates in RATES.items():
        for rate in rates[-1:] if smoke else rates:
            yield Fault(kind, rate)


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """All rows of one trained model; the value of the point is the key of its method."""
    task, images = point.task, point.task.images(data)
    (key,) = point.value
    method, config = METHODS[key], task.run(images, point.seed)
    value = method.setting.values[1]
    model = method.fit(config, images, value, "cpu")
    most = SETS[task.name][1]
    foreign = evenly(task.foreign(images, data), most)
    rows = evenly(np.arange(len(images.test_images)), most)
    known, labels = images.test_images[rows], images.test_labels[rows]
    for fault in _cases(point.smoke):
        found = []
        for chip in range(1 if fault is None or point.smoke else CHIPS):
            one = model if fault is None else faulty(model, fault, chip)
            found.append(_scores(one, known, labels, foreign))
        columns = {name: np.array([one[name] for one in found]) for name in found[0]}
        yield {
            "method": key,
            "setting": value,
            "fault": fault.kind if fault else "none",
            "rate": fault.rate if fault else 0.0,
            "chips": len(found),
            **{name: float(values.mean()) for name, values in columns.items()},
            **{f"{name}_std": float(values.std()) for name, values in columns.items()},
            "config_sha256": config.config_hash(),
        }


def faults_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """One row for each set, method, seed, kind of fault and rate."""
    few = {"digits": [("deterministic",), ("scale-dropout",)]}
    values = {name: [(key,) for key in METHODS] for name in SETS}
    seeds = {name: SEEDS[:count] for name, (count, _) in SETS.items()}
    points = list(points_of(choices, values, few, seeds))
    for _, rows in measured("faults", 1, points, point_rows, data, cache, choices, progress, 3):
        yield from rows
