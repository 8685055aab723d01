# SPDX-License-Identifier: Apache-2.0
"""Arrivals, slews and setup of small netlists against sums written out."""

import numpy as np
import pytest
from liberty_cells import BUF, DFF, INV, SETUP, liberty

from scaledrop.errors import UserError
from scaledrop_flow.liberty.analyse import analyse
from scaledrop_flow.liberty.cells import read_cells
from scaledrop_flow.liberty.gates import read_netlist
from scaledrop_flow.liberty.graph import build_graph
from scaledrop_flow.liberty.timing import time_graph

LOAD = (0.002, 0.003)
RISE, FALL = 0, 1


def plane(values, slew, load):
    return values[0] + values[1] * slew + values[2] * load


def timed(tmp_path, body, wires=False, header="module block (clk, a, y);"):
    path = tmp_path / "planes.lib"
    path.write_text(liberty(wires))
    library = read_cells([path])
    text = f"{header}\n  input clk;\n  input a;\n  output y;\n{body}endmodule\n"
    graph = build_graph(read_netlist(text), library)
    return graph, time_graph(graph, library)


def test_inverters_between_flip_flops(tmp_path):
    body = """  wire n1; wire n2; wire n3;
  DFF f (.CK(clk), .D(n3), .Q(n1));
  INV i (.A(n1), .Y(n2));
  INV j (.A(n2), .Y(n3));
"""
    _, found = timed(tmp_path, body)
    needed = []
    for change in (RISE, FALL):
        # clk -> Q changes, then the opposite, then the same again, as each pin's load is.
        arrival = plane(DFF[0][change], 0, LOAD[change])
        slew = plane(DFF[1][change], 0, LOAD[change])
        for other in (1 - change, change):
            arrival += plane(INV[0][other], slew, LOAD[other])
            slew = plane(INV[1][other], slew, LOAD[other])
        needed.append(arrival + plane(SETUP[change], slew, 0))
    assert found.period == pytest.approx(max(needed), rel=1e-12)
    assert found.end == "f" and found.clocked and len(found.path) == 3
    assert sum(hop.delay for hop in found.path) + found.setup == pytest.approx(found.period)
    assert [hop.falls for hop in found.path] == [True, False, True]


def test_the_latest_arrival_and_the_largest_slew_of_different_inputs(tmp_path):
    body = """  wire n1; wire n2; wire n3; wire n4;
  BUF b (.A(a), .Y(n1));
  BUF c (.A(n1), .Y(n2));
  INV v (.A(a), .Y(n4));
  NAND g (.A(n2), .B(n4), .Y(n3));
  INV i (.A(n3), .Y(y));
"""
    _, found = timed(tmp_path, body)
    needed = []
    for change in (RISE, FALL):
        other = 1 - change
        late = slew_of(other)
        arrival = 2 * plane(BUF[0][other], 0, LOAD[other])
        arrival += plane(INV[0][change], late, LOAD[change])
        slow = plane(INV[1][other], 0, LOAD[other])
        assert slow > late
        slew = plane(INV[1][change], slow, LOAD[change])
        needed.append(arrival + plane(INV[0][other], slew, 0))
    assert found.period == pytest.approx(max(needed), rel=1e-12)
    assert (found.end, found.clocked, found.setup) == ("y", False, 0)


def slew_of(change):
    return plane(BUF[1][change], 0, LOAD[change])


def test_a_wire_loads_its_driver_and_delays_each_pin(tmp_path):
    body = """  wire n1;
  BUF b (.A(a), .Y(n1));
  INV i (.A(n1), .Y(y));
  INV j (.A(n1), .Y());
"""
    _, found = timed(tmp_path, body, wires=True)
    needed, length = [], 15.0  # between 10 at one pin and 20 at three
    for change in (RISE, FALL):
        other, pin = 1 - change, LOAD[change]
        load = 2 * pin + length * 1e-4
        slew = plane(BUF[1][change], 0, load)
        at_pin = (length / 2 * 2.0) * (length / 2 * 1e-4 / 2 + pin)
        # The input port has a wire of its own, and so has the output port.
        at_port = (10.0 * 2.0) * (10.0 * 1e-4 / 2 + pin)
        last = plane(INV[0][other], slew, 10.0 * 1e-4)
        needed.append(at_port + plane(BUF[0][change], 0, load) + at_pin + last)
    assert found.period == pytest.approx(max(needed), rel=1e-12)


def test_beyond_the_last_fanout_and_before_the_first(tmp_path):
    path = tmp_path / "planes.lib"
    path.write_text(liberty(wires=True))
    wires = read_cells([path]).wires
    found = wires.length(np.array([0.5, 1, 2, 3, 5]))
    assert found.tolist() == [5.0, 10.0, 15.0, 20.0, 30.0]


def test_without_a_path(tmp_path):
    _, found = timed(tmp_path, "  DFF f (.CK(clk), .D(1'h0), .Q(y));\n")
    # The flip-flop's output is a path to the port.
    assert found.period == pytest.approx(0.6) and found.end == "y"
    _, found = timed(tmp_path, "  INV i (.A(1'h0), .Y(y));\n")
    assert found.period is None and found.path == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "  wire n; wire m;\n  INV i (.A(n), .Y(m));\n  INV j (.A(m), .Y(n));\n",
            "netlist: has a loop of gates; only clocked logic is timed",
        ),
        (
            "  XOR x (.A(a), .Y(y));\n",
            "netlist: x is a XOR, which the library does not have; map it again",
        ),
        ("  INV x (.B(a), .Y(y));\n", "netlist: INV has no pin B; map it again"),
        (
            "  initial y = 0;\n",
            "netlist: 'initial y = 0;' is no cell, port or assignment; map it again",
        ),
    ],
)
def test_what_cannot_be_timed(tmp_path, body, said):
    with pytest.raises(UserError) as caught:
        timed(tmp_path, body)
    assert str(caught.value) == said


def test_the_report_has_the_path_in_ns(tmp_path):
    library, netlist = tmp_path / "planes.lib", tmp_path / "n.v"
    library.write_text(liberty())
    netlist.write_text(
        "module block (clk, \\p.x , y);\n input clk;\n input \\p.x ;\n output y;\n"
        "  wire [1:0] n;\n"
        "  DFF f (.CK(clk), .D(\\p.x ), .Q(n[0]));\n  INV i (.A(n[0]), .Y(y));\nendmodule\n"
    )
    found = analyse(netlist, [library])
    lines = found.path.splitlines()
    assert lines[:2] == ["Startpoint: f", "Endpoint: y"]
    first = 0.6 + 4 * 0.003
    assert lines[4] == f"{first:9.4f} {first:9.4f} v f (DFF)"
    assert found.path_s == pytest.approx(1e-9 * float(lines[5].split()[1]), abs=1e-13)


@pytest.mark.parametrize(
    ("unit", "load", "time", "found"),
    [
        ("1kohm", "1, pf", "1ns", 1.0),
        ("1ohm", "10, ff", "1ps", 0.01),
        ("1kohm", "1, ff", "1ns", 1e-3),
    ],
)
def test_resistance_times_load_is_told_in_the_unit_of_time(tmp_path, unit, load, time, found):
    path = tmp_path / "planes.lib"
    text = liberty().replace("(1, pf)", f"({load})").replace('"1ns"', f'"{time}"')
    path.write_text(text.replace("nom_voltage", f'pulling_resistance_unit : "{unit}"; nom_voltage'))
    assert read_cells([path]).ohm_load == pytest.approx(found, rel=1e-12)
