# SPDX-License-Identifier: Apache-2.0
"""Whether every row of a technology table prices something."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from scaledrop.energy.rules import RULES
from scaledrop.energy.standing import STANDING
from scaledrop.energy.table import TechnologyTable
from scaledrop.errors import UserError

__all__ = ["check_components"]

CONVERTER = re.compile(r"adc_[1-9]\d*b")
ACTIONS = frozenset(rule.row for rule in RULES) - {"adc"}
AREAS = frozenset(one.row for one in STANDING)
LEAKS = frozenset(one.row for one in STANDING if one.leaks)


def _check(table: str, kind: str, names: Iterable[str], known: frozenset[str]) -> None:
    for name in names:
        if name in known or (kind == "rows" and CONVERTER.fullmatch(name)):
            continue
        near = difflib.get_close_matches(name, known, 1)
        remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        raise UserError(f"table {table}: unknown component {name!r} in {kind}; {remedy}")


def check_components(table: TechnologyTable) -> None:
    """Refuse a table with a row that nothing uses: a misspelt component would change no figure.

    Raises:
        UserError: names the component.
    """
    _check(table.name, "rows", (row.component for row in table.rows), ACTIONS)
    _check(table.name, "leakage", (row.component for row in table.leakage), LEAKS)
    _check(table.name, "areas", (row.component for row in table.areas), AREAS)
