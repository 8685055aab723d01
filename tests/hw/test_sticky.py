# SPDX-License-Identifier: Apache-2.0
"""Sticky status: nothing that happened is lost, counters saturate, stop follows its mask."""

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop_hw.sticky import StickyStatus


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"flags": 0}, "number of flags must be an integer from 1 to 64, not 0"),
        ({"flags": 65}, "number of flags must be an integer from 1 to 64, not 65"),
        ({"width": 33}, "counter width must be an integer from 1 to 32, not 33"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(StickyStatus, {"flags": 3}, wrong) == message


def test_parameters_read_back():
    dut = StickyStatus(flags=3, width=5)
    assert (dut.flags, dut.width, StickyStatus(flags=1).width) == (3, 5, 16)


@pytest.mark.parametrize(("flags", "width"), [(1, 1), (3, 2), (15, 4)])
def test_random_events_and_clears(flags, width):
    rng = np.random.default_rng(flags)
    dut = StickyStatus(flags=flags, width=width)
    counts, selected, stimulus, expected = [0] * flags, 0, [], []
    for _ in range(2000):
        events = int(rng.integers(1 << flags) & rng.integers(1 << flags))
        clear = int(rng.integers(1 << flags)) if rng.random() < 0.1 else 0
        enable, select = int(rng.integers(1 << flags)), int(rng.integers(flags))
        status = sum((count > 0) << at for at, count in enumerate(counts))
        stimulus.append((events, clear, enable, select))
        expected.append([status, int(status & enable != 0), selected])
        selected = counts[select]
        counts = dut.twin(counts, events, clear)
    inputs = [dut.events, dut.clear, dut.stop_enable, dut.select]
    assert play(dut, inputs, stimulus, [dut.status, dut.stop, dut.count]) == expected
    assert max(row[2] for row in expected) == 2**width - 1


def test_an_event_is_seen_one_cycle_later_and_outlives_a_clear_of_its_cycle():
    dut = StickyStatus(flags=2)
    stimulus = [(2, 0, 2), (2, 2, 2), (0, 0, 1), (0, 2, 2), (0, 0, 2)]
    rows = play(dut, [dut.events, dut.clear, dut.stop_enable], stimulus, [dut.status, dut.stop])
    assert rows == [[0, 0], [2, 1], [2, 0], [2, 1], [0, 0]]


def test_zero_after_reset():
    dut = StickyStatus(flags=2)
    outputs = [dut.status, dut.stop, dut.count]
    first, after = play_then_reset(dut, [dut.events, dut.stop_enable], [[3, 3]] * 3, outputs)
    assert first == after == [[0, 0, 0]] * 2
