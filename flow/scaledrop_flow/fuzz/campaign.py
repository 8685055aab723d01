# SPDX-License-Identifier: Apache-2.0
"""Many cases, in parallel, from one seed; an interrupt keeps what was done so far."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TypeVar

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop_cosim.toolchain import LIBPYTHON_REMEDY, libpython, missing_tools
from scaledrop_flow.fuzz.draw import draw
from scaledrop_flow.fuzz.run import Outcome, run_case
from scaledrop_flow.fuzz.shrink import shrink

__all__ = ["Campaign", "Choices", "run_campaign"]

SEED_STEP = 100_000
"""Case i of a campaign has the seed ``seed * SEED_STEP + i``."""
MOST_SHRUNK = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Choices:
    """What a campaign is asked to do.

    Attributes:
        count: cases.
        jobs: processes; 1 runs everything in this one.
        verilator: each so-many-th case goes through Verilator; 0 for none.
        shrink_seconds: for each failure; 0 leaves them as they were drawn.

    Raises:
        UserError: a value out of range, or no tools for Verilator.
    """

    count: int = 500
    seed: int = 1
    jobs: int = 2
    verilator: int = 20
    shrink_seconds: int = 120

    def __post_init__(self) -> None:
        check_integer(self.count, 1, SEED_STEP, "count")
        check_integer(self.seed, 0, 20_000, "seed")
        check_integer(self.jobs, 1, 256, "jobs")
        check_integer(self.verilator, 0, SEED_STEP, "verilator")
        check_integer(self.shrink_seconds, 0, 3600, "shrink")
        if any(engine == "verilator" for _, engine in self.tasks):
            _require_verilator()

    @property
    def tasks(self) -> list[tuple[int, str]]:
        """Seed and engine of each case."""
        return [
            (
                self.seed * SEED_STEP + at,
                "verilator" if self.verilator and (at + 1) % self.verilator == 0 else "amaranth",
            )
            for at in range(self.count)
        ]


def _require_verilator() -> None:
    missing = missing_tools()
    if libpython() is None:
        missing.append(f"libpython was not found: install {LIBPYTHON_REMEDY}")
    if missing:
        raise UserError(f"{'; '.join(missing)}; or do without, with --verilator 0")


@dataclass
class Campaign:
    """What became of it.

    Attributes:
        outcomes: in the order in which they came.
        shrunk: seed of a failure -> its smallest case.
    """

    choices: Choices
    outcomes: list[Outcome] = field(default_factory=list)
    shrunk: dict[int, Outcome] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def failures(self) -> list[Outcome]:
        return [one for one in self.outcomes if not one.ok]


def _drawn(task: tuple[int, str]) -> Outcome:
    return run_case(draw(*task))


def _shrunk(task: tuple[Outcome, int]) -> tuple[int, Outcome]:
    outcome, seconds = task
    return outcome.case.seed, shrink(outcome, seconds)


class _Here:
    """One after another in this process."""

    def each(self, work: Callable[[Item], Result], items: list[Item]) -> Iterator[Result]:
        for item in items:
            yield work(item)


class _Pool:
    """In several processes; results as they come."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self.executor = executor

    def each(self, work: Callable[[Item], Result], items: list[Item]) -> Iterator[Result]:
        futures: list[Future[Result]] = [self.executor.submit(work, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            raise UserError(
                "a process was killed, for memory as a rule; use fewer --jobs"
            ) from None


def _begin_worker() -> None:
    """The parent alone hears of an interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _no_word_of_abandoned_designs()


def _no_word_of_abandoned_designs() -> None:
    """A case that raises leaves components behind that were never elaborated."""
    from amaranth.hdl import UnusedElaboratable

    warnings.simplefilter("ignore", UnusedElaboratable)


@contextmanager
def _workers(jobs: int) -> Iterator[_Here | _Pool]:
    if jobs == 1:
        _no_word_of_abandoned_designs()
        yield _Here()
        return
    executor = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin_worker)
    try:
        yield _Pool(executor)
    finally:
        executor.shutdown(cancel_futures=True)


def run_campaign(choices: Choices, listener: Callable[[Outcome], None]) -> Campaign:
    """Run all cases, then shrink the first failures.

    Args:
        listener: called with each outcome.
    """
    campaign = Campaign(choices)
    with _workers(choices.jobs) as workers:
        try:
            for outcome in workers.each(_drawn, choices.tasks):
                campaign.outcomes.append(outcome)
                listener(outcome)
            failed = campaign.failures[:MOST_SHRUNK] if choices.shrink_seconds else []
            tasks = [(one, choices.shrink_seconds) for one in failed]
            for seed, small in workers.each(_shrunk, tasks):
                campaign.shrunk[seed] = small
        except KeyboardInterrupt:
            campaign.interrupted = True
    return campaign
