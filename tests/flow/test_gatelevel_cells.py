# SPDX-License-Identifier: Apache-2.0
"""Every kind of cell against the RTL it was made of, cycle by cycle, with and without a fault."""

import json
import re
import subprocess

import pytest

from scaledrop.errors import UserError
from scaledrop_cosim.simulation import NETLIST_ARGUMENTS
from scaledrop_cosim.toolchain import compile_verilator
from scaledrop_flow.gatelevel.kinds import KINDS
from scaledrop_flow.gatelevel.synthesise import make_netlist

DESIGN = """
module probe(input clk, input rst, input [63:0] x, output reg [31:0] product,
             output reg [70:0] wide, output reg [39:0] sum, output reg [39:0] deep,
             output reg [7:0] shallow, output reg [15:0] count);
  wire signed [13:0] a = x[13:0];
  wire signed [11:0] b = x[25:14];
  wire signed [26:0] c = x[50:24];
  always @(posedge clk) begin
    product <= a * b;
    wide <= c * $signed({1'b0, x[63:52]});
    sum <= c + a + x[40:3];
  end
  reg [39:0] big [0:299];
  reg [7:0] little [0:99];
  integer i;
  initial begin
    for (i = 0; i < 300; i = i + 1) big[i] = i * 40'h13579bdf1 ^ (i << 29);
    for (i = 0; i < 100; i = i + 1) little[i] = i * 37;
  end
  always @(posedge clk) begin
    if (x[9]) big[x[17:10]] <= x[62:23];
    deep <= big[x[26:19]];
    if (x[2]) little[x[35:30]] <= x[47:40];
    if (x[3]) shallow <= little[x[35:30]];
  end
  initial count = 16'ha5c3;
  always @(posedge clk) if (rst) count <= 16'h8001; else if (x[1]) count <= count + x[5:0];
endmodule
"""
PORTS = {"product": 32, "wide": 71, "sum": 40, "deep": 40, "shallow": 8, "count": 16}
WIDTH = sum(PORTS.values())
TOP = """
module top;
  reg clk = 0, rst = 0;
  reg [63:0] x = 64'h123456789abcdef1;
  integer cycle = 0, bad[4];
  always #1 clk = ~clk;
  wire [206:0] expected, found[4];
%s
  always @(negedge clk) begin
    // The registers of the data have no initial value.
    for (int at = 0; at < 4; at++) begin
      if (cycle > 3 && expected !== found[at]) bad[at]++;
      if (expected[15:0] !== found[at][15:0]) bad[at]++;
    end
    x <= {x[62:0], x[63] ^ x[62] ^ x[60] ^ x[59]} ^ ({x[7:0], 56'b0} * 13);
    rst <= cycle == 50;
    cycle <= cycle + 1;
    if (cycle == 3000) begin
      $display("bad %%0d %%0d %%0d %%0d", bad[0], bad[1], bad[2], bad[3]);
      $finish;
    end
  end
endmodule
"""
CELLS = {
    "generic": {"$mem_v2", "$_AND_", "$_SDFFE_PP0P_"},
    "ice40": {"SB_LUT4", "SB_CARRY", "SB_DFF", "SB_DFFESR", "SB_MAC16", "SB_RAM40_4K"},
    "ecp5": {"LUT4", "CCU2C", "TRELLIS_FF", "DP16KD", "MULT18X18D"},
}


def instance(name, to):
    nets, at = [], WIDTH
    for port, width in PORTS.items():
        nets.append(f".{port}({to}[{at - 1}:{at - width}])")
        at -= width
    return f"  probe_{name} of_{name}(.clk(clk), .rst(rst), .x(x), {', '.join(nets)});"


def renamed(text, name):
    return re.sub(r"^module probe\b", f"module probe_{name}", text, flags=re.M)


def with_a_fault(text):
    """One bit of one table: what a bit of the counter becomes where all that it reads is 0."""
    table = r"\.LUT_INIT\(16'h([0-9a-f]{4})\)\s*\) \S+ +\((.*?)\n  \);"
    driven = set(re.findall(r"SB_DFFESR +\S+ +\([^;]*?\.D\((.+?)\),", text))
    for found in re.finditer(table, text, re.S):
        pins = dict(re.findall(r"\.(\w+)\((.+?)\)(?:,|$)", found[2]))
        if pins["O"] in driven:
            at = sum((pins[f"I{pin}"] == "1'h1") << pin for pin in range(4))
            return (
                f"{text[: found.start(1)]}{int(found[1], 16) ^ 1 << at:04x}{text[found.end(1) :]}"
            )
    raise AssertionError("no table drives the counter")


def test_every_cell_does_what_the_rtl_does_and_one_wrong_bit_shows(tmp_path, cache):
    rtl = tmp_path / "probe.v"
    rtl.write_text(DESIGN)
    rtl.with_suffix(".json").write_text(json.dumps({"module": "probe"}))
    texts, lines = [renamed(DESIGN, "rtl")], [instance("rtl", "expected")]
    for at, kind in enumerate(KINDS):
        made = make_netlist(rtl, kind, tmp_path / kind, cache)
        assert CELLS[kind] <= set(made.cells)
        text = made.verilog.read_text()
        texts += [renamed(text, kind), *(path.read_text() for path in made.models)]
        lines.append(instance(kind, f"found[{at}]"))
        if kind == "ice40":
            texts.append(renamed(with_a_fault(text), "faulty"))
    lines.append(instance("faulty", "found[3]"))
    (tmp_path / "all.sv").write_text("\n".join([*texts, TOP % "\n".join(lines)]))
    options = "--cc --exe --main --timing -O3 -Wno-lint -Wno-fatal --top-module top -o simulation"
    arguments = [*options.split(), *NETLIST_ARGUMENTS, "all.sv"]
    compile_verilator(arguments, tmp_path, tmp_path / "build.log", "-O0")
    run = subprocess.run([str(tmp_path / "simulation")], capture_output=True, text=True, check=True)
    *healthy, faulty = map(int, re.search(r"^bad (.*)$", run.stdout, re.M)[1].split())
    assert healthy == [0, 0, 0] and faulty > 0


def test_what_yosys_refuses(tmp_path):
    rtl = tmp_path / "probe.v"
    rtl.write_text("module probe(input clk); missing cell(); endmodule")
    rtl.with_suffix(".json").write_text(json.dumps({"module": "probe"}))
    with pytest.raises(UserError, match=r"^yosys failed: ERROR: .*missing"):
        make_netlist(rtl, "generic", tmp_path / "made", tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*/netlist.v"))
