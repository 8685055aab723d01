# SPDX-License-Identifier: Apache-2.0
"""Working out cells: several at a time, each on one thread, none twice, none lost."""

from __future__ import annotations

import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from scaledrop.errors import UserError
from scaledrop.training.process import pinned
from scaledrop_flow.comparison.cells import Cell, Done, keep, kept
from scaledrop_flow.comparison.choices import Choices

__all__ = ["PORTABLE", "processor", "run_cells"]

Say = Callable[[str], None]
Measured = tuple[Mapping[str, Any], Mapping[str, Any]]

ALONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Of a process beside others: one thread."""
PORTABLE = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
"""Of a process whose figures are to be made again on another processor: no instructions that only
some of them have."""


def run_cells(
    cells: Sequence[Cell],
    cache: Path,
    choices: Choices | None = None,
    say: Say | None = None,
    *,
    portable: bool = False,
) -> Iterator[Done]:
    """Every cell with its result, in the order given; those that are kept are not measured again.

    Each result is kept as soon as it is there: whatever interrupts the run, the same call goes on
    with what is missing. The longest cells are begun first.

    Args:
        cells: Of one study or of several.
        cache: Folder of kept results.
        choices: Processes and device; all cores when None.
        say: Told what is done and how long the rest takes.
        portable: In processes with the environment :data:`PORTABLE`, even if there is only one.

    Raises:
        UserError: two cells with the same key; or one that ``work`` refused, once all others are
            measured and kept.
    """
    chosen = choices or Choices()
    found = {cell.key: kept(cell, cache) for cell in cells}
    if len(found) != len(cells):
        raise UserError("cells: two depend on the same things; give every one a case of its own")
    missing = sorted((c for c in cells if found[c.key] is None), key=lambda cell: -cell.weight)
    speak = _Progress(missing, len(cells), min(chosen.processes, max(len(missing), 1)), say)
    inside = not portable and min(chosen.processes, len(missing)) <= 1
    measured = _inside(missing) if inside else _outside(missing, chosen.processes, portable)
    refused: list[str] = []
    position = 0
    for cell, outcome in measured:
        if isinstance(outcome, UserError):
            refused.append(f"{cell.study}, {cell.name}: {outcome}")
        else:
            keep(cell, cache, *outcome)
            found[cell.key] = kept(cell, cache)
        speak.done(cell)
        while position < len(cells) and (ready := found[cells[position].key]) is not None:
            yield ready
            position += 1
    if refused:
        raise UserError(refused[0])
    for cell in cells[position:]:
        last = found[cell.key]
        assert last is not None
        yield last


def _inside(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Measured | UserError]]:
    for cell in cells:
        with pinned(1), threadpool_limits(1):
            outcome = _attempt(cell.work, cell.given)
        yield cell, outcome


def _outside(
    cells: Sequence[Cell], processes: int, portable: bool
) -> Iterator[tuple[Cell, Measured | UserError]]:
    if not cells:
        return
    # Forked processes would inherit PyTorch's threads in an unknown state.
    context = multiprocessing.get_context("spawn")
    with _environment({**ALONE, **(PORTABLE if portable else {})}):
        pool = ProcessPoolExecutor(min(processes, len(cells)), context, initializer=_alone)
        try:
            waiting = {pool.submit(_attempt, cell.work, cell.given): cell for cell in cells}
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BrokenProcessPool:
            raise UserError(
                "cells: a process was killed, perhaps for want of memory; run the same command "
                "again, with --jobs 1 if it happens again"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that processes started here inherit."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _alone() -> None:
    torch.set_num_threads(1)


def _attempt(
    work: Callable[..., Mapping[str, Any]], given: tuple[Any, ...]
) -> Measured | UserError:
    start = time.perf_counter()
    try:
        result = work(*given)
    except UserError as error:
        return error
    return result, {
        "seconds": round(time.perf_counter() - start, 2),
        "processor": processor(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def processor() -> str:
    """The processor's model as the system names it, or the machine's kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


class _Progress:
    """Says after each cell how many are done, and how long the rest takes at the pace so far."""

    def __init__(
        self, missing: Sequence[Cell], cells: int, processes: int, say: Say | None
    ) -> None:
        self.say, self.start = say, time.monotonic()
        self.whole = sum(cell.weight for cell in missing) or 1.0
        self.count, self.cells, self.made = cells - len(missing), cells, 0.0
        if say is not None and missing:
            text = f"{len(missing)} of {cells} cells to measure"
            say(f"{text}, {processes} at a time, about {self.whole / processes / 60:.0f} min")

    def done(self, cell: Cell) -> None:
        self.count, self.made = self.count + 1, self.made + cell.weight
        if self.say is not None:
            left = (time.monotonic() - self.start) * (self.whole - self.made) / self.made
            self.say(f"{self.count} of {self.cells}: {cell.name}; about {left / 60:.0f} min left")
