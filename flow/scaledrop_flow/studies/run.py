# SPDX-License-Identifier: Apache-2.0
"""Running a study into its table, with a person's choices where it takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scaledrop.errors import UserError
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies.table import write_table

__all__ = ["run_study", "takes_choices"]

Rows = Iterator[dict[str, Any]]


def takes_choices(study: Callable[..., Rows]) -> bool:
    """Whether a study has a fourth argument, ``choices``."""
    return "choices" in inspect.signature(study).parameters


def run_study(
    name: str,
    study: Callable[..., Rows],
    data: Path | None,
    cache: Path,
    say: Callable[[str], None],
    choices: Choices,
    out: Path,
) -> tuple[Path, int]:
    """Write ``NAME.csv`` with its provenance beside it; the small form writes ``NAME-smoke.csv``,
    and a choice of cases, sets or seeds ``NAME-part.csv``, so that neither replaces the whole.

    Returns:
        The table and its rows.

    Raises:
        UserError: choices for a study that has none, or what the study raises.
    """
    command = " ".join(["scaledrop", "study", name, *choices.flags])
    part = "-part" if choices.only or choices.sets or choices.seeds else ""
    path = out / f"{name}{'-smoke' if choices.smoke else part}.csv"
    if takes_choices(study):
        return path, write_table(study(data, cache, say, choices), path, command)
    if choices != Choices():
        raise UserError(
            f"study: {name} has no choices; leave out --smoke, --only, --set, --seeds, --jobs and "
            "--device"
        )
    return path, write_table(study(data, cache, say), path, command)
