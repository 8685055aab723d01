# SPDX-License-Identifier: Apache-2.0
"""Event counters: every increment lands in its event and layer."""

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop_hw.counters import EventCounters

GOOD = {"events": ["a", "b"], "layers": 2, "amount_bits": 3}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"width": 7}, "counter width must be an integer from 8 to 64, not 7"),
        ({"width": 65}, "counter width must be an integer from 8 to 64, not 65"),
        ({"amount_bits": 49}, "amount_bits must be an integer from 1 to 48, not 49"),
        ({"amount_bits": 0}, "amount_bits must be an integer from 1 to 48, not 0"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(EventCounters, GOOD, wrong) == message


def test_parameters_read_back():
    counters = EventCounters(**GOOD)
    assert (counters.events, counters.layers, counters.width) == (["a", "b"], 2, 48)


@pytest.mark.parametrize(("events", "layers", "width"), [(1, 1, 8), (3, 2, 48), (2, 5, 9)])
def test_random_increments(events, layers, width):
    rng = np.random.default_rng(layers)
    names = [f"e{index}" for index in range(events)]
    dut = EventCounters(events=names, layers=layers, amount_bits=4, width=width)
    counts, value, stimulus, expected, waiting = [0] * (events * layers), 0, [], [], []
    for _ in range(1500):
        amounts = [
            (int(rng.integers(layers)), int(rng.integers(16) * rng.integers(2))) for _ in names
        ]
        select = int(rng.integers(len(counts)))
        entries = [{"layer": layer, "amount": amount} for layer, amount in amounts]
        stimulus.append((dict(zip(names, entries, strict=True)), select))
        expected.append([value])
        # An amount is seen by a select two cycles later.
        value = counts[select]
        for at, amount in waiting:
            counts[at] = (counts[at] + amount) % (1 << width)
        waiting.clear()
        for index, (layer, amount) in enumerate(amounts):
            waiting.append((index * layers + layer, amount))
    assert play(dut, [dut.amounts, dut.select], stimulus, [dut.value]) == expected
    assert width > 9 or sum(entry["amount"] for row, _ in stimulus for entry in row.values()) > 512


def test_zero_after_reset():
    dut = EventCounters(**GOOD)
    inputs = [dut.amounts.a.layer, dut.amounts.a.amount]
    first, after = play_then_reset(dut, inputs, [[0, 7]] * 3, [dut.value])
    assert first == after == [[0]] * 2
