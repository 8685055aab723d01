# SPDX-License-Identifier: Apache-2.0
"""Sensitivity: each row's own share, the widest first."""

from __future__ import annotations

import pytest

from datapath import SIZES
from scaledrop.energy import EVENTS, Machine, estimate, load_table, sensitivity

RUN = {"l": {**dict.fromkeys(EVENTS, 0), "conversions": 10, "row_drives": 7, "cycles": 100}}
MACHINE = Machine({"l": SIZES}, 1)


def test_a_swing_is_the_band_of_what_the_row_prices() -> None:
    table = load_table("mtj45")
    whole = estimate(RUN, MACHINE, table, 1)
    swings = {one.name: one for one in sensitivity(RUN, MACHINE, table, 1)}
    cells = next(one.joules for one in whole.components if one.name == "crossbar cells")
    assert swings["cell_read"].low - whole.joules.value == pytest.approx(
        cells.low - cells.value, rel=1e-6, abs=0
    )
    assert swings["cell_read"].high - whole.joules.value == pytest.approx(
        cells.high - cells.value, rel=1e-6, abs=0
    )
    assert swings["spin_write"].low == swings["spin_write"].high == whole.joules.value
    leaked = whole.components[-1].joules
    parts = [one for name, one in swings.items() if name.endswith(" leakage")]
    assert sum(one.high - whole.joules.value for one in parts) == pytest.approx(
        leaked.high - leaked.value, rel=1e-6, abs=0
    )


def test_the_widest_comes_first_and_every_component_once() -> None:
    table = load_table("mtj45")
    swings = sensitivity(RUN, MACHINE, table, 1)
    widths = [one.high - one.low for one in swings]
    assert widths == sorted(widths, reverse=True)
    names = [one.name for one in swings]
    energies = {row.component for row in table.rows}
    assert sorted(names) == sorted(
        [*energies, *(f"{row.component} leakage" for row in table.leakage)]
    )
