# SPDX-License-Identifier: Apache-2.0
"""Single-port memory: random accesses against a list; the macro form as Verilog text."""

import re

import numpy as np
import pytest
from amaranth.back import verilog
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.sram import Sram

GOOD = {"width": 8, "depth": 5, "init": [1, 2, 3]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width must be an integer from 1 to 1048576, not 0"),
        ({"depth": 0, "init": []}, "depth must be an integer from 1 to 1048576, not 0"),
        ({"init": [0, 256]}, "init[1] must be an integer from 0 to 255, not 256"),
        ({"init": [0] * 6}, "number of words in init must be an integer from 0 to 5, not 6"),
        ({"macro": "ram"}, "number of words in init must be an integer from 0 to 0, not 3"),
        (
            {"init": [], "macro": "2ram"},
            "macro must be a Verilog identifier or empty, not '2ram'",
        ),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Sram, GOOD, wrong) == message


def test_parameters_read_back():
    dut = Sram(**GOOD)
    assert (dut.width, dut.depth, dut.init, dut.macro) == (8, 5, [1, 2, 3], "")
    assert Sram(width=8, depth=5, macro="ram_5x8").macro == "ram_5x8"


def expected(words, stimulus):
    """The word in each cycle; None until the first read."""
    words, word, rows = list(words), None, []
    for en, write, address, data in stimulus:
        rows.append(word)
        if en and write:
            words[address] = data
        elif en:
            word = words[address]
    return rows


@pytest.mark.parametrize("depth", [1, 2, 5, 16])
@pytest.mark.parametrize("busy", [0.5, 1.0])
def test_random_accesses(depth, busy):
    rng = np.random.default_rng(depth)
    init = rng.integers(0, 256, max(depth - 1, 1)).tolist()
    dut = Sram(width=8, depth=depth, init=init)
    stimulus = [
        (
            int(rng.random() < busy),
            int(rng.integers(2)),
            int(rng.integers(depth)),
            int(rng.integers(256)),
        )
        for _ in range(1500)
    ]
    rows = play(dut, [dut.en, dut.write, dut.address, dut.data], stimulus, [dut.word])
    want = expected(init + [0] * depth, stimulus)
    assert all(word in (None, row[0]) for row, word in zip(rows, want, strict=True))
    assert want[-1] is not None


def test_array_form_is_one_memory():
    text = verilog.convert(Sram(width=8, depth=4), name="ram", strip_internal_attrs=True)
    assert len(re.findall(r"reg \[7:0\] \w+ \[3:0\]", text)) == 1


@pytest.mark.parametrize(("depth", "addr"), [(1, 0), (2, 0), (5, 2), (64, 5)])
def test_macro_form_is_one_instance_and_no_memory(depth, addr):
    text = verilog.convert(
        Sram(width=12, depth=depth, macro="sram_macro"), name="ram", strip_internal_attrs=True
    )
    (ports,) = re.findall(r"sram_macro macro \((.*?)\);", text, re.S)
    pairs = dict(re.findall(r"\.(\w+)\((\w+)\)", ports))
    assert pairs == {
        "clk": "clk",
        "en": "en",
        "we": "write",
        "addr": "address",
        "din": "data",
        "dout": "word",
    }
    width = rf"\[{addr}:0\] " if addr else ""
    assert re.search(rf"input {width}address;", text)
    assert "always" not in text and not re.search(r"reg .*\[.*\];", text)
