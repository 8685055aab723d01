# SPDX-License-Identifier: Apache-2.0
"""The main table: every method on every set, tuned with equal effort, several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scaledrop.energy.generators import GENERATORS
from scaledrop.energy.table import TABLES
from scaledrop.methods.registry import METHODS
from scaledrop_flow.comparison.bench import bench
from scaledrop_flow.comparison.budgets import BUDGETS, MAIN, PASSES, SEEDS
from scaledrop_flow.comparison.cells import Cell, Done, digest_of_arrays
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.comparison.measure import known_method, measure, tune
from scaledrop_flow.comparison.runner import run_cells

__all__ = ["VERSION", "Plan", "estimate", "measured", "method_rows", "passes_enough", "seconds_of", "tuned", "tuning_rows"]

VERSION = 1
"""Of what a cell means; raised when methods, scores or prices change."""

TRAINED, ASKED = 5_000.0, 15_000.0
"""Image-passes a second and core of LeNet-5, in training and after: a rough estimate."""
COSTS = {"deep-ensemble": 5.0, "structured-ensemble": 6.0, "spinbayes": 2.0, "cifar10": 6.0}
"""Times the cost of the deterministic LeNet-5, where it is not near 1."""

SIZES = {"breastmnist": 546, "pneumoniamnist": 4_708, "digits": 1_150}
"""Training images of sets that are taken whole."""
NEAR = 0.01
"""Nats of negative log-likelihood that do not matter."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a table is made of.

    Attributes:
        methods, sets: Keys.
        seeds: Of the rows; tuning takes seed 0.
        root: Folder of the public sets.
        cache: Of the cells.
        choices: Processes and device.
        portable: See :func:`run_cells`.
    """

    methods: tuple[str, ...]
    sets: tuple[str, ...]
    seeds: tuple[int, ...]
    root: Path | None
    cache: Path
    choices: Choices
    portable: bool = False

    @classmethod
    def of(
        cls,
        data: Path | None,
        cache: Path,
        choices: Choices,
        methods: Sequence[str] = (),
        sets: Sequence[str] = MAIN,
        portable: bool = False,
    ) -> Plan:
        """From a person's choices; the small form is two methods on the digits with one seed.

        Raises:
            UserError: an unknown method or set.
        """
        wanted = choices.only or tuple(methods) or tuple(METHODS)
        chosen_sets, seeds = choices.sets or tuple(sets), choices.seeds or SEEDS
        if choices.smoke:
            wanted = choices.only or ("deterministic", "scale-dropout")
            chosen_sets, seeds = choices.sets or ("smoke",), choices.seeds or SEEDS[:1]
        for key in wanted:
            known_method(key)
        for name in chosen_sets:
            bench(name, data)
        return cls(wanted, chosen_sets, seeds, data, cache, choices, portable)

    def run(self, cells: Sequence[Cell], say: Say | None) -> Iterator[Done]:
        """The cells' results, in their order."""
        return run_cells(cells, self.cache, self.choices, say, portable=self.portable)


def seconds_of(key: str, name: str, asked: int) -> float:
    """Rough seconds on one core to train once and to ask ``asked`` image-passes."""
    budget = BUDGETS[name]
    images = budget.train or SIZES.get(name, 1_000)
    once = images * (budget.epochs + 1) / TRAINED * COSTS.get(key, 1.0)
    return COSTS.get(name, 1.0) * (once + asked / ASKED)


def _prices() -> str:
    """Digest of the figures that joules are made of."""
    files = sorted([GENERATORS, *TABLES.glob("*.yaml")])
    return digest_of_arrays(*(np.frombuffer(one.read_bytes(), dtype=np.uint8) for one in files))


def _depends(plan: Plan, key: str, name: str, value: float, seed: int) -> dict[str, Any]:
    return {
        "method": key,
        "setting": METHODS[key].setting.name,
        "value": value,
        "config": BUDGETS[name].run(seed).to_values(),
        "data": bench(name, plan.root).digest,
        "passes": PASSES,
    }


