# SPDX-License-Identifier: Apache-2.0
"""The table of a study: a CSV, and beside it where it came from."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scaledrop.atomic import write_atomically
from scaledrop.workers import cores

__all__ = ["write_table"]


def write_table(rows: Iterable[dict[str, Any]], path: Path, command: str) -> int:
    """Write ``path`` anew after every row, so that an interrupted study keeps what it has.

    Beside it, with the ending ``.json`` and written as often: the command, versions and processor.

    Returns:
        Rows written.
    """
    done: list[dict[str, Any]] = []
    source = (json.dumps(_source(command), indent=2) + "\n").encode()
    for row in rows:
        done.append(row)
        write_atomically(path.with_suffix(".json"), source)
        write_atomically(path, _csv(done).encode())
    return len(done)


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
        writer.writerow({name: _short(value) for name, value in row.items()})
    return text.getvalue()


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
