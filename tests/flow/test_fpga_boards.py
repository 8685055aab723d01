# SPDX-License-Identifier: Apache-2.0
"""Boards: their pins and clocks, real bitstreams of a small design, and what devices hold."""

import json
from dataclasses import astuple

import pytest
from fpga_fakes import Echo

from scaledrop.errors import UserError
from scaledrop_flow.fpga.boards import BOARDS, named_board
from scaledrop_flow.fpga.build import Listener, implement, map_plan
from scaledrop_flow.fpga.plan import make_plan
from scaledrop_flow.fpga.top import BoardTop
from scaledrop_flow.fpga.usage import BELS
from scaledrop_flow.synthesis.tools import has_tool

TOOLS = ("yosys", "nextpnr-ecp5", "nextpnr-ice40", "ecppack", "icepack")
needs_tools = pytest.mark.skipif(
    not all(map(has_tool, TOOLS)), reason="no FPGA tools: pip install scaledrop[fpga]"
)


def test_loops_of_ring_oscillators_are_let_through():
    """And a loop in any other design is an error."""
    board = BOARDS["icebreaker"]
    for loops in (False, True):
        made = make_plan(board, BoardTop(board, Echo(), board.clock_hz), loops=loops)
        assert ("--ignore-loops" in made.commands["nextpnr-ice40"]) == loops


def plan(name, clock_hz=None, multipliers=True):
    board = BOARDS[name]
    return make_plan(board, BoardTop(board, Echo(), clock_hz or board.clock_hz), multipliers)


def test_an_unknown_board():
    with pytest.raises(UserError) as caught:
        named_board("ulx3")
    assert str(caught.value) == (
        "board: 'ulx3' is not known; choose one of ulx3s, orangecrab, icebreaker "
        "(did you mean 'ulx3s'?)"
    )


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "ulx3s",
            (
                'LOCATE COMP "uart_0__rx__io" SITE "M1";',
                'LOCATE COMP "uart_0__tx__io" SITE "L4";',
                'LOCATE COMP "button_fire_0__io" SITE "R1";',
                'FREQUENCY PORT "clk25_0__io" 25000000.0 HZ;',
            ),
        ),
        (
            "orangecrab",
            (
                'LOCATE COMP "uart_0__rx__io" SITE "N17";',
                'LOCATE COMP "uart_0__tx__io" SITE "M18";',
                'FREQUENCY PORT "clk_0__io" 48000000.0 HZ;',
            ),
        ),
        (
            "icebreaker",
            (
                "set_io uart_0__rx__io 6",
                "set_io uart_0__tx__io 9",
                "set_frequency clk12_0__io 12.0",
            ),
        ),
    ],
)
def test_pins_and_clock(name, lines):
    made = plan(name)
    assert set(lines) <= set(made.files[made.constraints].splitlines())
    assert made.files[made.constraints] == plan(name).files[made.constraints]
    assert made.verilog == plan(name).verilog


def test_a_pll_where_the_clock_is_another():
    assert "EHXPLLL" in plan("orangecrab").verilog
    assert "EHXPLLL" not in plan("orangecrab", 48_000_000).verilog
    assert "EHXPLLL" not in plan("ulx3s").verilog


@pytest.mark.parametrize(
    ("name", "line", "without"),
    [
        ("ulx3s", "synth_ecp5 -nowidelut -top top", "synth_ecp5 -nowidelut -nodsp -top top"),
        (
            "icebreaker",
            "synth_ice40 -dsp -top top",
            "synth_ice40 -top top",
        ),
    ],
)
def test_multipliers_of_the_device_or_of_tables(name, line, without):
    texts = [plan(name, multipliers=there).files["top.ys"] for there in (True, False)]
    for text, wanted in zip(texts, (line, without), strict=True):
        assert wanted in [" ".join(one.split()) for one in text.splitlines()]


@needs_tools
@pytest.mark.parametrize(
    ("name", "magic", "at_least"),
    [("icebreaker", bytes.fromhex("7eaa997e"), 30), ("orangecrab", b"LFE5U-25F", 100)],
)
def test_a_real_bitstream(name, magic, at_least, tmp_path):
    board = BOARDS[name]
    made = plan(name)
    mapped = map_plan(lambda there: made, tmp_path, Listener())
    assert not mapped.usage.over
    assert mapped.usage.of("flip-flops").used >= 22
    assert next(use.name for use in mapped.blocks) == "serial link, source of bits"
    done = implement(mapped, tmp_path, (1, 2), board.clock_hz / 1e6, Listener())
    assert magic in done.bitstream[:200]
    assert min(one.mhz for one in done.routes.seeds) > at_least
    assert done.routes.closed
    ends = (done.routes.best.path.start, done.routes.best.path.end)
    assert all(end.startswith("count[") for end in ends), ends
    best = (done.routes.best.seed,)
    again = implement(mapped, tmp_path, best, board.clock_hz / 1e6, Listener())
    assert again.bitstream == done.bitstream
    report = json.loads((tmp_path / "report.json").read_text())["utilization"]
    capacity = [value for value in astuple(board.capacity) if isinstance(value, int)]
    if board.family == "ice40":
        del capacity[1]
    assert [report[bel]["available"] for bel in BELS[board.family].values()] == capacity
