# SPDX-License-Identifier: Apache-2.0
"""How many passes are enough: T drawn passes against the exact marginal over all masks.

A network of L layers is 2**L networks, so what T passes converge to is known. Each row is the mean
of several runs with words of their own; the rows "enough" hold the least T that was tried whose NLL
is, in the mean over the seeds, within 1 % of the exact one, and within the spread of the exact one
over the seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.mask_law import components, mean_variance
from scaledrop.metrics import accuracy, auroc, negative_log_likelihood
from scaledrop.spin import masks_from_codes, uniform_words
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.spin_masks import MaskTable, mask_shares
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import (
    Progress,
    table_of,
    trained_network,
)

__all__ = ["CASES", "PASSES", "RUNS", "enough", "expected_error", "passes_study", "point_rows"]

PASSES = (1, 2, 5, 10, 20, 50, 100)
RUNS, WORD_SEED = 10, 1000
TOLERANCE = 0.01
CASES: Mapping[str, tuple[float, ...]] = {
    "digits": (0.15, 0.3, 0.5),
    "fashion-mnist": (0.15, 0.3, 0.5),
    "breastmnist": (0.15, 0.3, 0.5),
    "pneumoniamnist": (0.15,),
}

Floats = npt.NDArray[np.float64]


def expected_error(table: MaskTable, passes: int) -> float:
    """Root mean square error of a class probability of the known images after T independent passes,
    without drawing any: ``sqrt(variance / T)``."""
    values = table.probabilities[: len(table.labels)].transpose(0, 2, 1)
    p = [code / 2**16 for code in table.drop_codes]
    return float(np.sqrt(mean_variance(components(values, p), passes, 0.0).mean()))


def drawn_shares(table: MaskTable, passes: int, seed: int) -> Floats:
    """(N, 2**L) shares of the masks that the spin unit's words of a seed draw."""
    layers = len(table.drop_codes)
    words = uniform_words(seed, table.images * passes * layers)
    bits = masks_from_codes(table.drop_codes, words).ravel() == 0
    return mask_shares(bits, table.images, layers)


def _scores(table: MaskTable, shares: Floats) -> dict[str, float]:
    known, mean, exact = len(table.labels), table.mean(shares), table.mean(table.exact[None])
    entropy = -(mean * np.log(np.maximum(mean, 1e-300))).sum(axis=-1)
    gap = mean[:known] - exact[:known]
    return {
        "error": float(np.sqrt(np.square(gap).mean())),
        "accuracy": accuracy(mean[:known], table.labels),
        "nll": negative_log_likelihood(mean[:known], table.labels),
        "auroc_entropy": auroc(entropy[:known], entropy[known:]),
    }


def case_rows(table: MaskTable, counts: Sequence[int], runs: int) -> Iterator[Row]:
    """The exact row of a network, then one for each T: means, and standard deviations over runs."""
    yield {"passes": "exact", "runs": 1, **_scores(table, table.exact[None])}
    for passes in counts:
        found = [
            _scores(table, drawn_shares(table, passes, WORD_SEED + run)) for run in range(runs)
        ]
        columns = {name: np.array([one[name] for one in found]) for name in found[0]}
        yield {
            "passes": passes,
            "runs": runs,
            **{name: float(values.mean()) for name, values in columns.items()},
            **{f"{name}_std": float(values.std()) for name, values in columns.items()},
            "expected_error": expected_error(table, passes),
        }


def enough(rows: Iterable[Row]) -> Row:
    """The least T from which on the mean NLL over the seeds is near that of the exact marginal.

    Args:
        rows: of one set and p, all seeds.

    Returns:
        ``within_1_percent`` and ``within_spread``: T, or "more" where none of those tried is;
        ``nll``: the exact one, ``nll_std``: its standard deviation over the seeds.
    """
    by_passes: dict[Any, list[float]] = {}
    for row in rows:
        by_passes.setdefault(row["passes"], []).append(row["nll"])
    exact = np.array(by_passes.pop("exact"))
    spread = float(exact.std(ddof=1)) if len(exact) > 1 else 0.0
    means = {passes: float(np.mean(values)) for passes, values in by_passes.items()}
    gaps = {passes: abs(mean - float(exact.mean())) for passes, mean in means.items()}
    limits = {"within_1_percent": TOLERANCE * exact.mean(), "within_spread": spread}
    least = {name: _settled(gaps, limit) for name, limit in limits.items()}
    return {"passes": "enough", "nll": float(exact.mean()), "nll_std": spread, **least}


def _settled(gaps: Mapping[int, float], limit: float) -> int | str:
    """The first key from which on no gap is above the limit."""
    near = takewhile(lambda passes: gaps[passes] <= limit, reversed(list(gaps)))
    return min(near, default="more")


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """All rows of one network; the value of the point is its p."""
    images = point.task.images(data)
    (p,) = point.value
    config = point.task.run(images, point.seed, p=p)
    foreign = point.task.foreign(images, data)
    table = table_of(trained_network(config, images, cache), images, foreign)
    for row in case_rows(table, PASSES, 2 if point.smoke else RUNS):
        yield {"p": p, **row, "config_sha256": config.config_hash()}


def passes_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """One row for each set, p, seed and T; networks are trained at each p. Foreign images, for the
    AUROC, are those of the task (:data:`scaledrop_flow.studies.tasks.TASKS`)."""
    values = {name: [(p,) for p in ps] for name, ps in CASES.items()}
    points = list(points_of(choices, values, {"digits": [(0.3,)]}))
    found: list[Row] = []
    for at, (point, rows) in enumerate(
        measured("passes", 1, points, point_rows, data, cache, choices, progress), 1
    ):
        yield from rows
        found += rows
        if at == len(points) or points[at].value != point.value or points[at].task != point.task:
            yield {"set": point.task.name, "p": point.value[0], "seed": "all", **enough(found)}
            found = []
