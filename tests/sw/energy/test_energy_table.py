# SPDX-License-Identifier: Apache-2.0
"""Technology tables: the one that ships is sound, and a broken one is refused by name."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from scaledrop.energy import Band, TechnologyTable, format_band, load_table
from scaledrop.energy.band import Label
from scaledrop.errors import UserError

GOOD: dict[str, Any] = {
    "component": "adder",
    "node_nm": 45,
    "supply_v": 0.9,
    "bits": 1,
    "energy_j": 2e-15,
    "low_j": 1e-15,
    "high_j": 4e-15,
    "source": "somewhere",
    "label": "S",
}
SAR = {"a": 2.1843, "b": 11.931, "c": 0.097754, "k": -2.296}
ANDRULIS_45NM_PJ = {4: 1.75, 5: 1.78, 6: 2.02, 7: 2.49, 8: 3.25}


def write(folder: Path, *rows: dict[str, Any], **top: Any) -> Path:
    path = folder / "t.yaml"
    path.write_text(yaml.safe_dump({"name": "t", "rows": list(rows), **top}))
    return path


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in GOOD.items() if k != key}


def sar_joules(bits: int, ohms: float | None) -> float:
    """NeuroSim V1.4 SarADC at 45 nm HP; without the array's current where ``ohms`` is None."""
    watts = (SAR["a"] * bits + SAR["b"]) * 1e-6
    watts += SAR["c"] * math.exp(SAR["k"] * math.log10(ohms)) if ohms else 0.0
    return watts * (bits + 1) * 1e-9


@pytest.fixture(scope="module")
def mtj45() -> TechnologyTable:
    return load_table("mtj45")


def test_every_row_has_a_source_a_label_and_an_ordered_band(mtj45: TechnologyTable) -> None:
    assert [len(rows) for rows in (mtj45.rows, mtj45.leakage, mtj45.areas)] == [36, 6, 10]
    for row in (*mtj45.rows, *mtj45.leakage, *mtj45.areas):
        value, low, high = row.figures
        assert row.source and row.note and row.label in Label, row.component
        assert 0 < low < value < high, row.component


def test_what_is_remembered_is_called_unverified(mtj45: TechnologyTable) -> None:
    everything = (*mtj45.rows, *mtj45.leakage, *mtj45.areas)
    remembered = [row for row in everything if row.label is Label.MEM or "remember" in row.source]
    assert [row.component for row in remembered] == [
        *("row_driver", "interface"),
        *("row_driver", "control", "spin_unit"),
    ]
    assert all(row.note.startswith("Unverified.") for row in remembered)


@pytest.mark.parametrize("bits", ANDRULIS_45NM_PJ)
def test_converters_follow_from_the_two_published_fits(mtj45: TechnologyTable, bits: int) -> None:
    row = mtj45.row(f"adc_{bits}b")
    assert row.bits == bits
    assert row.high_j == pytest.approx(ANDRULIS_45NM_PJ[bits] * 1e-12, rel=1e-9, abs=0)
    assert row.low_j == pytest.approx(sar_joules(bits, None), rel=4e-3, abs=0)
    assert row.energy_j == pytest.approx(math.sqrt(row.low_j * row.high_j), rel=4e-3, abs=0)


def test_the_array_current_in_the_sar_fit_is_what_the_note_says(mtj45: TechnologyTable) -> None:
    with_array = sar_joules(7, 10e3)
    assert with_array == pytest.approx(0.298e-12, rel=2e-3, abs=0)
    assert with_array - sar_joules(7, None) == pytest.approx(0.080e-12, rel=5e-3, abs=0)
    assert "0.298 pJ" in mtj45.row("adc_7b").note and "0.08 pJ" in mtj45.row("adc_7b").note
    rounded = [sar_joules(bits, 10e3) * 1e15 for bits in (4, 5, 6, 8)]
    assert rounded == pytest.approx([154, 197, 246, 355], abs=0.6)


