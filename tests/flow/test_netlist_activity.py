# SPDX-License-Identifier: Apache-2.0
"""Recordings read back, netlists of gates put in order, run and counted."""

import json
from pathlib import Path

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop_flow.netlist.activity import read_ports, replay, simulate
from scaledrop_flow.netlist.design import Module, Port
from scaledrop_flow.netlist.gates import read_gates
from scaledrop_flow.netlist.mapping import Mapped
from scaledrop_flow.netlist.record import recorder

CELLS = {
    "g0.high": ("$_DFF_P_", {"D": [6], "Q": [3], "C": [7]}),
    "g1.low": ("$_DFF_P_", {"D": [5], "Q": [2], "C": [7]}),
    "g2": ("$_XOR_", {"A": [3], "B": [8], "Y": [6]}),
    "g3": ("$_AND_", {"A": [2], "B": [4], "Y": [8]}),
    "g4": ("$_XOR_", {"A": [2], "B": [4], "Y": [5]}),
    "g5": ("$_MUX_", {"A": [2], "B": ["1"], "S": [3], "Y": [9]}),
    "g6": ("$_OR_", {"A": [2], "B": [3], "Y": [10]}),
    "g7": ("$_NOT_", {"A": [10], "Y": [11]}),
}
"""A counter of two bits, 3 above 2, that counts when net 4 is high; some logic on it."""
PORTS = (
    Port("clk", True, 1),
    Port("go", True, 1),
    Port("count", False, 2),
    Port("some", False, 3),
)
NETS = {"clk": [7], "p1": [4], "p2": [2, 3], "p3": [9, 10, 11]}


def document(cells=CELLS):
    found = {name: {"type": kind, "connections": pins} for name, (kind, pins) in cells.items()}
    names = {name: {"bits": bits} for name, bits in NETS.items()}
    return json.dumps({"modules": {"block": {"cells": found, "netnames": names}}})


def counter():
    return read_gates(document(), "block")


def expected(go):
    counts = np.concatenate([[0], np.cumsum(go.astype(int))[:-1]]) % 4
    low, high = counts & 1, counts >> 1
    return np.stack([low, high, np.where(high, 1, low), low | high, 1 - (low | high)], axis=1)


def test_gates_come_in_an_order_in_which_each_is_ready():
    netlist = counter()
    ready = {0, 1, 4, *netlist.registers[1]}
    for _, *inputs, out in netlist.gates.tolist():
        assert ready.issuperset(inputs)
        ready.add(out)
    assert netlist.registers.tolist() == [[6, 5], [3, 2]]
    assert netlist.register_names == ("g0.high", "g1.low")
    assert netlist.bits("p2", 2) == [2, 3]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            ("$_DLATCH_P_", {"D": [5], "Q": [6], "E": [7]}),
            "netlist: g2 is a $_DLATCH_P_; gates and rising edges only",
        ),
        (
            ("$_AND_", {"A": [8], "B": [3], "Y": [4]}),
            "netlist: has a loop of gates; only clocked logic is measured",
        ),
    ],
)
def test_what_is_refused(cell, message):
    with pytest.raises(UserError) as caught:
        read_gates(document({**CELLS, "g2": cell}), "block")
    assert str(caught.value) == message


def test_every_change_is_counted(tmp_path):
    go = np.random.default_rng(1).integers(0, 2, 1000).astype(np.uint8)
    told, toggles = simulate(counter(), {4: go}, [2, 3, 9, 10, 11], tmp_path)
    wanted = expected(go)
    assert (told == wanted).all()
    changes = np.abs(np.diff(wanted, axis=0)).sum(axis=0)
    assert toggles[[2, 3, 9, 10, 11]].tolist() == changes.tolist()
    assert toggles[4] == np.abs(np.diff(go.astype(int))).sum()
    assert toggles[[0, 1]].tolist() == [0, 0]


def lines(go, values):
    some = values[:, 2] + 2 * values[:, 3] + 4 * values[:, 4]
    words = go.astype(int) << 5 | values[:, 1] << 4 | values[:, 0] << 3 | some
    return "".join(f"{word:02x}\n" for word in words)


def test_a_replay_is_held_against_the_recording(tmp_path):
    go = np.random.default_rng(2).integers(0, 2, 200).astype(np.uint8)
    values = expected(go)
    path = tmp_path / "counter.hex"
    path.write_text(lines(go, values))
    mapped = Mapped(PORTS, {}, 0.0, Path(), counter(), "")
    found = replay(mapped, read_ports(path, PORTS), tmp_path)
    assert (found.cycles, found.mismatches) == (200, 0)
    assert found.toggles["p2", 1] == np.abs(np.diff(values[:, 1])).sum()
    values[[5, 100, 150], 3] ^= 1
    path.write_text(lines(go, values))
    # The fifth edge is too early to count.
    assert replay(mapped, read_ports(path, PORTS), tmp_path).mismatches == 2


def test_a_payload_counts_while_it_is_valid(tmp_path):
    go = np.random.default_rng(3).integers(0, 2, 100).astype(np.uint8)
    values = expected(go)
    ports = (*PORTS[:2], Port("out__payload", False, 2), PORTS[3])
    values[:, :2] ^= 1
    valid = np.zeros((100, 1), dtype=np.uint8)
    valid[[5, 60, 61]] = 1
    recorded = {"go": go[:, None], "out__payload": values[:, :2], "some": values[:, 2:]}
    mapped = Mapped(ports, {}, 0.0, Path(), counter(), "")
    assert replay(mapped, recorded, tmp_path).mismatches == 84
    # The fifth edge is too early to count.
    assert replay(mapped, {**recorded, "out__valid": valid}, tmp_path).mismatches == 2


def test_ports_of_a_recording(tmp_path):
    ports = (Port("a", True, 3), Port("clk", True, 1), Port("b", False, 6), Port("c", True, 1))
    (tmp_path / "x.hex").write_text("3ff\n2a3\n")
    found = read_ports(tmp_path / "x.hex", ports)
    assert {name: bits[0].tolist() for name, bits in found.items()} == {
        "a": [1, 1, 1],
        "b": [1] * 6,
        "c": [1],
    }
    # 101 010001 1
    assert found["a"][1].tolist() == [1, 0, 1]
    assert found["b"][1].tolist() == [1, 0, 0, 0, 1, 0]
    (tmp_path / "x.hex").write_text("3ff\n2a\n")
    with pytest.raises(UserError) as caught:
        read_ports(tmp_path / "x.hex", ports)
    message = f"recording: {tmp_path / 'x.hex'} has not 3 digits a line; record again"
    assert str(caught.value) == message


def test_the_recorder_writes_all_but_the_clock():
    ports = (Port("clk", True, 1), Port("\\a$1", True, 2), Port("q", False, 3))
    text = recorder([Module("scaledrop.core.sums", "", ports, ())])
    assert '$fwrite(file_0, "%h\\n", {shell.dut.core.sums.\\a$1 , shell.dut.core.sums.q });' in text
    assert '$fopen({folder, "/scaledrop.core.sums.hex"}, "w")' in text


def test_the_recorder_knows_the_top():
    text = recorder([Module("scaledrop", "", (Port("q", False, 3),), ())])
    assert "{shell.dut.q }" in text
