# SPDX-License-Identifier: Apache-2.0
"""What the comparison leaves behind: CSV, JSON, a printed table, a technology table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from scaledrop.atomic import write_atomically
from scaledrop.energy import TechnologyTable, load_table
from scaledrop.energy.band import Band, Label, format_band
from scaledrop.energy.rows import Row
from scaledrop.errors import UserError
from scaledrop_flow.netlist.compare import Line
from scaledrop_flow.netlist.libraries import CellLibrary

__all__ = ["as_json", "printed", "recalibrated", "write_csv", "write_table"]

UNSEEN = 2.0
"""Wires, glitches and the clock's tree come on top of a netlist: the high end of a band."""


def as_json(found: Mapping[str, Sequence[Line]], about: Mapping[str, Any]) -> dict[str, Any]:
    """The report: what was run, and every line by library."""
    return {**about, "libraries": {name: [asdict(one) for one in of] for name, of in found.items()}}


def _cell(value: Any) -> Any:
    return f"{value:.5g}" if isinstance(value, float) else "" if value is None else value


def write_csv(found: Mapping[str, Sequence[Line]], path: Path) -> None:
    """One line a block, part and library."""
    text = io.StringIO()
    names = [field.name for field in fields(Line)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for of in found.values():
        writer.writerows({k: _cell(v) for k, v in asdict(one).items()} for one in of)
    write_atomically(path, text.getvalue().encode())


def _joules(value: float | None) -> str:
    if value is None:
        return "-"
    return format_band(Band(value, value, value)).split(" (")[0]


def printed(name: str, found: Sequence[Line]) -> Table:
    """The lines of a library for a person."""
    first = found[0]
    table = Table(title=f"{name}, {first.node_nm:g} nm, {first.supply_v:g} V")
    for title in ("part", "an action", "netlist", "table", "ratio", "verdict"):
        table.add_column(title, overflow="fold")
    for one in found:
        ratio = "-" if one.ratio is None else f"{one.ratio:.2f}"
        shown = (one.name, one.action, _joules(one.energy_j), _joules(one.table_j), ratio)
        table.add_row(*shown, one.verdict)
    return table


MEASURED = {
    "adder": ("accumulator adder",),
    "register": ("accumulator registers, changes",),
    "multiplier": ("scale multiplier and mux",),
    "comparator": ("threshold comparator", "folded comparator"),
    "register_clock": ("clock of a register bit",),
    "control": ("controller",),
}
"""Row of logic to the lines that measure it alone; memories keep their figures."""


def _measured(row: Row, found: Sequence[Line], library: CellLibrary) -> Row | None:
    """``row`` with the figures of its lines; None where none was measured."""
    names = MEASURED.get(row.component, ())
    ratios = {one.name: one.ratio for one in found if one.name in names and one.ratio}
    if not ratios:
        return None
    values = [row.energy_j * ratio for ratio in ratios.values()]
    told = ", ".join(f"{name} x{ratio:.3g}" for name, ratio in ratios.items())
    note = (
        f"Measured with simulated activity, brought from {library.node_nm:g} nm by the fit of "
        f"Stillmaker and Baas; against the earlier figure: {told}. The value is the first of them; "
        f"high is {UNSEEN:g} times the highest, for wires, glitches and the clock's tree."
    )
    return row.with_band(
        Band(values[0], min(values), UNSEEN * max(values)),
        source=f"netlist on {library.name} at {library.supply_v:g} V; {found[0].tools}",
        label=Label.RUN,
        note=note,
    )


def recalibrated(
    table: TechnologyTable, found: Sequence[Line], library: CellLibrary
) -> TechnologyTable:
    """``table`` with the rows of logic as measured, at each row's own node and supply.

    Raises:
        UserError: nothing of what was measured has a row of its own.
    """
    rows = [_measured(row, found, library) or row for row in table.rows]
    if rows == list(table.rows):
        raise UserError("recalibrate: no measured block has a row of its own; measure more blocks")
    return table.model_copy(update={"name": f"{table.name}-{library.name}", "rows": tuple(rows)})


def write_table(table: TechnologyTable, path: Path) -> None:
    """Write a technology table, and load it again.

    Raises:
        UserError: the file is not named .yaml.
    """
    if path.suffix not in {".yaml", ".yml"}:
        raise UserError(f"recalibrate: {path.name!r} must end in .yaml; rename it")
    document = table.model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(document, sort_keys=False, width=100)
    write_atomically(path, f"# SPDX-License-Identifier: Apache-2.0\n{text}".encode())
    load_table(path)
