# SPDX-License-Identifier: Apache-2.0
"""Prefix stack: depth first, the kept side first, nothing forgotten and nothing twice."""

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop_hw.prefix_stack import PrefixStack

GOOD = {"layers": 3, "weight_bits": 4}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"weight_bits": 33}, "weight_bits must be an integer from 1 to 32, not 33"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(PrefixStack, GOOD, wrong) == message


def test_parameters_read_back():
    dut = PrefixStack(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


def inputs_of(dut):
    return [dut.advance, dut.keeps, dut.drops, dut.kept, dut.dropped]


def going(advance, kept, dropped):
    return [advance, int(kept != 0), int(dropped != 0), kept, dropped]


def check(layers, sides, rng=None, idle=0.0):
    """Goes on with ``sides`` one after another; between them nothing moves."""
    dut = PrefixStack(layers=layers, weight_bits=5)
    stimulus = []
    for kept, dropped in sides:
        while idle and rng.random() < idle:
            stimulus.append(going(0, *rng.integers(0, 32, 2).tolist()))
        stimulus.append(going(1, kept, dropped))
    outputs = [dut.layer, dut.path, dut.head, dut.ends, dut.following]
    rows = play(dut, inputs_of(dut), stimulus, outputs)
    nodes = [(0, 0, 0), *PrefixStack.twin(layers, sides)]
    at = 0
    for (advance, *_), (layer, path, head, ends, following) in zip(stimulus, rows, strict=True):
        assert (layer, path) == nodes[at][:2] and head == (layer == layers - 1)
        at += advance
        if advance:
            assert tuple(following.values()) == nodes[at]
            assert ends == (nodes[at] == (0, 0, 0))
    assert at == len(sides)


def test_every_tree_of_two_layers_twice():
    some = [(1, 0), (0, 2), (3, 4)]
    for first, *heads in product(some, repeat=3):
        used = heads[: 2 if all(first) else 1]
        check(2, [first, *used, first, *used])


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_random_trees(layers, idle):
    rng = np.random.default_rng(layers)
    kept = rng.integers(0, 32, 400) * (rng.random(400) < 0.8)
    dropped = rng.integers(0, 32, 400) * (rng.random(400) < 0.8)
    dropped = np.where(kept + dropped == 0, 1, dropped)
    check(layers, list(zip(kept.tolist(), dropped.tolist(), strict=True)), rng, idle)


def test_at_the_root_after_reset():
    dut = PrefixStack(**GOOD)
    outputs = [dut.layer, dut.path, dut.head, dut.ends]
    for length in range(1, 7):
        stimulus = [going(1, 5, 6)] * length
        first, after = play_then_reset(dut, inputs_of(dut), stimulus, outputs)
        assert first == after == [[0, 0, 0, 0]] * 2


def test_nothing_waits_after_reset():
    dut, reset = PrefixStack(**GOOD), Signal()
    inputs = [reset, *inputs_of(dut)]
    stimulus = [[0, *going(1, 5, 6)]] * 2 + [[1, *going(0, 0, 0)]]
    stimulus += [[0, *going(1, 5, 0)]] * 2 + [[0] * 6]
    rows = play(ResetInserter(reset)(dut), inputs, stimulus, [dut.head, dut.ends])
    assert rows[2] == [1, 0] and rows[-1] == [1, 1]
