# SPDX-License-Identifier: Apache-2.0
"""Activation buffer: every bit comes back where the docstring puts it."""

import numpy as np
import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.activation_buffer import ActivationBuffer

GOOD = {"rows": 8, "lanes": 2, "depth": 3, "planes": 2}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be an integer from 1 to 1024, not 0"),
        ({"lanes": 9}, "lanes must be an integer from 1 to 8, not 9"),
        ({"lanes": 3}, "lanes must divide rows (8), not 3"),
        (
            {"depth": 0},
            "depth of the activation buffer must be an integer from 1 to 1048576, not 0",
        ),
        ({"planes": 0}, "planes must be an integer from 1 to 8, not 0"),
        ({"planes": 9}, "planes must be an integer from 1 to 8, not 9"),
    ],
)
def test_wrong_activation_parameters(wrong, message):
    assert refusal(ActivationBuffer, GOOD, wrong) == message


def test_parameters_read_back():
    dut = ActivationBuffer(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


def random_rows(rng, dut, count):
    """Every code written once in order, then reads and writes at random."""
    slots, high = dut.rows // dut.lanes, 1 << dut.planes

    def codes():
        return rng.integers(high, size=dut.lanes).tolist()

    fill = [(0, 0, 0, 1, word, slot, codes()) for word in range(dut.depth) for slot in range(slots)]
    ranges = (2, dut.depth, dut.planes, 2, dut.depth, slots)
    return fill + [(*map(int, map(rng.integers, ranges)), codes()) for _ in range(count)]


@pytest.mark.parametrize(
    ("rows", "lanes", "depth", "planes"),
    [(8, 2, 5, 1), (4, 4, 3, 3), (6, 1, 1, 2), (1, 1, 2, 8), (1, 1, 1, 1), (6, 3, 4, 5)],
)
def test_random_reads_and_writes(rows, lanes, depth, planes):
    dut = ActivationBuffer(rows=rows, lanes=lanes, depth=depth, planes=planes)
    stimulus = random_rows(np.random.default_rng(rows), dut, 800)
    inputs = [dut.read, dut.address, dut.bit, dut.write, dut.write_address, dut.slot, dut.codes]
    seen = play(dut, inputs, stimulus, [dut.word])
    words, word = np.zeros((depth, rows), dtype=int), None
    for (got,), (read, address, bit, write, at, slot, codes) in zip(seen, stimulus, strict=True):
        assert word is None or got == word
        if read:
            word = sum((int(code) >> bit & 1) << row for row, code in enumerate(words[address]))
        if write:
            words[at, slot * lanes : (slot + 1) * lanes] = codes
