# SPDX-License-Identifier: Apache-2.0
"""Nets with many pins get trees of buffers, and nothing else changes."""

import copy

import pytest
from liberty_cells import CELLS, cell, liberty, output, pin, timing

from scaledrop.errors import UserError
from scaledrop_flow.asic.buffers import MOST, Buffer, choose_buffer, spread
from scaledrop_flow.liberty.cells import read_cells

BUF = Buffer("BUF", "A", "Y")


def library(tmp_path, more=""):
    path = tmp_path / "planes.lib"
    path.write_text(liberty(cells=CELLS + more))
    return read_cells([path])


def design(sinks):
    """A flip-flop that drives ``sinks`` inverters and the clock of as many flip-flops."""
    cells = {"f": {"type": "DFF", "connections": {"CK": [2], "D": ["0"], "Q": [3]}}}
    for at in range(sinks):
        cells[f"i{at}"] = {"type": "INV", "connections": {"A": [3], "Y": [10 + at]}}
        cells[f"d{at}"] = {"type": "DFF", "connections": {"CK": [2], "D": ["1"], "Q": []}}
    cells["inner"] = {"type": "scaledrop_core", "connections": {"p": [3, 2]}}
    nets = {"clk": {"bits": [2]}, "q": {"bits": [3]}, "y": {"bits": list(range(10, 10 + sinks))}}
    return {"modules": {"top": {"cells": cells, "netnames": nets}}}


def driver_of(cells, net):
    return next(
        (
            n
            for n, c in cells.items()
            if c["connections"].get("Y", c["connections"].get("Q")) == [net]
        ),
        None,
    )


@pytest.mark.parametrize(
    ("sinks", "added", "depth"), [(10, 0, 0), (11, 2, 1), (100, 10, 1), (101, 13, 2)]
)
def test_no_net_drives_more(tmp_path, sinks, added, depth):
    made = design(sinks)
    assert spread(made, library(tmp_path), BUF) == added
    cells = made["modules"]["top"]["cells"]
    pins = {}
    for name, one in cells.items():
        for pin_name in ("A", "D"):
            for bit in one["connections"].get(pin_name, []):
                pins.setdefault(bit, []).append(name)
    assert all(len(found) <= MOST for bit, found in pins.items() if isinstance(bit, int))
    for at in range(sinks):
        net, steps = cells[f"i{at}"]["connections"]["A"][0], 0
        while net != 3:
            name = driver_of(cells, net)
            assert cells[name]["type"] == "BUF"
            net, steps = cells[name]["connections"]["A"][0], steps + 1
        assert steps == depth
    # The clock is a tree of its own, and what enters a block is buffered inside.
    assert all(cells[f"d{at}"]["connections"]["CK"] == [2] for at in range(sinks))
    assert cells["inner"]["connections"] == {"p": [3, 2]}
    numbers = [bit for one in cells.values() for bit in one["connections"].get("Y", [])]
    assert len(numbers) == len(set(numbers))


def test_the_same_again(tmp_path):
    one = design(57)
    two = copy.deepcopy(one)
    spread(one, library(tmp_path), BUF)
    spread(two, library(tmp_path), BUF)
    assert one == two


def buffer_cell(name, area, most, function="A"):
    flat = ((0.1, 0, 0),) * 2
    inside = output("Y", function, timing("A", "positive_unate", flat, flat))
    return cell(name, area, pin("A") + inside.replace("0.1;", f"{most};", 1))


def test_the_smallest_that_is_strong_enough(tmp_path):
    # Ten pins of 0.003 pF, twice: 0.06 pF.
    more = buffer_cell("B1", 1, 0.059) + buffer_cell("B2", 2, 0.06) + buffer_cell("B4", 4, 0.5)
    cells = library(tmp_path, more)
    assert choose_buffer(cells, ()) == Buffer("B2", "A", "Y")
    assert choose_buffer(cells, ("B2",)).name == "BUF"
    weak = library(tmp_path, buffer_cell("B1", 1, 0.059) + buffer_cell("B0", 1, 0.01))
    assert choose_buffer(weak, ("BUF",)).name == "B1"


def test_without_a_buffer(tmp_path):
    with pytest.raises(UserError) as caught:
        choose_buffer(library(tmp_path, buffer_cell("N", 1, 1, "!A")), ("BUF",))
    assert str(caught.value) == ("lib: has no buffer; use another library, or fewer --dont-use")