def test_calculated_rows_follow_from_their_notes(mtj45: TechnologyTable) -> None:
    def figures(name: str) -> tuple[float, float, float]:
        row = mtj45.row(name)
        return row.energy_j, row.low_j, row.high_j

    cell = [0.2**2 / ohms * 10e-9 for ohms in (1e6, 5e6, 10e3)]
    assert figures("cell_read") == pytest.approx(cell, rel=1e-9, abs=0)
    write_j = [0.9**2 * 0.75e-9 / 776 * 2.05, 0.1e-12, 0.546**2 * 5e-9 / 776 * 2.05]
    assert figures("spin_write") == pytest.approx(write_j, rel=1e-3, abs=0)
    reset_j = [j * over**2 for j, over in zip(write_j, (1.25, 1.2, 1.3), strict=True)]
    assert figures("spin_reset") == pytest.approx(reset_j, rel=1e-3, abs=0)
    shift_add = 0.021e-12 / 16 * 0.8443 / 0.5412
    assert figures("adder") == pytest.approx(
        [0.1e-12 / 32, shift_add, 0.21e-12 / 32], rel=2e-3, abs=0
    )
    bit_product = [3.1e-12 / 1024, 3.1e-12 / 2048, 12.68e-12 / 1024]
    assert figures("multiplier") == pytest.approx(bit_product, rel=1e-3, abs=0)
    compare = [0.0295e-12 / 32, 0.0295e-12 / 64, 0.21e-12 / 32]
    assert figures("comparator") == pytest.approx(compare, rel=3e-3, abs=0)
    assert figures("row_driver") == pytest.approx(
        [math.sqrt(20e-15 * 60e-15), 20e-15, 60e-15], rel=0.02, abs=0
    )
    assert figures("spin_read") == pytest.approx([48e-15, 11e-15, 48e-15 * 1.7], rel=5e-3, abs=0)
    assert figures("register") == pytest.approx([9e-15, 4.5e-15, 18e-15], rel=1e-9, abs=0)


