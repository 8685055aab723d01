# SPDX-License-Identifier: Apache-2.0
"""Walker: the visits of the twin, one request a bit, one walk an image, and never stuck."""

from itertools import pairwise

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from simulate import play, play_then_reset
from walker_bench import Settings, run
from wrong_parameters import refusal

from scaledrop.walk import MASS
from scaledrop_hw.dropout import SpinTiming
from scaledrop_hw.prefix_stack import PrefixStack
from scaledrop_hw.walker import Walker

GOOD = {"layers": 2, "max_passes": 3, "depth": 4}
FIELDS = ("layer", "path", "kept", "dropped", "first", "last")
CODES = [6554, 0, 32768, 60000, 13107, 65535]
PASSES, SHARED, EXACT = range(3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"max_passes": 0}, "max_passes must be an integer from 1 to 65535, not 0"),
        ({"max_passes": 65536}, "max_passes must be an integer from 1 to 65535, not 65536"),
        ({"depth": 1}, "depth must be an integer from 2 to 256, not 1"),
        ({"depth": 257}, "depth must be an integer from 2 to 256, not 257"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Walker, GOOD, wrong) == message


def test_parameters_read_back():
    dut = Walker(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD
    assert (Walker(layers=1, max_passes=1).depth, dut.weight_bits) == (16, 25)
    assert dut.command.payload.kept.shape().width == dut.weight_bits


def random_images(rng, count, passes=6):
    cutoffs = [0, 1, 2**12, 2**17, 2**20, 2**22, MASS, 2 * MASS - 1]
    return [
        Settings(int(rng.integers(4)), int(rng.integers(passes)), int(rng.choice(cutoffs)))
        for _ in range(count)
    ]


def random_bits(rng, images, layers):
    count = sum(max(image.passes, 1) * layers for image in images if image.mode != EXACT)
    return (rng.random(count) < rng.choice([0.2, 0.5, 0.8])).astype(int).tolist()


def visits_of(images, codes, bits):
    bits = iter(bits)
    return [Walker.twin(one.mode, one.passes, one.cutoff, codes, bits) for one in images]


def as_command(visit):
    return {name: int(getattr(visit, name)) for name in FIELDS}


@pytest.mark.parametrize("layers", [1, 2, 3, 6])
@pytest.mark.parametrize(("stall", "gap"), [(0.0, 0), (0.9, 0), (0.5, 100)])
def test_the_walks_of_the_twin(layers, stall, gap):
    rng = np.random.default_rng(layers)
    codes = [int(code) for code in rng.permutation(CODES)[:layers]]
    images = [Settings(mode, 3, 2**20) for mode in range(4)] + random_images(rng, 4)
    bits = random_bits(rng, images, layers)
    seen = run(codes, images, bits, rng, depth=3, stall=stall, gap=gap)
    visits = [visit for walk in visits_of(images, codes, bits) for visit in walk]
    drawn = [{"layer": visit.layer, "keep": bit} for visit in visits for bit in visit.bits]
    assert seen.commands == seen.formed == [as_command(visit) for visit in visits]
    assert seen.drawn == drawn and [bit["keep"] for bit in drawn] == bits
    assert seen.requests == [bit["layer"] for bit in drawn]


def test_an_offered_command_holds():
    rng = np.random.default_rng(2)
    images = [Settings(SHARED, 5), Settings(EXACT)]
    seen = run(CODES[:3], images, random_bits(rng, images, 3), rng, depth=2, stall=0.8)
    waits = [one["command"] and not one["command_ready"] for one in seen.cycles]
    assert sum(waits) > 20
    for wait, after in zip(waits, seen.cycles[1:], strict=False):
        assert not wait or after["command"]


def test_bits_follow_one_another_without_a_pause_across_visits():
    rng = np.random.default_rng(3)
    for mode in (PASSES, SHARED):
        for timing in (SpinTiming(), SpinTiming(reset=4, settle=0, write=3, read=2)):
            images = [Settings(mode, 4)]
            seen = run(CODES[:3], images, [1, 0, 0, 1] * 3, rng, depth=16, timing=timing)
            asked = [cycle for cycle, row in enumerate(seen.cycles) if row["requested"]]
            drawn = [cycle for cycle, row in enumerate(seen.cycles) if row["drawn_valid"]]
            assert asked[0] == 1 and len(asked) == 12
            assert drawn == [cycle + timing.cycles + 1 for cycle in asked]
            assert asked[1:] == [cycle + 1 for cycle in drawn[:-1]]


def test_no_request_too_many_where_they_are_taken_ahead_of_their_bits():
    dut = Walker(layers=2, max_passes=3, depth=4)
    inputs = [dut.held, dut.mode, dut.passes, dut.request.ready, dut.bits.valid, dut.bits.payload]
    stimulus = [[1, SHARED, 3, 1, int(cycle % 7 == 6), 1] for cycle in range(60)]
    outputs = [dut.request.valid, dut.request.payload, dut.drawn_valid]
    rows = play(dut, inputs, stimulus, outputs)
    assert [layer for valid, layer, _ in rows if valid] == [0] * 3 + [1] * 3
    assert [row[0] for row in rows[:6]] == [0, 1, 1, 1, 0, 0]
    assert sum(row[2] for row in rows) == 6


def test_mass_takes_two_cycles_for_each_layer_from_the_visit_on():
    rng = np.random.default_rng(4)
    for layers in (1, 2, 5):
        seen = run(CODES[:layers], [Settings(EXACT)], [], rng, depth=64)
        formed = [cycle for cycle, row in enumerate(seen.cycles) if row["formed_valid"]]
        begins = [1, *(cycle + 1 for cycle in formed)]
        for start, end, visit in zip(begins, formed, seen.formed, strict=False):
            assert end - start == 2 * (layers - visit["layer"])
        assert seen.first_offered[0] == formed[0] + 1


def test_a_full_queue_holds_the_last_bit_of_a_visit_and_no_other():
    dut = Walker(layers=1, max_passes=3, depth=2)
    inputs = [dut.held, dut.mode, dut.passes, dut.request.ready, dut.bits.valid, dut.command.ready]
    fill = [[1, PASSES, 3, 1, 1, 0]] * 3
    stimulus = [*fill, [1, PASSES, 3, 1, 1, 0], [1, PASSES, 3, 1, 1, 1], [1, PASSES, 3, 1, 1, 0]]
    rows = play(dut, inputs, stimulus, [dut.bits.ready, dut.formed_valid])
    assert rows == [[0, 0], [1, 1], [1, 1], [0, 0], [0, 0], [1, 1]]
    rows = play(dut, inputs, [[1, SHARED, 3, 1, 1, 0]] * 5, [dut.bits.ready, dut.formed_valid])
    assert rows == [[0, 0], [1, 0], [1, 0], [1, 1], [0, 0]]


def test_one_walk_for_every_image_held():
    dut = Walker(layers=1, max_passes=1, depth=8)
    inputs = [dut.held, dut.free, dut.request.ready, dut.bits.valid]
    held = [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 1, 2, 2, 2]
    free = [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    stimulus = [[one, other, 1, 1] for one, other in zip(held, free, strict=True)]
    rows = play(dut, inputs, stimulus, [dut.walking, dut.formed_valid])
    walks = [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]
    assert [row[0] for row in rows] == walks == [row[1] for row in rows]


def test_idle_after_reset_in_the_middle_of_a_walk():
    dut = Walker(layers=3, max_passes=3, depth=4)
    inputs = [dut.held, dut.mode, dut.passes, dut.code, dut.request.ready, dut.bits.valid]
    outputs = [dut.walking, dut.command.valid, dut.request.valid, dut.bits.ready]
    outputs += [dut.formed_valid, dut.drawn_valid, dut.asked]
    for mode in (PASSES, SHARED, EXACT):
        for length in (1, 2, 5, 12, 30):
            stimulus = [[1, mode, 3, 30000, 1, 1]] * length
            first, after = play_then_reset(dut, inputs, stimulus, outputs)
            assert first == after == [[0] * len(outputs)] * 2


def test_a_walk_after_reset_is_a_whole_one():
    dut = Walker(layers=2, max_passes=3, depth=8)
    inputs = [dut.held, dut.mode, dut.passes, dut.code, dut.request.ready, dut.bits.valid]
    row, fields = [1, EXACT, 3, 30000, 1, 1], [getattr(dut.formed, name) for name in FIELDS]
    for length in (3, 6, 8, 11):
        seen = _after_reset(dut, inputs, row, length, [dut.formed_valid, *fields])
        formed = [values for valid, *values in seen if valid]
        expected = Walker.twin(EXACT, 3, 0, [30000, 30000])
        assert formed == [list(as_command(visit).values()) for visit in expected]


def _after_reset(dut, inputs, row, length, outputs):
    reset = Signal()
    stimulus = [*[[0, *row]] * length, [1, *row], *[[0, *row]] * 30]
    return play(ResetInserter(reset)(dut), [reset, *inputs], stimulus, outputs)[length + 1 :]


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_no_input_leads_astray(layers):
    """All inputs are noise: visits still follow one another as in a tree, and walks end."""
    rng = np.random.default_rng(layers)
    dut = Walker(layers=layers, max_passes=3, depth=2)
    inputs = [dut.mode, dut.passes, dut.cutoff, dut.held, dut.free, dut.code]
    inputs += [dut.request.ready, dut.bits.valid, dut.bits.payload, dut.command.ready]
    sizes = [4, 4, 1 << 25, 4, 2, 1 << 16, 2, 2, 2, 2]
    stimulus = rng.integers(0, sizes, (6000, len(sizes))).tolist()
    outputs = [dut.formed_valid, *(getattr(dut.formed, name) for name in FIELDS)]
    rows = [values for valid, *values in play(dut, inputs, stimulus, outputs) if valid]
    sides = [(kept, dropped) for _, _, kept, dropped, _, _ in rows]
    nodes = [(0, 0, 0), *PrefixStack.twin(layers, sides)]
    ended = True
    for (layer, path, kept, dropped, first, last), node in zip(rows, nodes, strict=False):
        assert (layer, path) == node[:2] and 0 < kept + dropped <= MASS
        assert kept + dropped <= (node[2] or MASS) and first == (ended or first)
        ended = last
    assert sum(row[-1] for row in rows) > 60
    for before, after in pairwise(rows):
        assert after[4] == (before[4] and before[0] < layers - 1) or before[5]
