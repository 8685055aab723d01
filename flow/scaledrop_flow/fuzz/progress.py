# SPDX-License-Identifier: Apache-2.0
"""How far a campaign is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scaledrop_flow.fuzz.run import Outcome

__all__ = ["progress"]

LINE_SECONDS = 10.0


class _Teller:
    """Counts outcomes; says at once what failed."""

    def __init__(self, console: Console, count: int, advance: Callable[[str], None]) -> None:
        self.console, self.count, self.advance = console, count, advance
        self.done = self.failed = 0
        self.printed = time.monotonic()

    def __call__(self, outcome: Outcome) -> None:
        self.done += 1
        self.failed += not outcome.ok
        self.advance(f"{self.failed} failed")
        if not outcome.ok:
            self.console.print(f"  seed {outcome.case.seed}: {outcome}", markup=False)
        now = time.monotonic()
        if not self.console.is_terminal and now - self.printed > LINE_SECONDS:
            self.printed = now
            self.console.print(f"  {self.done} of {self.count} networks, {self.failed} failed")


@contextmanager
def progress(count: int) -> Iterator[Callable[[Outcome], None]]:
    """Yields what is to be called with each outcome."""
    console = Console(highlight=False, soft_wrap=True)
    note = TextColumn("{task.fields[note]}")
    columns = (BarColumn(), MofNCompleteColumn(), note, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("fuzz", total=count, note="")
        yield _Teller(console, count, lambda text: bar.update(task, advance=1, note=text))