def test_exponents_without_a_dot_are_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.write_text(path.read_text().replace("2.0e-15", "2e-15"))
    assert load_table(path).row("adder").energy_j == 2e-15


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {**GOOD, "colour": "red"},
            "rows[0] (adder) colour: unknown key 'colour' with value 'red'; "
            "remove it or correct its spelling",
        ),
        (
            {**without("energy_j"), "energy": 1e-15},
            "rows[0] (adder) energy: unknown key 'energy' with value 1e-15; "
            "write energy_j, in joules",
        ),
        (without("energy_j"), "rows[0] (adder) energy_j: missing; add it"),
        (without("source"), "rows[0] (adder) source: missing; add it"),
        (
            {**GOOD, "energy_j": "1 pJ"},
            "rows[0] (adder) energy_j: must be a number in the unit of its name, not '1 pJ'",
        ),
        ({**GOOD, "low_j": True}, "rows[0] (adder) low_j: must be a number, not True"),
        (
            {**GOOD, "energy_j": -1e-15},
            "rows[0] (adder): energy_j must be a finite number, 0 or more, not -1e-15",
        ),
        (
            {**GOOD, "high_j": float("nan")},
            "rows[0] (adder): high_j must be a finite number, 0 or more, not nan",
        ),
        (
            {**GOOD, "low_j": 3e-15},
            "rows[0] (adder): low_j 3e-15 is above energy_j 2e-15; swap them",
        ),
        (
            {**GOOD, "high_j": 1e-15},
            "rows[0] (adder): energy_j 2e-15 is above high_j 1e-15; swap them",
        ),
        (
            without("bits"),
            "rows[0] (adder): needs either bits or size, one of them; say what the energy is for",
        ),
        ({**GOOD, "bits": 0}, "rows[0] (adder): bits must be 1 or more, not 0"),
        ({**GOOD, "source": " "}, "rows[0] (adder): source is empty; name the paper, tool or"),
        (
            {**GOOD, "label": "SURE"},
            "rows[0] (adder) label: Input should be 'S', 'S-abs', 'S-sec', 'RUN', 'CALC' or 'MEM', "
            "not 'SURE'",
        ),
        ("adder", "rows[0]: Input should be a valid dictionary or instance of Row"),
    ],
)
def test_a_broken_row_is_refused_by_name(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_table(write(tmp_path, row))
    assert str(caught.value).startswith("table t.yaml: " + message)
    assert "\n" not in str(caught.value)


def test_a_broken_table_is_refused_by_name(tmp_path: Path) -> None:
    def refused(path: Path | str) -> str:
        with pytest.raises(UserError) as caught:
            load_table(path)
        return str(caught.value)

    assert refused(write(tmp_path, GOOD, GOOD)) == (
        "table t.yaml: component 'adder' appears 2 times; keep one row"
    )
    assert refused(write(tmp_path)) == "table t.yaml: rows is empty; give one row a component"
    assert refused(write(tmp_path, GOOD, node=45)) == (
        "table t.yaml: node: unknown key 'node' with value 45; remove it or correct its spelling"
    )
    assert refused("sram7") == "table: no file sram7.yaml; give a YAML file or one of: mtj45"
    (tmp_path / "t.yaml").write_text("- 1")
    assert refused(tmp_path / "t.yaml") == (
        "table t.yaml: must be a mapping with name and rows; see mtj45.yaml"
    )
    (tmp_path / "t.yaml").write_text("a: [")
    assert refused(tmp_path / "t.yaml").startswith("table t.yaml: is not YAML (while parsing")


def test_a_missing_component_is_named(mtj45: TechnologyTable) -> None:
    with pytest.raises(UserError) as caught:
        mtj45.row("flux_capacitor")
    assert str(caught.value) == ("table mtj45: has no component 'flux_capacitor'; add a row for it")


@pytest.mark.parametrize(
    ("band", "text"),
    [
        (Band(31.4e-9, 12e-9, 95.4e-9), "31 nJ (12 to 95 nJ)"),
        (Band(0.18e-6, 0.0451e-6, 1.234e-6), "180 nJ (45 nJ to 1.2 uJ)"),
        (Band(9.96e-13, 0.0996e-12, 1e-12), "1.0 pJ (100 fJ to 1.0 pJ)"),
        (Band(9.94e-13, 4e-15, 1e-12), "990 fJ (4.0 fJ to 1.0 pJ)"),
        (Band(0.0, 0.0, 0.0), "0.0 fJ (0.0 to 0.0 fJ)"),
        (Band(2.5, 1.0, 12.0), "2.5 J (1.0 to 12 J)"),
    ],
)
def test_two_digits_and_never_without_the_band(band: Band, text: str) -> None:
    assert format_band(band) == text


SIZED = {**GOOD, "component": "sram_read", "bits": 64}


def test_a_memory_between_two_capacities_is_interpolated(tmp_path: Path) -> None:
    rows = [
        {**SIZED, "capacity": 1024, "energy_j": 1e-12, "low_j": 0.5e-12, "high_j": 2e-12},
        {**SIZED, "capacity": 4096, "energy_j": 4e-12, "low_j": 2e-12, "high_j": 8e-12},
    ]
    table = load_table(write(tmp_path, *rows))
    for capacity, energy in ((None, 1e-12), (0, 1e-12), (700, 1e-12), (1024, 1e-12), (4096, 4e-12)):
        assert table.row("sram_read", capacity).energy_j == energy
    middle = table.row("sram_read", 2048)
    assert middle.figures == pytest.approx((2e-12, 1e-12, 4e-12), rel=1e-9, abs=0)
    assert middle.capacity == 2048
    assert table.row("sram_read", 10**7) == table.row("sram_read", 4096)


def test_rows_of_the_other_lists_are_refused_by_name_too(tmp_path: Path) -> None:
    area = {
        **{k: v for k, v in GOOD.items() if not k.endswith("_j")},
        **{"area_um2": -1.0, "low_um2": 0.0, "high_um2": 1.0},
    }
    leak = {
        **{k: v for k, v in GOOD.items() if not k.endswith("_j")},
        **{"power": 1.0, "low_w": 0.0, "high_w": 1.0},
    }
    for top, message in (
        (
            {"areas": [area]},
            "areas[0] (adder): area_um2 must be a finite number, 0 or more, not -1",
        ),
        (
            {"leakage": [leak]},
            "leakage[0] (adder) power: unknown key 'power' with value 1.0; write power_w, in watts",
        ),
        ({"clock_hz": 0}, "clock_hz must be a finite number above 0, not 0"),
    ):
        with pytest.raises(UserError) as caught:
            load_table(write(tmp_path, GOOD, **top))
        assert str(caught.value) == f"table t.yaml: {message}"
