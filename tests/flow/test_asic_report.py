# SPDX-License-Identifier: Apache-2.0
"""Steps that are kept, blocks, the worst path in our names, and what is said of a missed clock."""

import pytest

from scaledrop_flow.asic.area import BlockRow
from scaledrop_flow.asic.blocks import block_of, block_paths
from scaledrop_flow.asic.flat import Flat
from scaledrop_flow.asic.folder import Folder
from scaledrop_flow.asic.result import advice, block_table
from scaledrop_flow.asic.steps import Steps
from scaledrop_flow.asic.timing import Timing, worst_path
from scaledrop_flow.netlist.trim import only_cells

PATH = """\
Startpoint: g12 (rising edge-triggered flip-flop clocked by clk)
Endpoint: p3[1] (output port clocked by clk)
   0.5000    0.5000 ^ g12/Q (DFF)
   0.2500    0.7500 v g7/Y (NAND)
   0.0000    0.7500 v p3[1] (out)
"""
NAMES = {"g12": "core.walker.layer[0]", "g7": "core.walker: NAND", "p3": "results__valid"}


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("", ""),
        ("core", "core"),
        ("core.walker", "core.walker"),
        ("core.walker.commands", "core.walker"),
        ("core.outputs.datapath", "core.outputs.datapath"),
        ("core.outputs.datapath.scale.memory.encoder", "core.outputs.datapath.scale"),
        ("supervision.monitors.sticky", "supervision"),
    ],
)
def test_the_block_of_a_path(path, block):
    assert block_of(path) == block


def test_blocks_of_a_design():
    paths = ["", "core", "core.walker.split", "core.walker", "counters"]
    assert block_paths(paths) == ["", "core", "core.walker", "counters"]


def test_a_step_is_kept_until_something_changes(tmp_path):
    told, calls = [], []
    steps, made, source = Steps(Folder(tmp_path), told.append), tmp_path / "made", tmp_path / "in"
    source.write_text("a")

    def go(value):
        def act():
            calls.append(value)
            made.write_text(str(value))

        steps.run("map", {"value": value}, [source], lambda: [made], act)

    go(1)
    go(1)
    assert calls == [1] and told == ["map ...", "map: kept"]
    go(2)
    source.write_text("b")
    go(2)
    made.write_text("spoilt")
    go(2)
    made.unlink()
    go(2)
    assert calls == [1, 2, 2, 2, 2] and made.read_text() == "2"


def test_a_step_that_failed_is_done_again(tmp_path):
    steps, made = Steps(Folder(tmp_path), lambda text: None), tmp_path / "made"
    made.write_text("old")
    steps.run("map", {"value": 1}, [], lambda: [made], lambda: None)
    with pytest.raises(ZeroDivisionError):
        steps.run("map", {"value": 2}, [], lambda: [made], lambda: 1 / 0)
    calls = []
    steps.run("map", {"value": 1}, [], lambda: [made], lambda: calls.append(1))
    assert calls == [1]


def timing(path_ns, clock_ns=2.0):
    return Timing("tool", "note", path_ns, "a", "b", clock_ns, "")


def test_the_worst_path_in_our_names():
    flat = Flat(None, {}, NAMES, None)
    found = worst_path(flat, 0.75e-9, PATH, "OpenSTA 9", 2.0)
    assert (found.start, found.end) == ("core.walker.layer[0]", "results__valid[1]")
    assert found.path_ns == pytest.approx(0.75) and found.slack_ns == pytest.approx(1.25)
    assert found.fmax_mhz == pytest.approx(1333.33, abs=0.01) and found.met
    assert "core.walker.layer[0]/Q (DFF)" in found.report
    assert "core.walker: NAND/Y (NAND)" in found.report
    assert found.values()["slack_ns"] == 1.25


def test_without_a_path_nothing_is_said_of_the_clock():
    found = worst_path(Flat(None, {}, NAMES, None), None, "", "tool", 2.0)
    assert (found.path_ns, found.slack_ns, found.fmax_mhz, found.met) == (None,) * 4
    assert found.start == found.end == ""


def test_a_missed_clock():
    assert advice(timing(1.5)) is None and advice(timing(None)) is None
    assert advice(timing(2.5)) == (
        "clock_ns: the worst path takes 2.50 ns, 0.50 ns more than 2; ask for --clock-ns 2.51, "
        "or take fewer --lanes or --datapath folded"
    )
    assert timing(2.5).met is False and timing(2.0).met is True and timing(None).met is None


def test_the_table_of_blocks():
    rows = [
        BlockRow("core.head", 1200, 30, 9000.5, 0.75, 2e-3, 1e-6),
        BlockRow("", 4, 0, 1.0, 0.25),
    ]
    lines = block_table(rows).splitlines()
    assert lines[1].split() == ["core.head", "1,200", "30", "9,000.5", "75.0%", "2", "mW"]
    assert lines[2].split() == ["scaledrop", "4", "0", "1.0", "25.0%"]


def test_a_library_with_some_of_its_cells():
    text = 'library (x) {\n  cell ("A") {\n a {b : 1;}\n  }\n  cell (B) {\n  }\n  wire {}\n}\n'
    assert only_cells(text, {"A", "B"}) == text
    assert only_cells(text, {"B"}) == "library (x) {\n\n  cell (B) {\n  }\n  wire {}\n}\n"