def _tuning_cells(plan: Plan) -> list[Cell]:
    return [
        Cell(
            study="methods-tuning",
            version=VERSION,
            case=f"{key} on {name}, {METHODS[key].setting.name} = {value:g}",
            seed=0,
            depends=_depends(plan, key, name, value, 0),
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
    done = list(plan.run(_tuning_cells(plan), say))
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
    best = _winners(list(plan.run(_tuning_cells(plan), say)))
    return {
        (key, name): best[key, bench(name, plan.root).digest]
        for name in plan.sets
        for key in plan.methods
    }


def _cells(plan: Plan, values: Mapping[tuple[str, str], float]) -> list[tuple[str, Cell]]:
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
                    depends={**_depends(plan, key, name, value, seed), "prices": prices},
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
    cells = _cells(plan, tuned(plan, say))
    for (name, cell), done in zip(cells, plan.run([one for _, one in cells], say), strict=True):
        yield name, str(cell.depends["method"]), done


def estimate(plan: Plan) -> str:
    """How long the whole table takes from nothing, in words."""
    tries = sum(cell.weight for cell in _tuning_cells(plan))
    zero = {(key, name): 0.0 for name in plan.sets for key in plan.methods}
    rows = sum(cell.weight for _, cell in _cells(plan, zero))
    minutes = (tries + rows) / plan.choices.processes / 60
    return (
        f"{len(plan.methods)} methods, {len(plan.sets)} sets, {len(plan.seeds)} seeds: about "
        f"{minutes:.0f} min from nothing with {plan.choices.processes} at a time, of which "
        f"{tries / (tries + rows):.0%} is tuning; cells that are kept take none"
    )


def method_rows(plan: Plan, say: Say | None = None) -> Iterator[dict[str, Any]]:
    """One row for each set, method and seed."""
    for name, key, done in measured(plan, say):
        budget, result, needs = BUDGETS[name], done.result, done.result["needs"]
        joules = {end: 1e6 * of for end, of in result["price"]["joules"].items()}
        scores = dict(result["scores"])
        aurocs = {what: scores.pop(what) for what in ("auroc_1", "auroc_2")}
        yield {
            "set": name,
            "method": key,
            "title": METHODS[key].title,
            "seed": done.cell.seed,
            "setting": done.cell.depends["setting"],
            "value": done.cell.depends["value"],
            "test_images": len(bench(name, plan.root).data.test_labels),
            "right": result["right"],
            **scores,
            **{
                part: one
                for at, what in enumerate(budget.unknown, 1)
                for part, one in ((f"unknown_{at}", what), (f"auroc_{at}", aurocs[f"auroc_{at}"]))
            },
            "numbers_per_pass": needs["numbers_per_pass"],
            "grain": needs["grain"] or "",
            "gaussian": needs["gaussian"],
            "generators": result["price"]["generators"],
            "memory_bits": needs["memory_bits"],
            "uj": joules["value"],
            "uj_low": joules["low"],
            "uj_high": joules["high"],
            "uj_numbers": 1e6 * result["price"]["numbers"]["value"],
            "sums": result["price"]["sums"],
            "passes": result["passes"],
            "networks": needs["networks"],
            "passes_enough": passes_enough(result["nll_by_passes"]),
            "train_seconds": result["train_seconds"],
            "measured_on": budget.measured_on,
            "config_sha256": BUDGETS[name].run(done.cell.seed).config_hash(),
            **{part: done.row[part] for part in ("cell", "provenance")},
        }


def passes_enough(nll: Mapping[str, float]) -> int:
    """The fewest passes whose mean is within :data:`NEAR` nats of that of all passes; 1 where there
    is no more than one."""
    if not nll:
        return 1
    last = nll[max(nll, key=int)]
    return next(int(count) for count in sorted(nll, key=int) if nll[count] <= last + NEAR)
