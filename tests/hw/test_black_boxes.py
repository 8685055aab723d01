# SPDX-License-Identifier: Apache-2.0
"""Black boxes: which parts become one, their names and ports, and that their bodies behave."""

import re

import pytest
from amaranth.hdl import ClockSignal, Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from networks import random_network
from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.black_box import MemoryBody
from scaledrop_hw.black_boxes import BlackBoxes, plain_names, with_black_boxes
from scaledrop_hw.export import verilog_text
from scaledrop_hw.sram import Sram

CODES = [3, 1, 2]


class Rows(wiring.Component):
    """Two memories of one shape, a small one, and one with contents."""

    address: In(2)
    data: In(8)
    write: In(1)
    word: Out(8)

    def elaborate(self, platform):
        m = Module()
        found = 0
        sizes = {"row_0": (8, 4, []), "row_1": (8, 4, []), "few": (8, 2, []), "full": (8, 2, [5])}
        for name, (shape, depth, init) in sizes.items():
            m.submodules[name] = memory = Memory(shape=shape, depth=depth, init=init)
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.addr.eq(self.address),
                write.addr.eq(self.address),
                write.data.eq(self.data ^ found),
                write.en.eq(self.write),
            ]
            found = found ^ read.data
        m.d.comb += self.word.eq(found)
        return m


@pytest.fixture(scope="module")
def boxed():
    mapping = NetworkMapping(random_network(3, (12, 8, 3)), ArrayShape(8, 4))
    return with_black_boxes(Accelerator(mapping=mapping, max_passes=15), "scaledrop", 2**20)


def test_memories_by_size_and_contents():
    text, boxes, modules = with_black_boxes(Rows(), "rows", 16)
    assert sorted(boxes) == ["rows_full", "scaledrop_memory_4x8"]
    assert boxes["scaledrop_memory_4x8"].paths == ("rows.row_0", "rows.row_1")
    assert not boxes["scaledrop_memory_4x8"].loaded
    assert boxes["rows_full"].loaded and boxes["rows_full"].shape == (2, 8)
    assert re.findall(r"reg \[7:0\] (\w+) \[", text) == ["few"]
    assert len(re.findall(r"^  scaledrop_memory_4x8 row_[01] \($", text, re.M)) == 2
    assert modules == {"rows": ""}
    assert sorted(with_black_boxes(Rows(), "rows", 0)[1]) == [
        "rows_full",
        "scaledrop_memory_2x8",
        "scaledrop_memory_4x8",
    ]


def test_same_bytes_again():
    first, second = (with_black_boxes(Rows(), "rows", 16) for _ in range(2))
    assert first == second


def test_stub_and_body_have_the_ports():
    box = with_black_boxes(Rows(), "rows", 16)[1]["rows_full"]
    assert box.stub == (
        "(* blackbox *)\n"
        "module rows_full (clk, r0_addr, r0_en, r0_data, w0_addr, w0_data, w0_en);\n"
        "  input clk;\n  input r0_addr;\n  input r0_en;\n  output [7:0] r0_data;\n"
        "  input w0_addr;\n  input [7:0] w0_data;\n  input w0_en;\nendmodule\n"
    )
    (names,) = re.findall(r"^module rows_full ?\((.*?)\);", box.body, re.M)
    assert sorted(names.split(", ")) == sorted(port["name"] for port in box.ports)
    assert "8'h05" in box.body


def test_the_accelerator(boxed):
    text, boxes, modules = boxed
    assert {"scaledrop_crossbar", "scaledrop_scale_sram"} <= set(boxes)
    assert all(box.loaded for box in boxes.values())
    assert boxes["scaledrop_crossbar"].paths == ("scaledrop.core.sums.crossbar",)
    sram = boxes["scaledrop_scale_sram"]
    assert [port["name"] for port in sram.ports] == ["clk", "en", "we", "addr", "din", "dout"]
    assert modules["scaledrop_core_walker"] == "core.walker"
    assert not re.search(r"^module \\", text, re.M)
    defined = set(re.findall(r"^module (\S+?) ?\(", text, re.M))
    used = set(re.findall(r"^  (scaledrop_\w+) +\S+ \($", text, re.M))
    assert used - defined == set(boxes)


def test_a_digital_crossbar_stays():
    mapping = NetworkMapping(random_network(3, (12, 8, 3)), ArrayShape(8, 4))
    accelerator = Accelerator(mapping=mapping, max_passes=15, datapath="folded")
    text, boxes, _ = with_black_boxes(accelerator, "scaledrop", 2**20, crossbar=False)
    assert "scaledrop_crossbar" not in boxes and "scaledrop_scale_sram" not in boxes
    assert "scaledrop_core_sums_crossbar_weights_memory" in boxes
    assert "module scaledrop_core_sums_crossbar_array (" in text


def test_the_scale_sram_is_what_sram_asks_for():
    sram = Sram(width=4, depth=3, init=CODES)
    platform = BlackBoxes(memory_bits=0)
    text = verilog_text(sram, "s", platform)
    assert "  scaledrop_scale_sram macro (" in text
    body = platform.boxes["scaledrop_scale_sram"].body
    assert [f"words[{at}] = 4'h{code};" in body for at, code in enumerate(CODES)] == [True] * 3
    assert "reg [3:0] words [0:2];" in body


@pytest.mark.parametrize(
    ("domain", "transparent"), [("sync", False), ("sync", True), ("comb", False)]
)
def test_a_body_does_what_the_memory_does(domain, transparent):
    memory = Memory(shape=8, depth=5, init=[7, 9])
    write = memory.write_port(granularity=4)
    ports = {"transparent_for": (write,)} if transparent else {}
    read = memory.read_port(domain=domain, **ports)
    m = Module()
    m.submodules.memory = memory
    m.submodules.body = body = MemoryBody(memory=memory)
    m.d.comb += [body.r0_addr.eq(read.addr), body.w0_addr.eq(write.addr)]
    m.d.comb += [body.w0_data.eq(write.data), body.w0_en.eq(write.en)]
    m.d.comb += body.clk.eq(ClockSignal())
    if domain == "sync":
        m.d.comb += body.r0_en.eq(read.en)
    seen = []

    async def bench(ctx):
        for at in range(40):
            ctx.set(read.addr, at * 3 % 5)
            ctx.set(write.addr, at * 2 % 5)
            ctx.set(write.data, at * 37 % 256)
            ctx.set(write.en, at % 4)
            if domain == "sync":
                ctx.set(read.en, at % 3 > 0)
            await ctx.tick()
            seen.append((ctx.get(read.data), ctx.get(body.r0_data)))

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert len({one for one, _ in seen}) > 5
    assert all(one == other for one, other in seen)


def test_plain_names():
    assert plain_names("  \\a.b$1.c  x (\n  \\port$1 \n") == "  a_b_1_c  x (\n  \\port$1 \n"


def test_wrong_size():
    with pytest.raises(UserError) as caught:
        BlackBoxes(memory_bits=-1)
    assert str(caught.value).startswith("memory_bits must be")
