# SPDX-License-Identifier: Apache-2.0
"""Scaling between nodes: the published factors, what scales, and where it ends."""

from __future__ import annotations

import pytest

from scaledrop.energy import Label, Scaling, load_table, retarget
from scaledrop.energy.scaling import (
    converter_energy_factor,
    logic_area_factor,
    logic_energy_factor,
)
from scaledrop.errors import UserError


@pytest.mark.parametrize(
    ("node", "supply", "factor"),
    [(28, 0.9, 0.507), (22, 0.8, 0.241), (65, 0.9, 1.25), (45, 0.9, 1)],
)
def test_logic_scales_as_published(node: float, supply: float, factor: float) -> None:
    ratio = logic_energy_factor(node, supply) / logic_energy_factor(45, 0.9)
    assert ratio == pytest.approx(factor, rel=3e-3)


def test_area_and_converters_scale_as_published() -> None:
    assert [logic_area_factor(node) for node in (45, 32, 20, 16)] == [1, 0.46, 0.21, 0.19]
    assert logic_area_factor(26) == pytest.approx(0.21 + (0.46 - 0.21) / 2)
    ratio = converter_energy_factor(28) / converter_energy_factor(45)
    assert ratio == pytest.approx(0.719 / 1.75, rel=3e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: logic_energy_factor(5, 0.9),
            "node_nm: 5 nm is outside of the scaling table, 7 to 130 nm; "
            "stay inside, or write a table for it",
        ),
        (
            lambda: logic_energy_factor(45, 2.5),
            "supply_v: 2.5 V is outside of the scaling table, 0.4 to 1.8 V; "
            "stay inside, or write a table for it",
        ),
        (
            lambda: logic_area_factor(65),
            "node_nm: 65 nm is outside of the scaling table, 16 to 45 nm; "
            "stay inside, or write a table for it",
        ),
        (
            lambda: converter_energy_factor(float("nan")),
            "node_nm: nan nm is outside of the scaling table, 7 to 130 nm; "
            "stay inside, or write a table for it",
        ),
    ],
)
def test_outside_of_the_table_is_refused(call: object, message: str) -> None:
    with pytest.raises(UserError) as caught:
        call()  # type: ignore[operator]
    assert str(caught.value) == message


def test_a_table_moves_row_by_row() -> None:
    table = load_table("mtj45")
    moved = retarget(table, 28, 0.9)
    assert moved.name == "mtj45 at 28 nm, 0.9 V"
    for old, new in zip(table.rows, moved.rows, strict=True):
        if old.scaling is Scaling.NONE:
            assert new == old
        else:
            assert new.energy_j < old.energy_j and new.node_nm == 28
            assert new.label in {Label.CALC, Label.MEM} and "scaled from" in new.source
    adder = moved.row("adder")
    assert adder.energy_j == pytest.approx(3.125e-15 * 0.5066, rel=1e-3, abs=0)
    assert adder.high_j / adder.low_j == pytest.approx(6.5625 / 2.05)
    assert moved.area("sram").area_um2 < table.area("sram").area_um2
    assert not retarget(table, 65, 1.0).areas
    with pytest.raises(UserError, match="node_nm: 3 nm is outside"):
        retarget(table, 3, 0.7)
