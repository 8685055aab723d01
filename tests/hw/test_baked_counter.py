# SPDX-License-Identifier: Apache-2.0
"""Counter of inputs that equal constants: every one when small, random with pauses when larger."""

import random

import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.baked_counter import BakedCounter

GOOD = {"patterns": [1, 2, 3], "offsets": [0, -2], "width": 3, "latency": 5}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patterns": []}, "number of inputs must be an integer from 1 to 2048, not 0"),
        ({"patterns": [4]}, "patterns[0] must be an integer from 0 to 3, not 4"),
        ({"offsets": []}, "number of columns must be an integer from 1 to 4096, not 0"),
        ({"width": 0}, "width must be an integer from 1 to 13, not 0"),
        ({"width": 14}, "width must be an integer from 1 to 13, not 14"),
        ({"latency": 4}, "latency must be an integer from 5 to 64, not 4"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(BakedCounter, GOOD, wrong) == message


def test_parameters_read_back():
    counter = BakedCounter(**GOOD)
    assert {name: getattr(counter, name) for name in GOOD} == GOOD


def check(dut, stimulus):
    """A row is enable, clear, inputs, keep of the same activation."""
    stimulus = [*stimulus, *[(1, 0, 0, 1)] * dut.latency]
    seen, rows, stages = [], [], [None] * dut.latency
    for enable, clear, inputs, keep in stimulus:
        due = stages[-2]
        rows.append((enable, clear, inputs, due[1] if due else 1))
        seen.append(stages[-1])
        if enable:
            want = dut.twin(0 if clear else inputs, dut.patterns, dut.offsets, dut.width)
            stages = [(want if keep else [0] * len(want), keep), *stages[:-1]]
    got = play(dut, [dut.enable, dut.clear, dut.inputs, dut.keep], rows, [dut.totals])
    pairs = [(one, want[0]) for (one,), want in zip(got, seen, strict=True) if want]
    assert len(pairs) >= sum(row[0] for row in stimulus) - dut.latency
    assert all(one == want for one, want in pairs)


@pytest.mark.parametrize("offset", [0, 1, -3, 6])
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 5])
def test_every_input_and_pattern(inputs, width, offset):
    columns = 1 << inputs
    patterns = [sum((c >> at & 1) << c for c in range(columns)) for at in range(inputs)]
    offsets = [offset] * columns
    dut = BakedCounter(patterns=patterns, offsets=offsets, width=width, latency=5)
    check(dut, [(1, 0, value, 1) for value in range(columns)])


@pytest.mark.parametrize(("inputs", "latency"), [(6, 5), (9, 6), (28, 5), (100, 8), (130, 5)])
def test_random_with_pauses(inputs, latency):
    rng = random.Random(inputs)
    patterns, offsets = [rng.getrandbits(3) for _ in range(inputs)], [0, -inputs, rng.randrange(64)]
    width = (2 * inputs).bit_length() + 1
    dut = BakedCounter(patterns=patterns, offsets=offsets, width=width, latency=latency)
    flags = [(rng.random() < 0.6, rng.random() < 0.2, rng.random() < 0.8) for _ in range(120)]
    check(dut, [(int(e), int(c), rng.getrandbits(inputs), int(k)) for e, c, k in flags])
