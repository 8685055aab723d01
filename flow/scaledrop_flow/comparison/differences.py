# SPDX-License-Identifier: Apache-2.0
"""Every method against two of them, Scale-Dropout and the deterministic one, score by score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop_flow.comparison.budgets import BUDGETS
from scaledrop_flow.comparison.cells import Done, unpacked
from scaledrop_flow.comparison.plan import Plan, Say
from scaledrop_flow.comparison.scores import SCORED
from scaledrop_flow.comparison.significance import RESAMPLES, Drawn, differ, resamples
from scaledrop_flow.comparison.table import measured

__all__ = ["AGAINST", "arrays_of", "difference_rows"]

AGAINST = ("scale-dropout", "deterministic")
SEED = 0
"""Of the resamples."""

Arrays = dict[str, npt.NDArray[np.float64]]


def arrays_of(done: Done, unknown: tuple[str, str]) -> Arrays:
    """What a cell keeps of every image, by the names that the scores know."""
    kept = {name: unpacked(one).astype(np.float64) for name, one in done.result["images"].items()}
    for at, what in enumerate(unknown, 1):
        kept[f"foreign_{at}"] = kept.pop(f"entropy of {what}")
    return kept


def _draws(like: Arrays, count: int) -> list[dict[str, npt.NDArray[np.int64]]]:
    """Rows of every array; the arrays of the known images share theirs."""
    known = resamples(len(like["right"]), SEED, count)
    foreign = {
        name: resamples(len(like[name]), SEED + at, count)
        for at, name in enumerate(("foreign_1", "foreign_2"), 1)
    }
    return [
        {name: foreign[name][at] if name in foreign else known[at] for name in like}
        for at in range(count)
    ]


def difference_rows(plan: Plan, say: Say | None = None) -> Iterator[dict[str, Any]]:
    """One row for each set, method, method that it is held against, and score."""
    cells: dict[str, dict[str, list[Done]]] = {}
    for name, key, done in measured(plan, say):
        cells.setdefault(name, {}).setdefault(key, []).append(done)
    for name, by_method in cells.items():
        drawn = {}
        for key, dones in by_method.items():
            if say is not None:
                say(f"{key} on {name}: resampling")
            drawn[key] = _drawn([arrays_of(done, BUDGETS[name].unknown) for done in dones])
        seeds = len(next(iter(by_method.values())))
        for other in (one for one in AGAINST if one in drawn):
            for key in drawn:
                if key != other:
                    yield from _compared(name, key, other, drawn, seeds)


@dataclass(frozen=True, eq=False)
class _Scores:
    """The scores of a method, and from how many images and resamples."""

    by_score: Mapping[str, Drawn]
    images: int
    count: int


LOOKS_AT = {
    "accuracy": ("right",),
    "nll": ("truth",),
    "brier": ("brier",),
    "ece": ("confidence", "right"),
    "auroc_1": ("entropy", "foreign_1"),
    "auroc_2": ("entropy", "foreign_2"),
    "aurc": ("entropy", "right"),
}
"""Arrays of each score; nothing else is drawn for it."""


def _drawn(arrays: list[Arrays]) -> _Scores:
    images = len(arrays[0]["right"])
    draws = _draws(arrays[0], RESAMPLES)
    found = {}
    for score, column in SCORED.items():
        names = LOOKS_AT[score]
        some = [{name: one[name] for name in names} for one in arrays]
        rows = [{name: one[name] for name in names} for one in draws]
        found[score] = Drawn.of(some, column.of, rows)
    return _Scores(found, images, len(draws))


def _compared(
    name: str, key: str, other: str, drawn: Mapping[str, _Scores], seeds: int
) -> Iterator[dict[str, Any]]:
    first, second = drawn[key], drawn[other]
    for score, column in SCORED.items():
        found = differ(first.by_score[score], second.by_score[score], column.larger_is_better)
        yield {
            "set": name,
            "method": key,
            "against": other,
            "score": score,
            "difference": found.seeds.mean,
            "spread": found.seeds.spread,
            "t_half": found.seeds.half if np.isfinite(found.seeds.half) else "",
            "p_sign": found.seeds.p_sign,
            "low": found.low,
            "high": found.high,
            "seeds": seeds,
            "images": first.images,
            "resamples": first.count,
            "standing": str(found.standing),
        }
