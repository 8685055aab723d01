# SPDX-License-Identifier: Apache-2.0
"""The main table: every method on every set, tuned with equal effort, several seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scaledrop.energy.generators import GENERATORS
from scaledrop.energy.table import TABLES
from scaledrop.methods.registry import METHODS
from scaledrop_flow.comparison.bench import bench
from scaledrop_flow.comparison.budgets import BUDGETS, PASSES
from scaledrop_flow.comparison.cells import Cell, Done, digest_of_arrays
from scaledrop_flow.comparison.measure import measure
from scaledrop_flow.comparison.plan import VERSION, Plan, Say, depends_on, seconds_of
from scaledrop_flow.comparison.tuning import tuned, tuning_cells

__all__ = ["SCORES", "cells_of", "estimate", "measured", "method_rows", "passes_enough", "row_of"]

SCORES = ("accuracy", "nll", "brier", "ece", "aurc")
PRICED = ("uj", "uj_low", "uj_high", "uj_numbers", "sums", "generators")
"""Columns of the price: microjoules of an image with their band, those of its numbers, sums of a
layer, and generators that an output position waits for."""
NEAR = 0.01
"""Nats of negative log-likelihood that do not matter."""


def _prices() -> str:
    """Digest of the figures that joules are made of."""
    files = sorted([GENERATORS, *TABLES.glob("*.yaml")])
    return digest_of_arrays(*(np.frombuffer(one.read_bytes(), dtype=np.uint8) for one in files))


def cells_of(plan: Plan, values: Mapping[tuple[str, str], float]) -> list[tuple[str, Cell]]:
    """Set and cell of every row, from the tuned values by method and set."""
    cells = []
    for name in plan.sets:
        ready, prices = bench(name, plan.root), _prices()
        asked = len(ready.data.test_images) + sum(len(one) for one in ready.unknown.values())
        for key in plan.methods:
            for seed in plan.seeds:
                value = values[key, name]
                cell = Cell(
                    study="methods",
                    version=VERSION,
                    case=f"{key} on {name}",
                    seed=seed,
                    depends={**depends_on(plan, key, name, value, seed), "prices": prices},
                    work=measure,
                    given=(key, name, value, seed, plan.root, plan.choices.place),
                    weight=seconds_of(key, name, asked * PASSES),
                    device=plan.choices.place,
                )
                cells.append((name, cell))
    return cells


def measured(plan: Plan, say: Say | None = None) -> Iterator[tuple[str, str, Done]]:
    """Set, method and result of every cell of the table, in its order; tuned first."""
    if say is not None:
        say(estimate(plan))
    cells = cells_of(plan, tuned(plan, say))
    for (name, cell), done in zip(cells, plan.run([one for _, one in cells], say), strict=True):
        yield name, str(cell.depends["method"]), done


def estimate(plan: Plan) -> str:
    """How long the whole table takes from nothing, in words."""
    tries = sum(cell.weight for cell in tuning_cells(plan))
    zero = {(key, name): 0.0 for name in plan.sets for key in plan.methods}
    rows = sum(cell.weight for _, cell in cells_of(plan, zero))
    minutes = (tries + rows) / plan.choices.processes / 60
    return (
        f"{len(plan.methods)} methods, {len(plan.sets)} sets, {len(plan.seeds)} seeds: about "
        f"{minutes:.0f} min from nothing with {plan.choices.processes} at a time, of which "
        f"{tries / (tries + rows):.0%} is tuning; cells that are kept take none"
    )


def method_rows(plan: Plan, say: Say | None = None) -> Iterator[dict[str, Any]]:
    """One row for each set, method and seed."""
    for name, key, done in measured(plan, say):
        yield row_of(plan, name, key, done)


def row_of(plan: Plan, name: str, key: str, done: Done) -> dict[str, Any]:
    """The row of a cell: of a method on a set."""
    budget, result, needs = BUDGETS[name], done.result, done.result["needs"]
    return {
        "set": name,
        "method": key,
        "title": METHODS[key].title,
        "seed": done.cell.seed,
        "setting": done.cell.depends["setting"],
        "value": done.cell.depends["value"],
        "test_images": len(bench(name, plan.root).data.test_labels),
        "right": result["right"],
        **{what: result["scores"][what] for what in SCORES},
        "unknown_1": budget.unknown[0],
        "auroc_1": result["scores"]["auroc_1"],
        "unknown_2": budget.unknown[1],
        "auroc_2": result["scores"]["auroc_2"],
        "numbers_per_pass": needs["numbers_per_pass"],
        "grain": needs["grain"] or "",
        "gaussian": needs["gaussian"],
        "memory_bits": needs["memory_bits"],
        **_priced(result["price"]),
        "passes": result["passes"],
        "networks": needs["networks"],
        "passes_enough": passes_enough(result["nll_by_passes"]),
        "train_seconds": result["train_seconds"],
        "measured_on": budget.measured_on,
        "config_sha256": BUDGETS[name].run(done.cell.seed).config_hash(),
        **{part: done.row[part] for part in ("cell", "provenance")},
    }


def _priced(price: Mapping[str, Any] | None) -> dict[str, Any]:
    """Columns of the price; empty where there is none."""
    if price is None:
        return dict.fromkeys(PRICED, "")
    joules = price["joules"]
    found = (joules["value"], joules["low"], joules["high"], price["numbers"]["value"])
    microjoules = dict(zip(PRICED[:4], (1e6 * one for one in found), strict=True))
    return {**microjoules, "sums": price["sums"], "generators": price["generators"]}


def passes_enough(nll: Mapping[str, float]) -> int:
    """The fewest passes whose mean is within :data:`NEAR` nats of that of all passes; 1 where there
    is no more than one."""
    if not nll:
        return 1
    last = nll[max(nll, key=int)]
    return next(int(count) for count in sorted(nll, key=int) if nll[count] <= last + NEAR)
