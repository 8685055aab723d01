# SPDX-License-Identifier: Apache-2.0
"""Tuning: three values of each method's one setting, seed 0, the validation part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scaledrop.methods.registry import METHODS
from scaledrop_flow.comparison.bench import bench
from scaledrop_flow.comparison.budgets import BUDGETS, PASSES
from scaledrop_flow.comparison.cells import Cell, Done
from scaledrop_flow.comparison.measure import tune
from scaledrop_flow.comparison.plan import VERSION, Plan, Say, depends_on, seconds_of

__all__ = ["tuned", "tuning_cells", "tuning_rows"]


def tuning_cells(plan: Plan) -> list[Cell]:
    """Every value of every method's setting on every set."""
    return [
        Cell(
            study="methods-tuning",
            version=VERSION,
            case=f"{key} on {name}, {METHODS[key].setting.name} = {value:g}",
            seed=0,
            depends=depends_on(plan, key, name, value, 0),
            work=tune,
            given=(key, name, value, plan.root, plan.choices.place),
            weight=seconds_of(key, name, BUDGETS[name].valid * PASSES),
            device=plan.choices.place,
        )
        for name in plan.sets
        for key in plan.methods
        for value in METHODS[key].setting.values
    ]


def tuning_rows(plan: Plan, say: Say | None = None) -> Iterator[dict[str, Any]]:
    """What was tried of each method's setting on each set, and which value won."""
    done = list(plan.run(tuning_cells(plan), say))
    best = _winners(done)
    for one in done:
        depends = one.cell.depends
        key, name, value = depends["method"], _set_of(plan, one), depends["value"]
        yield {
            "set": name,
            "method": key,
            "setting": depends["setting"],
            "value": value,
            "valid_images": one.result["images"],
            "nll": one.result["nll"],
            "accuracy": one.result["accuracy"],
            "won": best[key, depends["data"]] == value,
            "seconds": one.provenance["seconds"],
            "config_sha256": BUDGETS[name].run(0).config_hash(),
            **{part: one.row[part] for part in ("seed", "cell", "provenance")},
        }


def _set_of(plan: Plan, one: Done) -> str:
    digests = {bench(name, plan.root).digest: name for name in plan.sets}
    return digests[one.cell.depends["data"]]


def _winners(done: Sequence[Done]) -> dict[tuple[str, str], float]:
    """(method, digest of the data) to the value of the lowest NLL; of equal ones the first."""
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for one in done:
        at = one.cell.depends["method"], one.cell.depends["data"]
        found = one.result["nll"], one.cell.depends["value"]
        if at not in best or found[0] < best[at][0]:
            best[at] = found
    return {at: value for at, (_, value) in best.items()}


def tuned(plan: Plan, say: Say | None = None) -> dict[tuple[str, str], float]:
    """(method, set) to the value that won on the validation part."""
    best = _winners(list(plan.run(tuning_cells(plan), say)))
    return {
        (key, name): best[key, bench(name, plan.root).digest]
        for name in plan.sets
        for key in plan.methods
    }
