# SPDX-License-Identifier: Apache-2.0
"""What the comparison of netlist and table leaves behind, and the command that makes it."""

import csv
import os
from dataclasses import replace
from pathlib import Path

import pytest
from netlist_cells import LIBERTY

from scaledrop.energy import load_table
from scaledrop.errors import UserError
from scaledrop_flow.netlist.compare import Line, controller
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.report import as_json, recalibrated, write_csv, write_table
from scaledrop_flow.netlist.study import choose

LINE = Line(
    library="three",
    node_nm=65.0,
    supply_v=1.2,
    block="accumulator",
    name="accumulator adder",
    action="additions",
    actions=10,
    energy_j=3e-13,
    clock_j=0.0,
    table_j=2e-13,
    ratio=1.5,
    verdict="within a factor of two",
    cells=7,
    flipflops=0,
    area_um2=12.5,
    path_ns=None,
    leakage_w=1e-9,
    cycles=100,
    mismatches=0,
    tools="Yosys 1, OpenSTA 2",
)
LIBRARY = CellLibrary("three", (), 65.0, 1.2, 1e-9)


def test_csv_has_a_line_each(tmp_path):
    write_csv({"x": [LINE], "y": [replace(LINE, ratio=None)]}, tmp_path / "p.csv")
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    assert [row["ratio"] for row in rows] == ["1.5", ""]
    assert rows[0]["energy_j"] == "3e-13" and rows[0]["path_ns"] == ""


def test_json_keeps_every_figure():
    found = as_json({"x": [LINE]}, {"images": 2})
    assert found["images"] == 2 and found["libraries"]["x"][0] == vars(LINE)


def test_recalibration_changes_only_what_was_measured(tmp_path):
    table = load_table("mtj45")
    folded = replace(LINE, name="folded comparator", ratio=0.5)
    threshold = replace(LINE, name="threshold comparator", ratio=3.0)
    control = replace(LINE, name="scale memory control and SECDED", ratio=9.0)
    new = recalibrated(table, [LINE, threshold, folded, control], LIBRARY)
    write_table(new, tmp_path / "new.yaml")
    loaded = load_table(tmp_path / "new.yaml")
    assert loaded == new and loaded.name == "mtj45-three"
    pairs = zip(loaded.rows, table.rows, strict=True)
    changed = {new.component for new, old in pairs if new != old}
    assert changed == {"adder", "comparator"}
    adder, before = loaded.row("adder"), table.row("adder")
    assert (adder.node_nm, adder.supply_v, adder.bits) == (45, 0.9, 1)
    assert adder.energy_j == pytest.approx(1.5 * before.energy_j, rel=1e-12, abs=0)
    assert adder.high_j == pytest.approx(3.0 * before.energy_j, rel=1e-12, abs=0)
    assert adder.scaling == before.scaling
    assert adder.label == "RUN" and "three at 1.2 V; Yosys 1, OpenSTA 2" in adder.source
    comparator, before = loaded.row("comparator"), table.row("comparator")
    figures = (comparator.energy_j, comparator.low_j, comparator.high_j)
    assert figures == pytest.approx([before.energy_j * by for by in (3, 0.5, 6)], rel=1e-12, abs=0)


def test_recalibration_needs_something_measured(tmp_path):
    table = load_table("mtj45")
    with pytest.raises(UserError) as caught:
        recalibrated(table, [replace(LINE, name="walker", ratio=None)], LIBRARY)
    message = "recalibrate: no measured block has a row of its own; measure more blocks"
    assert str(caught.value) == message
    with pytest.raises(UserError) as caught:
        write_table(table, tmp_path / "new.txt")
    assert str(caught.value) == "recalibrate: 'new.txt' must end in .yaml; rename it"


def test_the_controller_is_the_sum_of_its_parts():
    names = ("walker", "sequencer", "guard", "dropout controller")
    parts = [replace(LINE, block=name, path_ns=at) for at, name in enumerate(names)]
    assert controller(parts[:3]) is None
    whole = controller([LINE, *parts])
    assert (whole.name, whole.cells, whole.path_ns) == ("controller", 28, 3)
    assert whole.energy_j == pytest.approx(4 * LINE.energy_j, rel=1e-12, abs=0)
    assert whole.ratio == pytest.approx(1.5, rel=1e-12)


def test_unknown_block():
    with pytest.raises(UserError, match=r"^block: 'adder' is not known; choose of accumulator, "):
        choose(["adder"])


def test_the_command_without_a_library(run, monkeypatch):
    monkeypatch.delenv("SCALEDROP_PDK", raising=False)
    status, _, err = run("energy", "netlist")
    assert status == 2 and err.startswith(
        "scaledrop: liberty: no cell library; give its Liberty files"
    )


def test_recalibration_takes_one_library(run, monkeypatch, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.lib").write_text(LIBERTY)
    monkeypatch.setenv("SCALEDROP_PDK", str(tmp_path))
    status, _, err = run("energy", "netlist", "--recalibrate", "new.yaml")
    message = "scaledrop: recalibrate: needs one library, not a, b; use --liberty\n"
    assert (status, err) == (2, message)


@pytest.mark.skipif(not os.environ.get("SCALEDROP_PDK"), reason="data: SCALEDROP_PDK is not set")
def test_a_block_on_a_real_library(run):
    arguments = ("--config", "digits", "--images", 1, "--passes", 2, "--cache", "cache")
    block = ("--block", "dropout controller")
    status, _, err = run("energy", "netlist", *block, *arguments, "--out", "netlist")
    assert (status, err) == (0, "")
    rows = list(csv.DictReader(Path("netlist/netlist-power.csv").read_text().splitlines()))
    assert {row["name"] for row in rows} == {"dropout controller", "clock of a register bit"}
    assert all(row["mismatches"] == "0" and float(row["energy_j"]) > 0 for row in rows)
