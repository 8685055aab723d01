# SPDX-License-Identifier: Apache-2.0
"""The folder that is handed off: files, constraints, contract, and that nothing is lost."""

import json

import pytest
from asic_case import write_chip
from netlist_cells import LIBERTY

from networks import random_network
from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_flow.asic.choices import AsicChoices
from scaledrop_flow.asic.constraints import constraints
from scaledrop_flow.asic.contract import MEANINGS, contract, contract_text
from scaledrop_flow.asic.design import design_files, write_design
from scaledrop_flow.asic.folder import Folder
from scaledrop_flow.asic.handoff import write_handoff
from scaledrop_flow.asic.library import find_library, open_cells
from scaledrop_hw.crossbar import CrossbarTile

PORTS = [
    {"name": name, "direction": direction, "width": 1}
    for name, direction in (("clk", "in"), ("rst", "in"), ("a", "in"), ("q", "out"))
]
CHOICES = AsicChoices(array=ArrayShape(8, 4), max_passes=15, memory_bits=64)


@pytest.fixture(scope="module")
def network():
    return random_network(3, (12, 8, 3))


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("handoff"))
    write_design(network, CHOICES, folder)
    return folder


def test_constraints_are_in_the_units_of_the_library():
    assert constraints(PORTS, 20.0, 1e-9) == (
        "# The unit of time is the library's: ns.\n"
        "create_clock -name clk -period 20 [get_ports clk]\n"
        "set_clock_uncertainty 0.4 [get_clocks clk]\n"
        "# The reset is synchronous and timed as an input: all registers leave it at once.\n"
        "set_input_delay 4 -clock clk [get_ports {rst a}]\n"
        "set_output_delay 4 -clock clk [get_ports {q}]\n"
    )
    assert "-period 20000 " in constraints(PORTS, 20.0, 1e-12)
    assert "library's: ps." in constraints(PORTS, 20.0, 1e-12)


def test_the_design_step_leaves_what_it_says(folder):
    files = design_files(folder)
    assert all(path.exists() for path in files)
    boxes = {box["module"]: box for box in json.loads(folder.boxes.read_text())}
    assert {"scaledrop_crossbar", "scaledrop_scale_sram"} <= set(boxes)
    for name in boxes:
        stub = (folder.stubs / f"{name}.v").read_text()
        body = (folder.behavioural / f"{name}.v").read_text()
        assert f"module {name} (" in stub and f"module {name}" in body
        assert len(body) > len(stub)
    memories = [box for box in boxes.values() if box["kind"] == "memory"]
    assert all(box["loaded_by_host"] or box["words"] * box["bits"] > 64 for box in memories)
    sidecar = json.loads(folder.sidecar.read_text())
    assert sidecar["module"] == "scaledrop"


def test_another_choice_leaves_nothing_of_the_first(network, tmp_path):
    folder = Folder(tmp_path)
    write_design(network, CHOICES, folder)
    digital = AsicChoices(
        array=ArrayShape(8, 4), max_passes=15, memory_bits=2**20, crossbar="digital"
    )
    write_design(network, digital, folder)
    assert not (folder.root / "crossbar.md").exists()
    assert not (folder.stubs / "scaledrop_crossbar.v").exists()
    kept = {path.stem for path in folder.stubs.glob("*.v")}
    assert kept == {box["module"] for box in json.loads(folder.boxes.read_text())}


def test_the_contract_names_every_port(network):
    mapping = NetworkMapping(network, ArrayShape(8, 4))
    ports = [{"name": name, "direction": "in", "width": 1} for name in MEANINGS]
    told = contract(ports, mapping)
    assert (told["rows"], told["columns"], told["partial_bits"]) == (8, 4, 5)
    assert (
        told["latency_enabled_cycles"] == CrossbarTile.LATENCY and told["tiles"] == mapping.end.tile
    )
    text = contract_text(told)
    assert all(f"| `{name}` |" in text for name in MEANINGS)
    assert "`start` of 6 enabled cycles before" in text


def test_the_contract_is_of_the_box(folder):
    told = json.loads((folder.root / "crossbar.json").read_text())
    boxes = {box["module"]: box for box in json.loads(folder.boxes.read_text())}
    named = [port["name"] for port in told["ports"]]
    assert named == [port["name"] for port in boxes["scaledrop_crossbar"]["ports"]]
    assert sorted(named) == sorted(MEANINGS)


def test_what_stands_beside_the_verilog(tmp_path):
    folder = write_chip(tmp_path)
    (tmp_path / "four.lib").write_text(LIBERTY)
    library = open_cells([tmp_path / "four.lib"], tmp_path / "work" / "cells")
    files = write_handoff(folder, library, AsicChoices(clock_ns=5.0))
    first = {path.name: path.read_bytes() for path in files}
    assert sorted(first) == ["README.md", "config.mk", "constraints.sdc", "filelist.f"]
    assert {
        path.name: path.read_bytes()
        for path in write_handoff(folder, library, AsicChoices(clock_ns=5.0))
    } == first
    assert b"rtl/scaledrop.v\nstubs/scaledrop_core_table.v\n" in first["filelist.f"]
    config = first["config.mk"].decode()
    assert "export PLATFORM = YOUR_PLATFORM\n" in config
    assert "export SYNTH_BLACKBOXES = scaledrop_core_table\n" in config
    readme = first["README.md"].decode()
    assert "| `scaledrop_core_table` | 1 | 16 x 4 | registered, old word on collision |" in readme
    assert str(tmp_path) not in readme + config
    handed = {str(path.relative_to(folder.root)) for path in folder.handed()}
    assert "work/modules.json" not in handed and "behavioural/scaledrop_core_table.v" in handed


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"crossbar": "analog"}, "crossbar: must be macro or digital, not 'analog'"),
        ({"memory_bits": -1}, "memory_bits: must be 0 or more, not -1"),
        ({"clock_ns": 0.0}, "clock_ns: must be a period in ns above 0, not 0"),
        ({"dont_use": ("a b",)}, "dont_use: 'a b' is no cell's name; * stands for any part"),
    ],
)
def test_choices_that_are_refused(changes, text):
    with pytest.raises(UserError) as caught:
        AsicChoices(**changes)
    assert str(caught.value) == text


def test_libraries_by_name_and_file(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cells.lib").write_text(LIBERTY)
    monkeypatch.setenv("SCALEDROP_PDK", str(tmp_path))
    assert find_library(["two"]) == ("two", [tmp_path / "two" / "cells.lib"])
    file = tmp_path / "one" / "cells.lib"
    assert find_library([str(file)]) == ("cells", [file])
    refused = {
        (): "lib: is missing; give a library's name or its .lib or .lib.gz files",
        ("one", "two"): "lib: one library at a time, not one, two",
        ("three",): "lib: 'three' is not known; SCALEDROP_PDK has one, two; "
        "or give .lib or .lib.gz files",
        ("no.lib",): "liberty: no file no.lib; give Liberty files, .lib or .lib.gz",
    }
    for given, text in refused.items():
        with pytest.raises(UserError) as caught:
            find_library(given)
        assert str(caught.value) == text
