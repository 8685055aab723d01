# SPDX-License-Identifier: Apache-2.0
"""Activity of a mapped block: its netlist runs the recorded traffic, and its nets are counted."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop_cosim.toolchain import compile_verilator
from scaledrop_flow.netlist.design import Port
from scaledrop_flow.netlist.mapping import TOP, Mapped, port_name

__all__ = ["Activity", "read_saif", "replay", "testbench"]

BENCH = "replay"
SETTLE = 16
"""Edges, the seven of the reset among them, in which outputs are not compared yet."""

_NET = re.compile(
    r"\((\S+)\s+\(T0 \d+\)\s+\(T1 \d+\)\s+\(TZ \d+\)\s+\(TX \d+\)\s+\(TB \d+\)\s+\(TC (\d+)\)"
)
_INSTANCE = re.compile(r"\(INSTANCE (?:\"[^\"]*\" )?(\S+)")

MAIN = """\
#include <cstdint>
#include <cstdio>
#include "Vtop.h"
#include "verilated.h"
#include "verilated_saif_c.h"

int main(int argc, char** argv) {
  VerilatedContext context;
  context.commandArgs(argc, argv);
  context.traceEverOn(true);
  Vtop top{&context};
  VerilatedSaifC saif;
  top.trace(&saif, 99);
  saif.open("activity.saif");
  std::uint64_t cycles = 0;
  top.clk = 0;
  top.eval();
  while (!top.done) {
    top.clk = 1;
    top.eval();
    top.clk = 0;
    top.eval();
    saif.dump(cycles++);
  }
  saif.close();
  std::printf("%llu %u\\n", static_cast<unsigned long long>(cycles), top.mismatches);
  top.final();
  return 0;
}
"""


@dataclass(frozen=True)
class Activity:
    """How often the nets of a mapped block changed.

    Attributes:
        cycles: Clock cycles.
        toggles: (net, bit) to its changes; at most one a cycle, as every gate is without delay.
        mismatches: Edges at which an output of the netlist was not that of the RTL.
    """

    cycles: int
    toggles: dict[tuple[str, int], int]
    mismatches: int


def testbench(ports: tuple[Port, ...]) -> str:
    """SystemVerilog that plays a recording to the netlist and compares its outputs.

    The line of an edge is what the block saw before it; the next one follows right after.
    """
    width = sum(port.width for port in ports if port.name != "clk")
    pins, differs, high = [], [], width
    for at, port in enumerate(ports):
        if port.name == "clk":
            pins.append(".clk(clk)")
            continue
        name, bits = port_name(at, port), f"line[{high - 1}:{high - port.width}]"
        high -= port.width
        if port.is_input:
            pins.append(f".{name}({bits})")
        else:
            pins.append(f".{name}(o{at})")
            differs.append((f"  wire [{port.width - 1}:0] o{at};", f"o{at} != {bits}"))
    return "\n".join(
        (
            f"module {BENCH} (input wire clk, output reg [31:0] mismatches, output reg done);",
            f"  reg [{width - 1}:0] line, next;",
            "  int file, edges;",
            "  string name;",
            *(wire for wire, _ in differs),
            "  initial begin",
            '    if (!$value$plusargs("stimulus=%s", name)) name = "stimulus.hex";',
            '    file = $fopen(name, "r");',
            "    mismatches = 0; edges = 0; done = 0; line = 0;",
            '    if ($fscanf(file, "%h\\n", line) != 1) done = 1;',
            "  end",
            "  always @(posedge clk) begin",
            "    edges <= edges + 1;",
            f"    if (edges >= {SETTLE} && ({' || '.join(d for _, d in differs) or '0'}))",
            "      mismatches <= mismatches + 1;",
            '    if ($fscanf(file, "%h\\n", next) == 1) line <= next;',
            "    else done <= 1;",
            "  end",
            f"  {TOP} dut ({', '.join(pins)});",
            "endmodule",
            "",
        )
    )


def read_saif(text: str, instance: str) -> dict[tuple[str, int], int]:
    """(net, bit) to toggle count of the nets right below ``instance``.

    Raises:
        UserError: it has no such instance.
    """
    found: dict[tuple[str, int], int] | None = None
    for part in re.split(r"(?=\(INSTANCE )", text):
        head = _INSTANCE.match(part)
        if head is None or head[1] != instance:
            continue
        found = {}
        for written, count in _NET.findall(part):
            name, _, bit = written.replace("\\", "").partition("[")
            found[name, int(bit.rstrip("]") or 0)] = int(count)
    if found is None:
        raise UserError(f"activity: the SAIF file has no instance {instance}; simulate again")
    return found


def replay(mapped: Mapped, stimulus: Path, folder: Path) -> Activity:
    """Build the netlist with its cells' models, run ``stimulus`` and count every net's changes.

    Raises:
        UserError: a tool is missing or failed.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.cpp").write_text(MAIN)
    (folder / "replay.sv").write_text(testbench(mapped.ports))
    inner = "/* verilator tracing_off */\n"
    (folder / "inner.v").write_text(inner + mapped.models.read_text() + mapped.memories.read_text())
    outer = "/* verilator tracing_on */\n"
    (folder / "block.v").write_text(outer + mapped.netlist.read_text())
    arguments = [
        *("--cc", "--exe", "-O2", "--x-assign", "fast", "--x-initial", "fast", "--trace-saif"),
        *("--no-assert", "-Wno-lint", "-Wno-fatal", "--top-module", BENCH, "-o", "replay"),
        *(str(folder / name) for name in ("replay.sv", "block.v", "inner.v", "main.cpp")),
    ]
    compile_verilator(arguments, folder, folder / "build.log")
    command = [str(folder / "replay"), f"+stimulus={stimulus.resolve()}"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"the netlist's simulation failed: {result.stderr.strip()}")
    cycles, mismatches = map(int, result.stdout.split()[-2:])
    toggles = read_saif((folder / "activity.saif").read_text(), "dut")
    return Activity(cycles, toggles, mismatches)
