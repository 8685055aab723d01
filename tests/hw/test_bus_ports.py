# SPDX-License-Identifier: Apache-2.0
"""Ports at the edge of a design carry the names that tools know, and what they stand for."""

import re

from amaranth.back import verilog
from amaranth.hdl import Module
from amaranth.lib import wiring
from simulate import simulate

from scaledrop_hw.axi_lite import AxiLiteSlave
from scaledrop_hw.bus_ports import connect_ports, ports


class Edge(wiring.Component):
    """A slave whose buses are ports."""

    def __init__(self):
        self.slave = AxiLiteSlave(address_bits=5)
        signature = self.slave.signature.members
        super().__init__(
            {
                **ports("s_axi", self.slave.axi.signature),
                **ports("bus", signature["bus"].signature),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.slave = self.slave
        connect_ports(m, self, "s_axi", self.slave.axi)
        connect_ports(m, self, "bus", self.slave.bus)
        return m


def test_names_and_directions():
    whole = verilog.convert(Edge(), emit_src=False)
    text = whole.split("module top(")[1].split("endmodule")[0]
    found = re.findall(r"^  (input|output) (?:\[.*?\] )?(\w+);", text, re.M)
    assert {"awvalid", "wdata", "rready"} <= {n[6:] for way, n in found if way == "input"}
    assert {"awready", "bresp", "rdata"} <= {n[6:] for way, n in found if way == "output"}
    assert not any("__" in name for _, name in found)


def test_a_write_passes_through():
    dut = Edge()

    async def master(ctx):
        for name, value in (("awaddr", 0b10100), ("wdata", 77), ("wstrb", 15)):
            ctx.set(getattr(dut, f"s_axi_{name}"), value)
        for name in ("awvalid", "wvalid"):
            ctx.set(getattr(dut, f"s_axi_{name}"), 1)
        await ctx.tick().until(dut.bus_valid)

    rows = simulate(dut, master, watch=[dut.bus_valid, dut.bus_address, dut.bus_data])
    assert rows[-1] == [1, 0b101, 77]
