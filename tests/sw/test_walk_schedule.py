# SPDX-License-Identifier: Apache-2.0
"""When commands are there: by hand, and against the RTL in every cycle."""

import time

import numpy as np
import pytest
from walker_bench import Settings, run

from scaledrop.walk import Inference, walk
from scaledrop.walk_schedule import CommandSchedule
from scaledrop_hw.dropout import SpinTiming
from scaledrop_hw.walker import Walker

CODES = [6554, 0, 32768, 60000, 13107, 65535]
TIMINGS = [SpinTiming(), SpinTiming(1, 0, 1, 1), SpinTiming(3, 2, 4, 5)]


def test_drawn_bits_by_hand():
    schedule = CommandSchedule(depth=2, bit_cycles=3)
    schedule.begin(10)
    first, second = walk(Inference("shared", 2), [0, 0], [1, 1, 1, 0])
    assert schedule.offer(first) == 11 + 2 * 5
    schedule.taken(21)
    assert schedule.offer(second) == 21 + 2 * 5
    schedule.taken(40)
    schedule.begin(20)
    assert schedule.offer(first) == 30 + 2 + 2 * 5


def test_mass_by_hand():
    schedule = CommandSchedule(2, 3, layers=2)
    visits = list(walk(Inference("exact"), [32768, 32768]))
    schedule.begin(0)
    assert [visit.layer for visit in visits] == [0, 1, 1]
    assert schedule.offer(visits[0]) == 1 + 4 + 1
    assert schedule.offer(visits[1]) == 6 + 2 + 1
    schedule.taken(20)
    assert schedule.offer(visits[2]) == 21 + 1
    schedule.taken(22)
    schedule.taken(23)


def test_the_next_image_begins_two_cycles_after_the_last_command_was_queued():
    schedule = CommandSchedule(4, 5)
    (only,) = walk(Inference("passes", 1), [0], [1])
    schedule.begin(0)
    schedule.begin(3)
    assert [schedule.offer(only), schedule.offer(only)] == [8, 8 + 1 + 7]


def test_what_cannot_be_is_refused():
    schedule = CommandSchedule(2, 5)
    (only,) = walk(Inference("passes", 1), [0], [1])
    with pytest.raises(IndexError):
        schedule.offer(only)
    for _ in range(3):
        schedule.begin(0)
    schedule.offer(only)
    schedule.offer(only)
    with pytest.raises(ValueError, match="the queue is full: take a command first"):
        schedule.offer(only)
    (exact,) = walk(Inference("exact"), [0])
    schedule.taken(50)
    with pytest.raises(ValueError, match="an exact visit needs the number of layers"):
        schedule.offer(exact)


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize(
    ("depth", "stall", "gap"), [(2, 0.0, 0), (3, 0.9, 0), (16, 0.95, 40), (5, 0.5, 300)]
)
def test_the_rtl_offers_every_command_in_its_cycle(layers, depth, stall, gap):
    rng = np.random.default_rng(100 * layers + depth)
    codes = [int(code) for code in rng.permutation(CODES)[:layers]]
    images = [
        Settings(int(mode), int(rng.integers(5)), int(rng.choice([0, 2**17, 2**21])))
        for mode in rng.permutation([0, 1, 2, 2, 1, 0])
    ]
    count = sum(max(image.passes, 1) * layers for image in images if image.mode != 2)
    bits = rng.integers(0, 2, count).tolist()
    timing = TIMINGS[int(rng.integers(3))]
    seen = run(codes, images, bits, rng, depth=depth, timing=timing, stall=stall, gap=gap)
    schedule = CommandSchedule(depth, timing.cycles, layers)
    for cycle in seen.held:
        schedule.begin(cycle)
    stream = iter(bits)
    visits = [
        visit
        for one in images
        for visit in Walker.twin(one.mode, one.passes, one.cutoff, codes, stream)
    ]
    expected = []
    for visit, taken in zip(visits, seen.taken, strict=True):
        expected.append(schedule.offer(visit))
        schedule.taken(taken)
    assert seen.first_offered == expected


def test_a_hundred_thousand_visits_take_seconds_at_most():
    visits = list(walk(Inference("exact"), [20000] * 10))
    schedule = CommandSchedule(16, 5, 10)
    start = time.perf_counter()
    for _ in range(100):
        schedule.begin(0)
        for visit in visits:
            schedule.taken(schedule.offer(visit))
    assert 100 * len(visits) > 100_000 and time.perf_counter() - start < 5
