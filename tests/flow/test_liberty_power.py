# SPDX-License-Identifier: Apache-2.0
"""Prices of cells against sums written out, and the energy of a recording."""

from pathlib import Path

import pytest
from liberty_cells import HEADER, cell, liberty, output, pin, power, timing

from scaledrop_flow.liberty.analyse import analyse
from scaledrop_flow.liberty.power import CellPrice
from scaledrop_flow.netlist.activity import Activity
from scaledrop_flow.netlist.mapping import Cell, Mapped
from scaledrop_flow.netlist.power import energy

PJ, V2 = 1e-12, 1.2**2


def near(value):
    return pytest.approx(value, rel=1e-12, abs=0)


NETLIST = """\
module block (clk, a, y);
  input clk; input a; output y;
  wire n1; wire [3:0] p;
  DFF f (.CK(clk), .D(p[3]), .Q(n1));
  NAND g (.A(n1), .B(a), .Y(p[3]));
  INV i (.A(n1), .Y(y));
endmodule
"""


def prices(tmp_path, netlist=NETLIST, library=None):
    path, verilog = tmp_path / "planes.lib", tmp_path / "n.v"
    path.write_text(library or liberty())
    verilog.write_text(netlist)
    return analyse(verilog, [path]).prices


def test_a_gate_and_its_net(tmp_path):
    gate = prices(tmp_path)["g"]
    inside = ((0.2 + 0.4) / 2 + (0.6 + 0.8) / 2) / 2 * PJ
    net = (0.002 + 0.003) / 2 * PJ * V2 / 2
    assert [net for net, _ in gate.driven] == [("p", 3)]
    assert gate.driven[0][1] == near(inside + net)
    assert dict(gate.passive) == {("n1", 0): 0.0, ("a", 0): 0.0}
    assert gate.cycle_j == 0 and gate.leakage_w == near(4e-9)


def test_a_flip_flop(tmp_path):
    flop = prices(tmp_path)["f"]
    # Neither the condition in which the output changes, nor what has none, nor the ground.
    assert flop.cycle_j == near((0.01 + 0.03) * PJ)
    assert flop.passive == ((("p", 3), near((0.5 + 0.1) / 2 * PJ)),)
    load = 2 * (0.002 + 0.003) / 2 * PJ * V2 / 2
    assert flop.driven == ((("n1", 0), near(1.5 * PJ + load)),)


def test_a_reset_causes_no_change_of_a_flip_flop_and_supplies_add_up(tmp_path):
    body = pin("CK") + pin("R") + pin("D")
    q = output(
        "Q",
        "IQ",
        timing("CK", "non_unate", *[((0.1, 0, 0),) * 2] * 2, "rising_edge")
        + power(1, 3, "CK", supply="VDD")
        + power(10, 30, "CK", supply="VDDL")
        + power(7, 7, "CK", supply="VSS")
        + power(50, 50, "R"),
    )
    leak = "leakage_power () { value : 2; when : a; } leakage_power () { value : 6; when : b; }"
    library = HEADER + cell("FF", 1, body + q, leak) + "}\n"
    netlist = (
        "module block (clk, a, y); input clk; input a; output y;\n"
        "  FF f (.CK(clk), .R(a), .D(a), .Q(y));\nendmodule\n"
    )
    found = prices(tmp_path, netlist, library)["f"]
    assert found.driven[0][1] == near(22 * PJ)
    assert found.leakage_w == near(4e-9)


def test_energy_of_a_recording():
    cells = {
        "g0": Cell("DFF", ("n0", 0), True),
        "g1": Cell("NAND", ("p1", 2), False),
        "g2": Cell("INV", None, False),
    }
    mapped = Mapped((), cells, 0.0, Path(), None, "")
    told = {
        "g0": CellPrice(0.1, 5.0, ((("n0", 0), 3.0),), ((("d", 0), 0.5),)),
        "g1": CellPrice(0.2, 0.0, ((("p1", 2), 2.0),), ((("d", 0), 1.0), (("e", 0), 3.0))),
        "g2": CellPrice(0.3, 0.0, (), ()),
    }
    toggles = {("n0", 0): 4, ("p1", 2): 6, ("d", 0): 8, ("e", 0): 4}
    found = energy(mapped, told, Activity(10, toggles, 0))
    assert found.clock == 5.0 * 10
    assert found.registers == 3.0 * 4 + 0.5 * 8
    # Of the gate's twelve changes at its inputs six were followed by its output.
    assert found.logic == 2.0 * 6 + 0.5 * (8 * 1.0 + 4 * 3.0)
    assert found.total == found.clock + found.registers + found.logic
    assert found.leakage_w == near(0.6)
    # An output may change more often than its inputs were seen to: nothing is given back.
    busy = energy(mapped, told, Activity(10, toggles | {("p1", 2): 20}, 0))
    assert busy.logic == 40.0
