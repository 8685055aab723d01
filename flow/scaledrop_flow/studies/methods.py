# SPDX-License-Identifier: Apache-2.0
"""Methods beside Scale-Dropout: the main table, its tuning, its differences; digits; CIFAR-10."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.comparison.differences import difference_rows
from scaledrop_flow.comparison.plan import Plan
from scaledrop_flow.comparison.reliability import reliability_rows
from scaledrop_flow.comparison.table import method_rows
from scaledrop_flow.comparison.tuning import tuning_rows

__all__ = [
    "DIGITS",
    "cifar_study",
    "differences_study",
    "digits_plan",
    "digits_study",
    "methods_study",
    "reliability_study",
    "tuning_study",
]

Rows = Iterator[dict[str, Any]]
Say = Callable[[str], None]
DIGITS = ("deterministic", "scale-dropout", "mc-dropout")
"""Methods of the table that anyone can make again: it needs no files and trains in seconds."""


def methods_study(
    data: Path | None, cache: Path, progress: Say, choices: Choices | None = None
) -> Rows:
    """One row for each set, method and seed; see docs/design/0021-methods.md."""
    return method_rows(Plan.of(data, cache, choices or Choices()), progress)


def tuning_study(
    data: Path | None, cache: Path, progress: Say, choices: Choices | None = None
) -> Rows:
    """What was tried of every setting: the cells that the main table is tuned by."""
    return tuning_rows(Plan.of(data, cache, choices or Choices()), progress)


def differences_study(
    data: Path | None, cache: Path, progress: Say, choices: Choices | None = None
) -> Rows:
    """Which differences of the main table are more than scatter, from its cells."""
    return difference_rows(Plan.of(data, cache, choices or Choices()), progress)


def reliability_study(
    data: Path | None, cache: Path, progress: Say, choices: Choices | None = None
) -> Rows:
    """Confidence against accuracy in bins, from the cells of the main table."""
    return reliability_rows(Plan.of(data, cache, choices or Choices()), progress)


def digits_plan(cache: Path, choices: Choices) -> Plan:
    """Three methods on the digits, in processes of portable instructions."""
    return Plan.of(None, cache, choices, DIGITS, ("digits",), portable=True)


def digits_study(
    data: Path | None, cache: Path, progress: Say, choices: Choices | None = None
) -> Rows:
    """The table of three methods on the digits, of which a test makes a cell again."""
    return method_rows(digits_plan(cache, choices or Choices()), progress)


def cifar_study(
    data: Path | None, cache: Path, progress: Say, choices: Choices | None = None
) -> Rows:
    """A reduced run on CIFAR-10, which says so in its column ``measured_on``."""
    plan = Plan.of(data, cache, choices or Choices(), sets=("cifar10",))
    return method_rows(plan, progress)
