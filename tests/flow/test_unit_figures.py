# SPDX-License-Identifier: Apache-2.0
"""Units: what they are, what is measured of them, what leaves a baseline, and the page."""

import json
from dataclasses import replace

import pytest

from networks import random_network
from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape
from scaledrop_flow.netlist.design import modules
from scaledrop_flow.units import measure as measuring
from scaledrop_flow.units.baseline import baseline_path, compare, read_baseline, write_baseline
from scaledrop_flow.units.catalogue import CONFIGURATIONS, units_of, wholes_of
from scaledrop_flow.units.history import append_history, read_history, write_page
from scaledrop_flow.units.measure import Cells, Figures, measure

FIGURES = Figures(Cells(400, 90, 2, 0), Cells(300, 80, 1, 4), (100.0, 130.0, 110.0))


@pytest.fixture(scope="module")
def units():
    return units_of(random_network(5, (9, 6, 3)), ArrayShape(8, 4))


def test_every_module_is_a_unit(units):
    names = set(units)
    assert {"accelerator.core.sums.crossbar", "control_port"} <= names
    assert "accelerator.core.walker" in names
    assert not {"", "accelerator", "accelerator.core.sums"} & names
    assert len(names) > 40


def test_a_unit_is_a_design_of_its_own(units):
    unit = units["accelerator.core.sums.drain"]
    (top,) = (one for one in modules(unit.verilog).values() if one.name == "top")
    assert {"clk", "rst"} < {port.name for port in top.ports}
    assert not top.instances


def test_every_port_of_the_registered_form_has_a_register(units):
    unit = units["accelerator.core.sums.drain"]
    inner = modules(unit.registered)["inner"]
    data = [port for port in inner.ports if port.name not in ("clk", "rst")]
    top = unit.registered[unit.registered.index("module top(") :]
    assert top.count("<=") == len(data)
    assert all(f".{port.name} (" in top for port in data)


def test_measured_once(units, tmp_path, monkeypatch):
    unit = units["accelerator.core.sums.guard"]
    first = measure(unit, tmp_path, seeds=(1,))
    assert first.ice40.lut4 > 5
    assert first.ecp5.flipflops > 5
    assert len(first.mhz) == 1
    assert 30 < first.mhz[0] < 600
    monkeypatch.setattr(measuring, "synthesize", None)
    assert measure(unit, tmp_path, seeds=(1,)) == first


def test_median_and_spread():
    assert (FIGURES.median_mhz, FIGURES.spread_mhz) == (110.0, 30.0)
    nothing = replace(FIGURES, mhz=())
    assert (nothing.median_mhz, nothing.spread_mhz) == (None, None)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ice40": Cells(408, 90, 2, 0)}, []),
        ({"ice40": Cells(409, 90, 2, 0)}, ["a ice40 lut4: 400 -> 409, 8 allowed"]),
        ({"ecp5": Cells(300, 71, 1, 4)}, ["a ecp5 flipflops: 80 -> 71, 8 allowed"]),
        ({"ecp5": Cells(300, 80, 2, 4)}, ["a ecp5 memories: 1 -> 2, 0 allowed"]),
        ({"mhz": (99.0,)}, []),
        ({"mhz": (98.9,)}, ["a ecp5 MHz: 110 -> 98.9, 11 allowed"]),
        ({"mhz": ()}, []),
    ],
)
def test_what_is_beyond_its_tolerance(changed, told):
    now = {"a": replace(FIGURES, **changed), "new": FIGURES}
    assert [str(one) for one in compare({"a": FIGURES, "old": FIGURES}, now)] == told


def test_large_units_have_a_share():
    was = {"a": replace(FIGURES, ice40=Cells(5000, 0, 0, 0))}
    assert not compare(was, {"a": replace(FIGURES, ice40=Cells(5100, 0, 0, 0))})
    assert compare(was, {"a": replace(FIGURES, ice40=Cells(5101, 0, 0, 0))})


def test_a_baseline_is_read_back(tmp_path):
    path = baseline_path(tmp_path)
    assert path.name.startswith("yosys-")
    write_baseline(path, {"a": FIGURES}, "0.1")
    assert read_baseline(path) == {"a": FIGURES}
    write_baseline(path, {"b": FIGURES}, "0.2")
    assert read_baseline(path) == {"a": FIGURES, "b": FIGURES}
    values = json.loads(path.read_text())
    assert values["label"] == "0.2"
    path.write_text(json.dumps({**values, "format": 2}))
    with pytest.raises(UserError, match=r"is not of format 1; record it again$"):
        read_baseline(path)
    path.write_text("{")
    with pytest.raises(UserError, match=r"cannot be read .*; record it again$"):
        read_baseline(path)
    with pytest.raises(UserError, match=r"^baseline: no .*; record one with scaledrop units"):
        read_baseline(tmp_path / "none.json")


def test_history_and_page(tmp_path):
    path = tmp_path / "units.csv"
    append_history(path, "first", {"a": FIGURES, "b": replace(FIGURES, mhz=())})
    faster = replace(FIGURES, mhz=(140.0,), ecp5=Cells(310, 80, 1, 4))
    append_history(path, "second", {"a": FIGURES})
    rows = append_history(path, "second", {"a": faster})
    assert rows == read_history(path)
    assert [(row["label"], row["unit"]) for row in rows] == [
        ("first", "a"),
        ("first", "b"),
        ("second", "a"),
    ]
    write_page(tmp_path / "units.md", rows, "About.")
    page = (tmp_path / "units.md").read_text()
    assert "| `a` | 400 | 90 | 2 | 0 | 310 (300) | 80 | 1 | 4 | 140.0 (110.0) ± 0.0 |" in page
    assert "| first | 2 | `a` 110.0 MHz |" in page
    path.write_text("label,unit\n")
    with pytest.raises(UserError, match=r"has other columns than label, tools, .*; restore it$"):
        read_history(path)


def test_wrong_options(run):
    status, _, told = run("units", "--only", "nothing")
    assert status == 2
    assert told.startswith("scaledrop: only: no unit 'nothing'; one of accelerator.bits, acc")


def test_a_unit_has_all_that_it_instantiates(units):
    """Also an instance whose own name is escaped, which a blank ends."""
    inner = set(modules(units["accelerator.supervision"].verilog))
    assert any(name.startswith("scaledrop_axi.accelerator.supervision.limits") for name in inner)


def test_named_configurations_are_units_as_wholes():
    wholes = wholes_of(ArrayShape(8, 4), "folded")
    assert list(wholes) == [f"config.{name}" for name in CONFIGURATIONS]
    for name, unit in wholes.items():
        assert unit.name == name and f"\n{unit.verilog}".count("\nmodule top(") == 1
        assert "scaledrop_axi.accelerator.core.walker" in unit.verilog
