# SPDX-License-Identifier: Apache-2.0
"""Dropout probabilities that drift: what a wrong p costs, with nothing drawn.

Every layer of a device drops with N(p, sigma**2) in the place of p, cut to 0 to 1: an offset of
its own for each layer (as separate units or drive codes have), or one for the whole device. The
exact marginal under the drifted probabilities is compared with that under the programmed ones, and
with what the masks' law alone promises: no class probability moves by more than the probability
mass that moved. What the physics of a unit makes of temperature and supply is another study's
(``spin``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.mask_law import drift_bound, independent_law, moved_mass
from scaledrop.numbers import DROP_BITS
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.spin_masks import MaskTable
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import (
    Progress,
    table_of,
    trained_network,
)

__all__ = ["DEVICES", "SIGMAS", "drift_study", "drifted", "point_rows"]

SIGMAS = (0.01, 0.02, 0.05, 0.1, 0.2)
DEVICES, DRIFT_SEED = 32, 7
KINDS = ("a layer", "a device")
PROBABILITIES = (0.15, 0.3)
SETS = ("digits", "fashion-mnist")
SCORES = (
    "accuracy",
    "nll",
    "ece",
    "mutual_information",
    "auroc_entropy",
    "auroc_mutual_information",
)

Floats = npt.NDArray[np.float64]


def drifted(p: Sequence[float], sigma: float, devices: int, kind: str) -> Floats:
    """(devices, L) probabilities around ``p``: an offset for each "a layer" or "a device", the same
    normal numbers whatever sigma is."""
    shape = (devices, len(p) if kind == KINDS[0] else 1)
    offsets = np.random.default_rng(DRIFT_SEED).standard_normal(shape)
    return np.clip(np.array(p) + sigma * offsets, 0.0, 1.0)


def _device(table: MaskTable, p: Sequence[float], wrong: Floats) -> dict[str, float]:
    law = independent_law(wrong)
    scores, known = table.scores(law[None]), len(table.labels)
    moved = np.abs(table.mean(law[None]) - table.mean(table.exact[None]))[:known]
    return {
        **{name: scores[name] for name in SCORES},
        "mean_moved": float(moved.mean()),
        "most_moved": float(moved.max()),
        "mass": moved_mass(law, table.exact),
        "bound": drift_bound(p, wrong),
    }


def case_rows(table: MaskTable, devices: int = DEVICES) -> Iterator[Row]:
    """The row without drift, then for each sigma and kind means and deviations over devices.

    ``mean_moved`` and ``most_moved`` are over the class probabilities of the known images, ``mass``
    is the total variation of the masks' laws, and ``bound`` what the offsets alone say of it.
    """
    p = [code / 2**DROP_BITS for code in table.drop_codes]
    none = _device(table, p, np.array(p))
    yield {"offset": "none", "sigma": 0.0, "devices": 1, **none}
    for kind in KINDS:
        for sigma in SIGMAS:
            found = [_device(table, p, one) for one in drifted(p, sigma, devices, kind)]
            columns = {name: np.array([one[name] for one in found]) for name in none}
            yield {
                "offset": kind,
                "sigma": sigma,
                "devices": devices,
                **{name: float(values.mean()) for name, values in columns.items()},
                **{f"{name}_std": float(values.std(ddof=1)) for name, values in columns.items()},
            }


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """All rows of one network; the value of the point is its p."""
    images = point.task.images(data)
    (p,) = point.value
    config = point.task.run(images, point.seed, p=p)
    foreign = point.task.foreign(images, data)
    table = table_of(trained_network(config, images, cache), images, foreign)
    for row in case_rows(table, 4 if point.smoke else DEVICES):
        yield {"p": p, **row, "config_sha256": config.config_hash()}


def drift_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """One row for each set, p, seed, kind of offset and sigma."""
    values = {name: [(p,) for p in PROBABILITIES] for name in SETS}
    points = list(points_of(choices, values, {"digits": [(0.3,)]}))
    for _, rows in measured("drift", 1, points, point_rows, data, cache, choices, progress):
        yield from rows
