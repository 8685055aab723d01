# SPDX-License-Identifier: Apache-2.0
"""What is known of dropout, drawn and compared: each closed form beside a measurement.

Variance and mean of inverted dropout, the share that DropBlock drops, the depth of a network of
stochastic depth; and, on digits, the variance shift of each layer's BatchNorm with what the
remedies do to it (:mod:`scaledrop_flow.studies.norm_shift`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.methods.dropblock import seed_probability
from scaledrop.nn.dropout_facts import (
    block_share,
    dropout_variance,
    exact_gamma,
    expected_depth,
    linear_survival,
)
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.norm_shift import point_rows
from scaledrop_flow.studies.task_cells import NO_CHOICES, Row, measured, points_of
from scaledrop_flow.studies.tasks import SEEDS, Progress

__all__ = ["DRAWS", "block_rows", "depth_rows", "dropout_rows", "facts_study"]

DRAWS, SEED = 200_000, 5
MAPS = 4_000
DROPS = (0.1, 0.3, 0.5, 0.7)
BLOCKS = ((3, 14), (5, 14), (7, 14), (3, 5))
"""Block and side of a map."""
DEPTHS = ((9, 0.5), (54, 0.5), (54, 0.8))
"""Residual blocks and the chance that the last is kept."""

Floats = npt.NDArray[np.float64]


def _row(fact: str, setting: str, closed: float, draws: Floats, of: str) -> Row:
    """A closed form beside the mean of independent draws, and that mean's standard error."""
    return {
        "fact": fact,
        "setting": setting,
        "of": of,
        "closed_form": closed,
        "measured": float(draws.mean()),
        "standard_error": float(draws.std(ddof=1) / np.sqrt(len(draws))),
        "draws": len(draws),
        "seed": SEED,
    }


def dropout_rows(draws: int = DRAWS) -> Iterator[Row]:
    """Mean and variance of ``h m / (1 - p)`` for h = 2."""
    h, rng = 2.0, np.random.default_rng(SEED)
    for p in DROPS:
        y = np.asarray(h / (1 - p) * (rng.random(draws) >= p), dtype=np.float64)
        setting = f"h = {h:g}, p = {p:g}"
        yield _row("inverted dropout", setting, h, y, "expected output")
        variance = dropout_variance(h, p)
        yield _row("inverted dropout", setting, variance, (y - h) ** 2, "variance")


def _dropped(gamma: float, block: int, side: int, maps: int, rng: np.random.Generator) -> Floats:
    """(maps,) share that blocks with seeds drawn with ``gamma`` cover."""
    places = side - block + 1
    seeds = rng.random((maps, places, places)) < gamma
    covered = np.zeros((maps, side, side), dtype=bool)
    for y, x in np.ndindex(block, block):
        covered[:, y : y + places, x : x + places] |= seeds
    return np.asarray(covered.mean(axis=(1, 2)))


def block_rows(maps: int = MAPS) -> Iterator[Row]:
    """Share dropped by the gamma of the paper and by the exact one."""
    rng = np.random.default_rng(SEED)
    for block, side in BLOCKS:
        for p in DROPS[:3]:
            gammas = {
                "gamma as published": seed_probability((1, side, side), p, block),
                "exact gamma": exact_gamma(p, block, side, side),
            }
            for name, gamma in gammas.items():
                share = block_share(gamma, block, side, side)
                setting = f"block {block} of {side}, asked {p:g}, {name}"
                dropped = _dropped(gamma, block, side, maps, rng)
                yield {
                    **_row("DropBlock", setting, share, dropped, "dropped share"),
                    "asked": p,
                    "gamma": gamma,
                }


def depth_rows(draws: int = DRAWS) -> Iterator[Row]:
    """Blocks that are run under the linear rule."""
    rng = np.random.default_rng(SEED)
    for layers, last in DEPTHS:
        kept = rng.random((draws // 10, layers)) < linear_survival(layers, last)
        setting = f"{layers} blocks, last kept with {last:g}"
        depth = expected_depth(layers, last)
        yield _row("stochastic depth", setting, depth, kept.sum(axis=1), "expected depth")


def facts_study(
    data: Path | None, cache: Path, progress: Progress, choices: Choices = NO_CHOICES
) -> Iterator[Row]:
    """The closed forms, then the variance shift on the digits, three seeds."""
    few = 20 if choices.smoke else 1
    yield from dropout_rows(DRAWS // few)
    yield from block_rows(MAPS // few)
    yield from depth_rows(DRAWS // few)
    once: dict[str, list[tuple[Any, ...]]] = {"digits": [()]}
    seeds = {"digits": SEEDS[:1] if choices.smoke else SEEDS}
    points = list(points_of(choices, once, once, seeds))
    for _, rows in measured("facts", 1, points, point_rows, data, cache, choices, progress, 6):
        yield from rows
