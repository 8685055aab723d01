# SPDX-License-Identifier: Apache-2.0
"""The three first experiments: no dropout is the baseline, variance follows p, turned is unknown.

1. The pass in which no layer drops, and the one in which all do, beside the deterministic twin,
   which was trained the same way with p = 0.
2. Predictive variance (summed over the classes, mean over the test images, exact over all masks)
   against p: of networks trained at each p, and of one network, trained at its default p, whose
   drop codes are then programmed to each p.
3. Images turned by an angle told from upright ones by entropy and by mutual information.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scaledrop.data import rotate
from scaledrop.mask_law import independent_law
from scaledrop.metrics import accuracy, auroc, negative_log_likelihood
from scaledrop.predict import predict
from scaledrop.sampling import Exact
from scaledrop.training import deterministic
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.spin_masks import MaskTable
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import (
    Progress,
    Trained,
    table_of,
    trained_network,
)

__all__ = [
    "ANGLES",
    "PROGRAMMED",
    "TRAINED",
    "against_twin",
    "falls_at",
    "first_study",
    "point_rows",
]

ANGLES = (15, 30, 45, 60, 75, 90, 120, 150, 180)
TRAINED: Mapping[str, tuple[float, ...]] = {
    "digits": (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5),
    "fashion-mnist": (0.05, 0.15, 0.3, 0.5),
}
PROGRAMMED = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)


def falls_at(p: Sequence[float], variances: Sequence[float]) -> float | None:
    """The first p at which the variance is below that of the p before it; None if it only rises."""
    pairs = zip(p[1:], np.diff(variances), strict=True)
    return next((one for one, step in pairs if step < 0), None)


def variance_at(table: MaskTable, p: Sequence[float]) -> float:
    """Predictive variance of the known images when the layers drop with ``p``."""
    law, values = independent_law(p), table.probabilities[: len(table.labels)]
    mean = np.einsum("nmk,m->nk", values, law)
    return float((np.einsum("nmk,m->nk", values**2, law) - mean**2).sum(axis=-1).mean())


def _passes(table: MaskTable, twin: MaskTable) -> Iterator[Row]:
    """The fixed passes, the marginal and the twin."""
    last = table.probabilities.shape[1] - 1
    law = np.eye(last + 1)
    cases = (
        ("twin", twin, twin.exact),
        ("no layer drops", table, law[last]),
        ("all layers drop", table, law[0]),
        ("exact marginal", table, table.exact),
    )
    for name, some, weights in cases:
        mean = some.mean(weights[None])[: len(some.labels)]
        yield {
            "experiment": "passes",
            "case": name,
            "accuracy": accuracy(mean, some.labels),
            "nll": negative_log_likelihood(mean, some.labels),
        }


def against_twin(rows: Iterable[Row]) -> Iterator[Row]:
    """For each fixed pass its distance to the twin, over the seeds of one task.

    Each row has the mean difference of accuracy (``difference``, this less the twin), the standard
    deviation of the twin's accuracy over the seeds (``spread``), and whether the difference is
    within it (``within``, 1 or 0). One seed has no spread: nothing is said.
    """
    found: dict[str, list[float]] = {}
    some: Row = {}
    for row in rows:
        if row["experiment"] == "passes":
            some = row
            found.setdefault(row["case"], []).append(row["accuracy"])
    twin = np.array(found.pop("twin", []))
    if len(twin) < 2:
        return
    for case, values in found.items():
        difference, spread = float(np.mean(values) - twin.mean()), float(twin.std(ddof=1))
        yield {
            "set": some["set"],
            "seed": "all",
            "experiment": "passes against twin",
            "case": case,
            "difference": difference,
            "spread": spread,
            "within": int(abs(difference) <= spread),
        }


def _rotations(network: str, found: Trained, upright: Any) -> Iterator[Row]:
    known = predict(found.network, upright, Exact())
    for angle in ANGLES:
        turned = predict(found.network, rotate(upright, angle), Exact())
        yield {
            "experiment": "rotation",
            "case": network,
            "angle": angle,
            "entropy": float(turned.entropy.mean()),
            "mutual_information": float(turned.mutual_information.mean()),
            "auroc_entropy": auroc(known.entropy, turned.entropy),
            "auroc_mutual_information": auroc(known.mutual_information, turned.mutual_information),
        }


def _variances(case: str, variances: Mapping[float, float]) -> Iterator[Row]:
    falls = falls_at([*variances], [*variances.values()])
    for p, variance in variances.items():
        yield {
            "experiment": "variance",
            "case": case,
            "p": p,
            "variance": variance,
            "falls_at": "" if falls is None else falls,
        }


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """All rows of one task and seed; the value of the point are the probabilities to train at."""
    task, images = point.task, point.task.images(data)
    nothing, config = images.test_images[:0], task.run(images, point.seed)
    found = trained_network(config, images, cache)
    twin = trained_network(deterministic(config), images, cache)
    table = table_of(found, images, nothing)
    yield from _passes(table, table_of(twin, images, nothing))
    layers = len(table.drop_codes)
    again = {p: variance_at(table, [p] * layers) for p in PROGRAMMED}
    yield from _variances("programmed", again)
    trained = {}
    for p in point.value:
        one = trained_network(task.run(images, point.seed, p=p), images, cache)
        trained[p] = variance_at(table_of(one, images, nothing), [p] * layers)
    yield from _variances("trained", trained)
    for name, network in (("scale dropout", found), ("twin", twin)):
        yield from _rotations(name, network, images.test_images)


def first_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """The digits and the reduced Fashion-MNIST, three seeds each."""
    values = {name: [ps] for name, ps in TRAINED.items()}
    points = list(points_of(choices, values, {"digits": [(0.1, 0.5)]}))
    passes: list[Row] = []
    for at, (point, rows) in enumerate(
        measured("first", 1, points, point_rows, data, cache, choices, progress, 7), 1
    ):
        yield from rows
        passes += rows
        if at == len(points) or points[at].task != point.task:
            yield from against_twin(passes)
            passes = []
