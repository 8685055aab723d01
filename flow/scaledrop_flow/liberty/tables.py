# SPDX-License-Identifier: Apache-2.0
"""Look-up tables of a library, many at once: bilinear, in a straight line beyond their edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop_flow.liberty.parse import Group

__all__ = ["LOAD", "SLEW", "Axes", "Bank", "numbers"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLEW, LOAD = "slew", "load"
_VARIABLES = {
    "input_net_transition": SLEW,
    "input_transition_time": SLEW,
    "constrained_pin_transition": SLEW,
    "total_output_net_capacitance": LOAD,
    "related_pin_transition": LOAD,
}
"""Variable of a template to the axis here. Of a constraint the second axis is the clock's slew."""

Axes = Mapping[str, Group]
"""Name of a template to it."""


def numbers(text: str) -> list[float]:
    """Numbers between commas, spaces or both."""
    return [float(one) for one in text.replace(",", " ").split()]


class Bank:
    """Tables over slew and load, kept as one array each of axes and values.

    A table of one axis is the same along the other; a scalar along both.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[list[float], list[float], Floats]] = []
        self._packed: tuple[Ints, Floats, Floats, Floats] | None = None

    def add(self, group: Group, templates: Axes) -> int:
        """Take a table in; its number.

        Args:
            group: With ``values``, and axes of its own or of its template.
            templates: Of the library.

        Raises:
            UserError: values and axes do not match, or a variable is not known.
        """
        template = templates.get(group.name)
        axes: dict[str, list[float]] = {}
        order = []
        for at in (1, 2):
            given = group.simple.get(f"index_{at}")
            kind = template.simple.get(f"variable_{at}") if template else None
            if template is not None and given is None:
                given = template.simple.get(f"index_{at}")
            if given is None or kind is None:
                continue
            if kind not in _VARIABLES:
                raise UserError(f"liberty: tables over {kind} are not known; use NLDM tables")
            axes[_VARIABLES[kind]] = numbers(given)
            order.append(_VARIABLES[kind])
        values = np.array(numbers(group.simple.get("values", "")))
        shape = [len(axes[one]) for one in order]
        if values.size != int(np.prod(shape)):
            raise UserError(
                f"liberty: a table {group.kind} ({group.name}) has {values.size} values for axes "
                f"of {shape}; the file is damaged"
            )
        table = values.reshape(shape) if order else values.reshape(())
        if order == [LOAD, SLEW]:
            table = table.T
        return self._keep(axes, order, table)

    def _keep(self, axes: Mapping[str, list[float]], order: Sequence[str], table: Floats) -> int:
        flat = [0.0, 1.0]
        if not order:
            table = np.full((2, 2), float(table))
        elif len(order) == 1:
            table = np.stack([table] * 2, axis=1 if order == [SLEW] else 0)
        rows, columns = axes.get(SLEW, flat), axes.get(LOAD, flat)
        if len(rows) == 1:
            rows, table = [rows[0], rows[0] + 1], np.concatenate([table] * 2, axis=0)
        if len(columns) == 1:
            columns, table = [columns[0], columns[0] + 1], np.concatenate([table] * 2, axis=1)
        self._rows.append((rows, columns, table))
        self._packed = None
        return len(self._rows) - 1

    def is_zero(self, table: int | None) -> bool:
        """Whether a table is zero everywhere, or there is none."""
        return table is None or not self._rows[table][2].any()

    def _pack(self) -> tuple[Ints, Floats, Floats, Floats]:
        sizes = np.array([[len(one[0]), len(one[1])] for one in self._rows])
        high, wide = sizes.max(axis=0)
        slews = np.full((len(sizes), high), np.inf)
        loads = np.full((len(sizes), wide), np.inf)
        values = np.zeros((len(sizes), high, wide))
        for at, (rows, columns, table) in enumerate(self._rows):
            slews[at, : len(rows)], loads[at, : len(columns)] = rows, columns
            values[at, : len(rows), : len(columns)] = table
        return sizes, slews, loads, values

    def look_up(self, tables: Ints, slew: Floats, load: Floats) -> Floats:
        """(N,) values of N tables at N points."""
        if self._packed is None:
            self._packed = self._pack()
        sizes, slews, loads, values = self._packed
        i, x = _place(slews, sizes[:, 0], tables, slew)
        j, y = _place(loads, sizes[:, 1], tables, load)
        low = values[tables, i, j] * (1 - y) + values[tables, i, j + 1] * y
        high = values[tables, i + 1, j] * (1 - y) + values[tables, i + 1, j + 1] * y
        result: Floats = low * (1 - x) + high * x
        return result


def _place(axes: Floats, sizes: Ints, tables: Ints, at: Floats) -> tuple[Ints, Floats]:
    """Left neighbour on each axis, and how far behind it in steps; outside 0 to 1 beyond it."""
    rows = axes[tables]
    left = np.clip((rows <= at[:, None]).sum(axis=1) - 1, 0, sizes[tables] - 2)
    each = np.arange(len(tables))
    start, stop = rows[each, left], rows[each, left + 1]
    return left, (at - start) / (stop - start)
