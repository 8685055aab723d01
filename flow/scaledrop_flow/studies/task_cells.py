# SPDX-License-Identifier: Apache-2.0
"""Studies that run one function for each task, value and seed, in cells that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledrop.errors import UserError
from scaledrop_flow.comparison.cells import Cell
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.comparison.runner import run_cells
from scaledrop_flow.studies.tasks import SEEDS, TASKS, Progress, Task, small

__all__ = ["NO_CHOICES", "Point", "Row", "measured", "points_of"]

Row = dict[str, Any]
NO_CHOICES = Choices()
"""What a study is run with when nothing is chosen."""


@dataclass(frozen=True)
class Point:
    """What one cell measures.

    Attributes:
        task: network and images.
        value: what the study varies from cell to cell, plain JSON values; () for nothing.
        seed: of the training.
        smoke: the small form.
    """

    task: Task
    value: tuple[Any, ...]
    seed: int
    smoke: bool = False

    @property
    def case(self) -> str:
        """For people."""
        return ", ".join([self.task.name, *map(str, self.value)])


Work = Callable[[Point, Path | None, Path], Iterator[Row]]
"""Rows of one point, from the folder of public sets and the cache; on module level."""


Values = Mapping[str, Sequence[tuple[Any, ...]]]


def _chosen(choices: Choices, values: Values) -> Values:
    """The values that have one of the parts asked for."""
    parts = dict.fromkeys(str(part) for some in values.values() for one in some for part in one)
    for name in choices.only:
        if name not in parts:
            raise UserError(f"only: {name!r} is none of {', '.join(parts)}; choose among them")
    wanted = set(choices.only) or set(parts)
    return {
        name: [one for one in some if not one or wanted & {str(part) for part in one}]
        for name, some in values.items()
    }


def points_of(
    choices: Choices,
    values: Values,
    smoke: Values,
    seeds: Mapping[str, Sequence[int]] | None = None,
) -> Iterator[Point]:
    """Every value of every task under every seed.

    Args:
        choices: of the person: smoke, sets, seeds, and only: values that have one of these parts,
            such as a p or the key of a method.
        values: of each task, by the name of its set.
        smoke: the same in the small form, which has two seeds at most and two epochs.
        seeds: of each task whose seeds are not :data:`scaledrop_flow.studies.tasks.SEEDS`.

    Raises:
        UserError: a chosen set or case is none of the study's.
    """
    some = _chosen(choices, smoke if choices.smoke else values)
    for name in choices.sets:
        if name not in some:
            raise UserError(f"set: {name!r} is none of {', '.join(some)}; choose among them")
    for name in choices.sets or some:
        task = small(TASKS[name]) if choices.smoke else TASKS[name]
        own = (seeds or {}).get(name, SEEDS)
        for value in some[name]:
            for seed in choices.seeds or own[: 2 if choices.smoke else None]:
                yield Point(task, tuple(value), seed, choices.smoke)


def _rows(work: Work, point: Point, data: Path | None, cache: Path) -> dict[str, Any]:
    rows = list(work(point, data, cache))
    # A cell's keys are sorted when it is kept; a table's columns are to stay as they are meant.
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {"columns": names, "values": [[row.get(name) for name in names] for row in rows]}


def _table(result: Mapping[str, Any]) -> Iterator[Row]:
    """The inverse of :func:`_rows`; a value of None was not there."""
    for values in result["values"]:
        pairs = zip(result["columns"], values, strict=True)
        yield {name: value for name, value in pairs if value is not None}


def measured(
    study: str,
    version: int,
    points: Sequence[Point],
    work: Work,
    data: Path | None,
    cache: Path,
    choices: Choices,
    progress: Progress,
    trainings: float = 1,
) -> Iterator[tuple[Point, list[Row]]]:
    """The rows of each point, in order; what was measured before is taken from the cache.

    Args:
        study, version: of the cells: raise the version when rows change their meaning.
        points: what is measured.
        work: how.
        data, cache, choices, progress: as every study has them.
        trainings: of a point, roughly: how long it takes.
    """
    by_key, cells = {}, []
    for point in points:
        task = point.task
        depends = {
            "config": task.config.to_values(),
            "images": [task.train, task.test, task.unknown],
            "value": list(point.value),
            "smoke": point.smoke,
        }
        given = (work, point, data, cache)
        weight = trainings * task.weight
        cell = Cell(study, version, point.case, point.seed, depends, _rows, given, weight)
        by_key[cell.key] = point
        cells.append(cell)
    for done in run_cells(cells, cache, choices, progress):
        point = by_key[done.cell.key]
        head = {"set": point.task.name, "seed": point.seed}
        rows = [{**head, **row, "cell": done.cell.key[:12]} for row in _table(done.result)]
        # Once a cell: its seconds are added up over the rows of a table.
        rows[:1] = [{**row, "provenance": dict(done.provenance)} for row in rows[:1]]
        yield point, rows
