# SPDX-License-Identifier: Apache-2.0
"""What the comparison is made of: methods, sets, seeds, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledrop.methods.registry import METHODS
from scaledrop_flow.comparison.bench import bench
from scaledrop_flow.comparison.budgets import BUDGETS, MAIN, PASSES, SEEDS
from scaledrop_flow.comparison.cells import Cell, Done
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.comparison.measure import known_method
from scaledrop_flow.comparison.runner import run_cells

__all__ = ["VERSION", "Plan", "Say", "depends_on", "seconds_of"]

VERSION = 1
"""Of what a cell means; raised when methods, scores or prices change."""

TRAINED, ASKED = 4_500.0, 14_000.0
"""Image-passes a second and core of LeNet-5, in training and after: a rough estimate."""
COSTS = {"deep-ensemble": 5.0, "structured-ensemble": 6.0, "spinbayes": 1.6, "cifar10": 6.0}
"""Times the cost of the deterministic LeNet-5, where it is not near 1."""

SIZES = {"breastmnist": 546, "pneumoniamnist": 4_708, "digits": 1_150}
"""Training images of sets that are taken whole."""
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


def depends_on(plan: Plan, key: str, name: str, value: float, seed: int) -> dict[str, Any]:
    """What a training depends on, as plain JSON values."""
    return {
        "method": key,
        "setting": METHODS[key].setting.name,
        "value": value,
        "config": BUDGETS[name].run(seed).to_values(),
        "data": bench(name, plan.root).digest,
        "passes": PASSES,
        "portable": plan.portable,
    }
