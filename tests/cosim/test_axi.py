# SPDX-License-Identifier: Apache-2.0
"""Buses and driver under cocotb and Verilator: the same code that talks to a board."""

import pytest
from amaranth.back import verilog
from axi_top import AxiTop

from scaledrop.errors import UserError
from scaledrop_cosim.axi import Referee
from scaledrop_cosim.axi.build import build_top, run_bench

TOP = "axi_top"
SCENES = 9


@pytest.mark.parametrize("chance", [0.0, 0.5])
def test_the_driver_on_the_buses(chance, tmp_path, cache):
    text = verilog.convert(AxiTop(), name=TOP, emit_src=False, strip_internal_attrs=True)
    simulation = build_top(text, TOP, cache)
    settings = {"AXI_CHANCE": str(chance)}
    run_bench(simulation, TOP, "axi_bench", tmp_path, settings)
    assert (tmp_path / "results.xml").read_text().count("<testcase") == SCENES


@pytest.mark.parametrize(
    ("cycles", "breach"),
    [
        ([[1, 0, 5], [1, 1, 5], [0, 0], [1, 1, 6]], None),
        ([[1, 0, 5], [0, 1]], "x: valid fell before ready"),
        ([[1, 0, 5], [1, 1, 6]], "x: the payload changed before ready"),
        ([[1, 1, 5], [1, 0, 6], [1, 0, 6], [1, 0, 7]], "x: the payload changed before ready"),
    ],
)
def test_the_referee_sees_what_an_offer_may_not_do(cycles, breach):
    referee = Referee(None)
    for cycle in cycles:
        referee.judge("x", cycle)
    assert referee.breaches == ([breach] if breach else [])


@pytest.mark.parametrize("missing", ["a_aw", "a_w", "a_ar"])
def test_the_referee_sees_an_answer_to_nothing(missing):
    referee, channels = Referee(None), ("a_aw", "a_w", "a_ar", "a_b", "a_r")
    for name in channels:
        referee.judge(name, [1, 1, 0])
    referee.answers("a")
    assert referee.breaches == []
    for name in channels:
        if name != missing:
            referee.judge(name, [1, 0, 0] if name in ("a_b", "a_r") else [1, 1, 0])
    referee.answers("a")
    response = "r" if missing == "a_ar" else "b"
    assert referee.breaches == [f"a_{response}: a response without its request"]


def test_a_design_that_is_none_is_refused(tmp_path):
    with pytest.raises(UserError, match="verilator failed: "):
        build_top("module axi_top(input clk; endmodule", TOP, tmp_path)
