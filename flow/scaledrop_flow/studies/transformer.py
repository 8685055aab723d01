# SPDX-License-Identifier: Apache-2.0
"""Attention dropout beside scale dropout in a small binary transformer, and scale-vector options.

Three methods on one network: the three values of each one's setting at seed 0, the lowest NLL on
the validation part is taken, and the other seeds are trained with it. Each option of the
scale-vector paper (arXiv 2605.26895) is then put on top of scale dropout, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scaledrop.methods.transformer import TRANSFORMERS, Treatment
from scaledrop.nn.scale import check_choice
from scaledrop_flow.comparison.cells import Cell, Done, digest_of_arrays
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.comparison.runner import run_cells
from scaledrop_flow.studies.transformer_cases import (
    DIGITS,
    FASHION,
    TREATMENTS,
    Images,
    Sizes,
    images_of,
    measure,
    network,
)

__all__ = ["KINDS", "SEEDS", "transformer_study"]

SEEDS = (0, 1, 2)
KINDS = {"vit": "none", "vit-attention-dropout": "attention", "vit-scale-dropout": "scale"}
"""Methods, and what is random in each."""
BASE = "vit-scale-dropout"
SECONDS = 75.0

Say = Callable[[str], None]


class _Study:
    """What all cells share."""

    def __init__(self, sizes: Sizes, root: Path | None, choices: Choices) -> None:
        self.sizes, self.root, self.choices = sizes, root, choices
        self.digest = _digest(images_of(sizes, root))

    def cell(
        self, method: str, value: float, seed: int, option: str = "", treat: Treatment | None = None
    ) -> Cell:
        run, transformer = network(self.sizes.run(seed), KINDS[method], value, treat)
        return Cell(
            study="transformer",
            version=1,
            case=" + ".join(filter(None, (method, option))),
            seed=seed,
            depends={
                "run": run.to_values(),
                "network": transformer.to_values(),
                "passes": self.sizes.passes,
                "data": self.digest,
            },
            work=measure,
            given=(run, transformer, self.sizes, self.root, self.choices.device),
            weight=SECONDS,
            device=self.choices.place,
        )


def _digest(images: Images) -> str:
    known = images.known
    names = ("train", "valid", "test")
    arrays = [getattr(known, f"{name}_{kind}") for name in names for kind in ("images", "labels")]
    return digest_of_arrays(*arrays, *images.unknown.values())


def _row(done: Done, stage: str, value: float) -> dict[str, Any]:
    return {**done.row, "stage": stage, "setting": value, **done.result}


def transformer_study(
    data: Path | None, cache: Path, progress: Say, choices: Choices | None = None
) -> Iterator[dict[str, Any]]:
    """One row for each method, value or option, and seed.

    Stage "setting" has the values that were tried at seed 0 and not taken, "method" the one that
    was at every seed, "option" what is put on top of scale dropout. The small form is on the
    digits, one epoch.

    Raises:
        UserError: ``choices.only`` has another name than those of the options.
    """
    chosen = choices or Choices()
    for name in chosen.only:
        check_choice("only", name, tuple(TREATMENTS))
    study = _Study(DIGITS if chosen.smoke else FASHION, data, chosen)
    seeds = chosen.seeds or SEEDS

    def results(cells: Sequence[Cell]) -> Iterator[Done]:
        return run_cells(cells, cache, chosen, progress)

    trials = [(m.key, value) for m in TRANSFORMERS for value in m.setting.values]
    tried = list(results([study.cell(key, value, seeds[0]) for key, value in trials]))
    best = _best(trials, tried)
    for (key, value), done in zip(trials, tried, strict=True):
        if value != best[key]:
            yield _row(done, "setting", value)
    for key, value in best.items():
        for done in results([study.cell(key, value, seed) for seed in seeds]):
            yield _row(done, "method", value)
    value, options = best[BASE], chosen.only or tuple(TREATMENTS)
    cells = [
        study.cell(BASE, value, seed, name, TREATMENTS[name]) for name in options for seed in seeds
    ]
    for done in results(cells):
        yield _row(done, "option", value)


def _best(trials: Sequence[tuple[str, float]], tried: Sequence[Done]) -> Mapping[str, float]:
    """Of each method the value with the lowest NLL on the validation part; ties to the first."""
    found: dict[str, tuple[float, float]] = {}
    for (key, value), done in zip(trials, tried, strict=True):
        score = float(done.result["valid_nll"])
        if key not in found or score < found[key][0]:
            found[key] = (score, value)
    return {key: value for key, (_, value) in found.items()}
