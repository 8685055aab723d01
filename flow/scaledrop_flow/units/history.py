# SPDX-License-Identifier: Apache-2.0
"""Figures of units over versions of the design: a table that grows, and a page of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop_flow.units.measure import Figures, versions

__all__ = ["append_history", "read_history", "write_page"]

COLUMNS = (
    *("label", "tools", "unit", "ice40_lut4", "ice40_flipflops", "ice40_memories"),
    *("ice40_multipliers", "ecp5_lut4", "ecp5_flipflops", "ecp5_memories", "ecp5_multipliers"),
    *("ecp5_mhz", "ecp5_mhz_spread"),
)

Row = dict[str, str]


def _row(label: str, unit: str, one: Figures) -> Row:
    figures = [label, "; ".join(versions().values()), unit]
    for cells in (one.ice40, one.ecp5):
        figures += map(str, (cells.lut4, cells.flipflops, cells.memories, cells.multipliers))
    figures += ["" if value is None else str(value) for value in (one.median_mhz, one.spread_mhz)]
    return dict(zip(COLUMNS, figures, strict=True))


def read_history(path: Path) -> list[Row]:
    """Rows in the order in which they were recorded; none if there is no file.

    Raises:
        UserError: another table.
    """
    if not path.exists():
        return []
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise UserError(f"history: {path} has other columns than {', '.join(COLUMNS)}; restore it")
    return rows


def append_history(path: Path, label: str, figures: Mapping[str, Figures]) -> list[Row]:
    """The rows with ``figures`` as those of ``label``, in the place of those of the same units."""
    before = read_history(path)
    rows = [row for row in before if row["label"] != label or row["unit"] not in figures]
    rows += [_row(label, name, figures[name]) for name in sorted(figures)]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())
    return rows


def _changed(before: Row | None, row: Row, column: str) -> str:
    """The figure, and what it was where it differs."""
    was, now = before[column] if before else "", row[column]
    return f"{now} ({was})" if was and was != now else now


def _line(before: Row | None, row: Row) -> str:
    shown = [_changed(before, row, column) for column in COLUMNS[3:12]]
    spread = f" ± {float(row['ecp5_mhz_spread']) / 2:.1f}" if row["ecp5_mhz_spread"] else ""
    return "| " + " | ".join([f"`{row['unit']}`", *shown[:-1], f"{shown[-1]}{spread}"]) + " |"


def _by_label(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(row["label"], {})[row["unit"]] = row
    return found


HEAD = (
    "| unit | iCE40 LUT4 | FF | BRAM | DSP | ECP5 LUT4 | FF | BRAM | DSP | ECP5 MHz |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def write_page(path: Path, rows: Sequence[Row], about: str) -> None:
    """Markdown: the newest figures of every unit, in brackets those before where they differ."""
    labels = _by_label(rows)
    *_, newest = labels
    before = labels[list(labels)[-2]] if len(labels) > 1 else {}
    lines = ["# What every component takes", "", about, ""]
    lines += [f"Newest: {newest}, {next(iter(labels[newest].values()))['tools']}."]
    if before:
        lines[-1] += f" In brackets: {list(labels)[-2]}, where it differs."
    lines += ["", *HEAD]
    lines += [_line(before.get(name), row) for name, row in labels[newest].items()]
    lines += ["", "## History", "", "| version | units | slowest unit |", "|---|---|---|"]
    for label, units in labels.items():
        placed = [row for row in units.values() if row["ecp5_mhz"]]
        slowest = min(placed, key=lambda row: float(row["ecp5_mhz"]), default=None)
        told = f"`{slowest['unit']}` {slowest['ecp5_mhz']} MHz" if slowest else ""
        lines.append(f"| {label} | {len(units)} | {told} |")
    write_atomically(path, ("\n".join(lines) + "\n").encode())
