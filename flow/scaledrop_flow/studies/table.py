# SPDX-License-Identifier: Apache-2.0
"""The table of a study: a CSV, and beside it where it came from."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scaledrop.atomic import write_atomically
from scaledrop.workers import cores

__all__ = ["as_text", "write_table"]


def write_table(rows: Iterable[dict[str, Any]], path: Path, command: str) -> int:
    """Write ``path`` anew after every row, so that an interrupted study keeps what it has.

    Beside it, with the ending ``.json`` and written as often: the command, versions and processor.
    A mapping ``provenance`` in a row is no column: all that occur in it are listed there as
    ``measured``, its ``seconds`` added up, since rows may come from runs on several machines.

    Returns:
        Rows written.
    """
    done: list[dict[str, Any]] = []
    source, measured = _source(command), _Measured()
    for row in rows:
        done.append(measured.taken(row))
        text = json.dumps({**source, **measured.as_json()}, indent=2) + "\n"
        write_atomically(path.with_suffix(".json"), text.encode())
        write_atomically(path, _csv(done).encode())
    return len(done)


class _Measured:
    """Where and for how long rows were measured."""

    def __init__(self) -> None:
        self.seconds, self.values = 0.0, dict[str, list[Any]]()

    def taken(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row without its provenance, which is kept here."""
        provenance = row.get("provenance")
        if not isinstance(provenance, Mapping):
            return row
        for name, value in provenance.items():
            if name == "seconds":
                self.seconds += value
            elif value not in self.values.setdefault(name, []):
                self.values[name].append(value)
        return {name: value for name, value in row.items() if name != "provenance"}

    def as_json(self) -> dict[str, Any]:
        if not self.values:
            return {}
        return {"measured": {**self.values, "seconds": round(self.seconds, 1)}}


def _source(command: str) -> dict[str, Any]:
    return {
        "command": command,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cores": cores(),
    }


def _csv(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n", restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: as_text(value) for name, value in row.items()})
    return text.getvalue()


def as_text(value: Any) -> Any:
    """A value as it stands in a table: six significant digits."""
    return f"{value:.6g}" if isinstance(value, float) else value
