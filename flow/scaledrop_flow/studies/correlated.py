# SPDX-License-Identifier: Apache-2.0
"""Bits that know of each other: between the layers of a pass, and from pass to pass.

"shared": in a share of the passes one draw serves all layers. Each layer keeps its p, so only the
law over the masks changes; the exact marginal under that law is a bias that no passes mend.

"markov": the bit of a layer keeps its value for the next pass with probability r, and is drawn
anew else. Each pass has the right law, so nothing is biased; passes repeat each other, and T of
them are worth fewer. The root mean square error of a class probability is worked out exactly from
the analysis of variance over the masks and, beside it, drawn. A device that carries its state from
layer to layer is in the study ``spin`` ("kept state").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.mask_law import common_law, components, effective_passes, mean_variance, moved_mass
from scaledrop.numbers import DROP_BITS
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.drift import SCORES
from scaledrop_flow.studies.spin_masks import MaskTable, mask_shares
from scaledrop_flow.studies.task_cells import NO_CHOICES, Point, Row, measured, points_of
from scaledrop_flow.studies.tasks import (
    Progress,
    table_of,
    trained_network,
)

__all__ = ["CORRELATIONS", "SHARES", "chain_bits", "correlated_study", "point_rows"]

SHARES = (0.0, 0.1, 0.25, 0.5, 1.0)
CORRELATIONS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
PASSES, SEED = 20, 11
PROBABILITIES = (0.15,)
SETS = ("digits", "fashion-mnist")

Bits = npt.NDArray[np.bool_]


def chain_bits(p: Sequence[float], images: int, passes: int, correlation: float, seed: int) -> Bits:
    """(N, T, L) bits, True drops: a Markov chain for each image and layer, independent of all
    others, with probability p at every pass and ``correlation**k`` between passes k apart."""
    rng = np.random.default_rng(seed)
    drops = rng.random((images, passes, len(p))) < np.array(p)
    keeps = rng.random(drops.shape) < correlation
    for at in range(1, passes):
        drops[:, at] = np.where(keeps[:, at], drops[:, at - 1], drops[:, at])
    return drops


def _shared(table: MaskTable, p: Sequence[float]) -> Iterator[Row]:
    known = len(table.labels)
    for share in SHARES:
        law = common_law(p, share)
        scores = table.scores(law[None])
        moved = np.abs(table.mean(law[None]) - table.mean(table.exact[None]))[:known]
        yield {
            "kind": "shared",
            "correlation": share,
            **{name: scores[name] for name in SCORES},
            "mean_moved": float(moved.mean()),
            "most_moved": float(moved.max()),
            "mass": moved_mass(law, table.exact),
        }


def _markov(table: MaskTable, p: Sequence[float], passes: int) -> Iterator[Row]:
    known, layers = len(table.labels), len(p)
    values = table.probabilities[:known].transpose(0, 2, 1)
    parts = components(values, p).mean(axis=(0, 1))
    alone = float(mean_variance(parts, 1, 0.0))
    exact = table.mean(table.exact[None])[:known]
    for correlation in CORRELATIONS:
        variance = float(mean_variance(parts, passes, correlation))
        drops = chain_bits(p, table.images, passes, correlation, SEED)
        shares = mask_shares(drops.ravel(), table.images, layers)
        scores, mean = table.scores(shares), table.mean(shares)[:known]
        yield {
            "kind": "markov",
            "correlation": correlation,
            "passes": passes,
            "seed_of_bits": SEED,
            **{name: scores[name] for name in SCORES},
            "error": float(np.sqrt(np.square(mean - exact).mean())),
            "expected_error": float(np.sqrt(variance)),
            "effective_passes": alone / variance if variance else float(passes),
            "effective_passes_of_a_bit": effective_passes(passes, correlation),
        }


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """All rows of one network; the value of the point is its p."""
    images = point.task.images(data)
    (p,) = point.value
    config = point.task.run(images, point.seed, p=p)
    foreign = point.task.foreign(images, data)
    table = table_of(trained_network(config, images, cache), images, foreign)
    chances = [code / 2**DROP_BITS for code in table.drop_codes]
    for row in (*_shared(table, chances), *_markov(table, chances, PASSES)):
        yield {"p": p, **row, "config_sha256": config.config_hash()}


def correlated_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """One row for each set, p, seed, kind of dependence and its strength."""
    values = {name: [(p,) for p in PROBABILITIES] for name in SETS}
    points = list(points_of(choices, values, {"digits": [(0.3,)]}))
    for _, rows in measured("correlated", 1, points, point_rows, data, cache, choices, progress):
        yield from rows
