# SPDX-License-Identifier: Apache-2.0
"""Activation buffer: every bit comes back where the docstring puts it."""

import numpy as np
import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.activation_buffer import ActivationBuffer


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
    ],
)
def test_wrong_activation_parameters(wrong, message):
    assert refusal(ActivationBuffer, {"rows": 8, "lanes": 2, "depth": 3}, wrong) == message


def test_parameters_read_back():
    dut = ActivationBuffer(rows=8, lanes=2, depth=3)
    assert (dut.rows, dut.lanes, dut.depth) == (8, 2, 3)


@pytest.mark.parametrize(("rows", "lanes", "depth"), [(8, 2, 5), (4, 4, 3), (6, 1, 1), (1, 1, 2)])
def test_activations_random_reads_and_writes(rows, lanes, depth):
    rng = np.random.default_rng(rows)
    slots = rows // lanes
    fill = [
        (0, 0, 1, w, s, int(rng.integers(1 << lanes))) for w in range(depth) for s in range(slots)
    ]
    stimulus = fill + [
        (
            int(rng.integers(2)),
            int(rng.integers(depth)),
            int(rng.integers(2)),
            int(rng.integers(depth)),
            int(rng.integers(slots)),
            int(rng.integers(1 << lanes)),
        )
        for _ in range(800)
    ]
    dut = ActivationBuffer(rows=rows, lanes=lanes, depth=depth)
    inputs = [dut.read, dut.address, dut.write, dut.write_address, dut.slot, dut.bits]
    seen = play(dut, inputs, stimulus, [dut.word])
    words, word = [0] * depth, None
    for (got,), (read, address, write, at, slot, bits) in zip(seen, stimulus, strict=True):
        assert word is None or got == word
        word = words[address] if read else word
        if write:
            part = ((1 << lanes) - 1) << slot * lanes
            words[at] = words[at] & ~part | bits << slot * lanes
