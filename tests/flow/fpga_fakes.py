# SPDX-License-Identifier: Apache-2.0
"""What stands in for slow tools in the tests of boards, and a design that takes no time."""

import json

from amaranth.hdl import Elaboratable, Module, Signal

__all__ = ["Echo", "FakeTools", "netlist"]

BELS = {
    "nextpnr-ecp5": ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D"),
    "nextpnr-ice40": ("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP"),
}


class Echo(Elaboratable):
    """In the place of a demonstrator: what comes goes back."""

    def __init__(self):
        self.rx, self.tx, self.busy, self.fault = (
            Signal(name=name) for name in ("rx", "tx", "busy", "fault")
        )

    def elaborate(self, platform):
        m = Module()
        count = Signal(20)
        m.d.sync += [self.tx.eq(self.rx), count.eq(count + 1), self.busy.eq(count[-1])]
        m.d.comb += self.fault.eq(~self.rx)
        return m


def netlist(cells):
    """Yosys' JSON of cells, name to type."""
    named = {name: {"type": kind} for name, kind in cells.items()}
    return json.dumps({"modules": {"top": {"cells": named}}})


class FakeTools:
    """Takes the place of run_tool: a mapped design of given cells, and a speed for each seed."""

    def __init__(self, cells, used, mhz):
        self.cells, self.used, self.mhz, self.calls = cells, used, mhz, []

    def __call__(self, tool, arguments, folder, environment=None):
        self.calls.append((tool, *arguments))
        if tool == "yosys":
            kinds = list(self.cells.values())
            counts = {kind: kinds.count(kind) for kind in kinds}
            stat = json.dumps({"design": {"num_cells_by_type": counts}})
            (folder / "cells.json").write_text(f"told before\n{stat}")
            (folder / "top.json").write_text(netlist(self.cells))
        elif tool.startswith("nextpnr"):
            self._place(tool, arguments, folder)
        else:
            configured = (folder / arguments[arguments.index("--input") + 1]).read_text()
            (folder / "top.bit").write_text(f"bits of {configured}")
        return ""

    def _place(self, tool, arguments, folder):
        used = {bel: {"used": self.used[bel], "available": 1} for bel in BELS[tool]}
        report = {"utilization": used, "fmax": {}, "critical_paths": []}
        if "--pack-only" in arguments:
            assert "--textcfg" not in arguments and "--asc" not in arguments
        else:
            seed = int(arguments[arguments.index("--seed") + 1])
            report["fmax"] = {"clk": {"achieved": self.mhz[seed], "constraint": 25.0}}
            report["critical_paths"] = [self._path("clk", 1000 / self.mhz[seed])]
            (folder / "top.config").write_text(f"seed {seed}")
        (folder / "report.json").write_text(json.dumps(report))

    @staticmethod
    def _path(clock, delay):
        core = "demonstrator.system.accelerator.core."
        ends = (f"{core}walker.at[3]_TRELLIS_FF_Q", f"{core}sums.total[7]_TRELLIS_FF_Q_DI_LUT4_Z")
        first, last = ({"cell": cell} for cell in ends)
        steps = [
            {"type": "clk-to-q", "delay": 0.5, "from": first, "to": first},
            {"type": "logic", "delay": delay - 0.5, "from": first, "to": last},
            {"type": "setup", "delay": 0.0, "from": last, "to": last},
        ]
        return {"from": f"posedge {clock}", "to": f"posedge {clock}", "path": steps}
