# SPDX-License-Identifier: Apache-2.0
"""Head: every gain, value and offset at small widths; leaves and images in their timing."""

from itertools import product

import numpy as np
import pytest
from simulate import play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop.numbers import signed_width
from scaledrop_hw.head import Head

GOOD = {
    "lanes": 2,
    "value_width": 6,
    "logit_width": 12,
    "gain_bits": 4,
    "weight_bits": 5,
    "init": [(1, 2)],
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lanes": 0}, "lanes must be an integer from 1 to 1024, not 0"),
        ({"value_width": 1}, "value_width must be an integer from 2 to 62, not 1"),
        ({"logit_width": 63}, "logit_width must be an integer from 1 to 62, not 63"),
        ({"gain_bits": 1}, "gain_bits must be an integer from 2 to 62, not 1"),
        ({"gain_bits": 63}, "gain_bits must be an integer from 2 to 62, not 63"),
        ({"weight_bits": 33}, "weight_bits must be an integer from 1 to 32, not 33"),
        ({"init": []}, "classes must be an integer from 1 to 65536, not 0"),
        ({"init": [(1,)]}, "init[0] must hold 2 or 3 values, not 1"),
        ({"init": [(1, 2, 3), (1, 2)]}, "init[1] must hold 3 values, not 2"),
        ({"init": [(8, 2)]}, "gain[0] must be an integer from -8 to 7, not 8"),
        ({"init": [(7, -9, 0)]}, "gain_dropped[0] must be an integer from -8 to 7, not -9"),
        ({"init": [(0, 2048)]}, "offset[0] must be an integer from -2048 to 2047, not 2048"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Head, GOOD, wrong) == message


@pytest.mark.parametrize("init", [[(1, 2)], [(3, -4, 5), (0, 7, -6)]])
def test_parameters_read_back(init):
    head = Head(**{**GOOD, "init": init})
    assert {name: getattr(head, name) for name in GOOD} == {**GOOD, "init": init}
    assert head.classes == len(init)


NAMES = ("values", "count", "label", "keep", "weight", "first", "ends_leaf", "ends_image")


def beats_of(dut, visits):
    """Beats of some visits, ``NAMES`` in order: in each beat the kept leaf, then the dropped one.

    A visit is a list of leaves, each a dict of its values, keep, weight, first and ends_image.
    """
    for leaves in visits:
        for start in range(0, dut.classes, dut.lanes):
            for leaf in leaves:
                part = leaf["values"][start : start + dut.lanes]
                padded = part + [0] * (dut.lanes - len(part))
                last = int(start + dut.lanes >= dut.classes)
                tag = (leaf["keep"], leaf["weight"], leaf["first"], last, leaf["ends_image"])
                yield padded, len(part), start, *tag


def run_head(dut, visits, rng, idle=0.0):
    """Load the beats when the head is ready; drains an image some cycles after its last beat."""

    async def load(ctx):
        for beat in beats_of(dut, visits):
            if not ctx.get(dut.ready):
                await ctx.tick().until(dut.ready)
            while rng.random() < idle:
                await ctx.tick()
            for name, value in zip(NAMES, beat, strict=True):
                ctx.set(getattr(dut, name), value)
            ctx.set(dut.load, 1)
            await ctx.tick()
            ctx.set(dut.load, 0)
            for name in NAMES[1:]:
                ctx.set(getattr(dut, name), 0 if beat[NAMES.index(name)] else 1)
            if beat[-2] and beat[-1]:
                await ctx.tick().repeat(beat[1] + Head.LATENCY + int(rng.integers(4)))
                ctx.set(dut.drained, 1)
                await ctx.tick()
                ctx.set(dut.drained, 0)
        await ctx.tick().repeat(dut.lanes + Head.LATENCY)

    ends_image = dut.load & dut.ends_leaf & dut.ends_image
    watch = [dut.load, dut.count, ends_image, dut.drained, dut.ready, dut.clears]
    watch += [dut.logit_valid, dut.logit]
    return simulate(dut, load, watch=watch)


def logits_of(dut, visits):
    """Every logit that must come out, in order."""
    for values, count, start, keep, weight, first, ends_leaf, ends_image in beats_of(dut, visits):
        for place in range(count):
            label = start + place
            yield {
                "label": label,
                "value": Head.twin(dut.init[label], values[place], keep),
                "keep": keep,
                "weight": weight,
                "first": first,
                "ends_leaf": int(ends_leaf and place == count - 1),
                "ends_image": int(ends_leaf and ends_image and place == count - 1),
            }


def check_timing(rows):
    due, busy_until, occupied = set(), -1, False
    for now, (load, count, ends_image, drained, ready, clears, valid, _) in enumerate(rows):
        assert ready == (now > busy_until and not occupied)
        assert clears == (now >= busy_until and not occupied)
        assert valid == (now in due)
        occupied = occupied and not drained
        if load:
            due |= {now + Head.LATENCY + place for place in range(count)}
            busy_until, occupied = now + count, bool(ends_image)


def check(dut, visits, rng, idle=0.0):
    rows = run_head(dut, visits, rng, idle)
    assert [row[-1] for row in rows if row[-2]] == list(logits_of(dut, visits))
    check_timing(rows)


@pytest.mark.parametrize("gains", [1, 2])
def test_every_gain_offset_and_value(gains):
    init = [(*([0] * (gains - 1)), *pair) for pair in product(range(-4, 4), range(-8, 8))]
    width = signed_width(4 * 8 + 8)
    dut = Head(lanes=4, value_width=4, logit_width=width, gain_bits=3, weight_bits=1, init=init)
    visits = [
        [{"values": [value] * len(init), "keep": 0, "weight": 1, "first": 0, "ends_image": 0}]
        for value in range(-8, 8)
    ]
    check(dut, visits, np.random.default_rng(11))


def random_visits(rng, classes, value_limit, lengths):
    """Images of some numbers of visits, each of a kept leaf, a dropped one or both."""
    for visits in lengths:
        for at in range(visits):
            outcomes = [(1,), (0,), (1, 0)][int(rng.integers(3))]
            yield [
                {
                    "values": rng.integers(-value_limit, value_limit, classes).tolist(),
                    "keep": keep,
                    "weight": int(rng.integers(1, 8)),
                    "first": int(at == 0 and keep == outcomes[0]),
                    "ends_image": int(at == visits - 1 and keep == outcomes[-1]),
                }
                for keep in outcomes
            ]


@pytest.mark.parametrize(("classes", "lanes"), [(5, 2), (4, 4), (1, 1), (3, 1), (7, 8), (12, 5)])
@pytest.mark.parametrize("gains", [1, 2])
@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_random_images(classes, lanes, gains, idle):
    rng = np.random.default_rng(classes)
    words = rng.integers(-(1 << 11), 1 << 11, (classes, gains + 1)).tolist()
    init = [tuple(word) for word in words]
    dut = Head(lanes=lanes, value_width=10, logit_width=24, gain_bits=12, weight_bits=3, init=init)
    check(dut, list(random_visits(rng, classes, 512, (1, 3, 2, 4, 1))), rng, idle)


def test_the_outcome_of_each_beat_chooses_its_gain():
    init = [(3, -5, 1), (7, 2, -4), (-8, 6, 0)]
    dut = Head(**{**GOOD, "init": init})
    leaf = {"weight": 9, "first": 0, "ends_image": 0}
    visit = [{"values": [10, -20, 30], "keep": keep, **leaf} for keep in (1, 0)]
    rows = run_head(dut, [visit], np.random.default_rng(0))
    found = [(row[-1]["label"], row[-1]["value"]) for row in rows if row[-2]]
    want = [(0, 31), (1, -144), (0, -49), (1, -44), (2, -240), (2, 180)]
    assert found == want


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_product_of_wide_gains(sign):
    gain, value, offset = sign * ((1 << 39) - 1), -(1 << 19), -sign * ((1 << 59) - 1)
    dut = Head(
        lanes=1,
        value_width=20,
        logit_width=61,
        gain_bits=40,
        weight_bits=25,
        init=[(gain, -gain, offset)],
    )
    leaf = {"values": [value], "weight": (1 << 25) - 1, "first": 1, "ends_image": 0}
    check(dut, [[{**leaf, "keep": 1}], [{**leaf, "keep": 0}]], np.random.default_rng(1))


def test_ready_after_reset():
    dut = Head(**GOOD)
    inputs = [dut.load, dut.count, dut.ends_leaf, dut.ends_image]
    stimulus = [[1, 1, 1, 1], [0, 0, 0, 0]]
    first, after = play_then_reset(dut, inputs, stimulus, [dut.ready, dut.logit_valid])
    assert first == after == [[1, 0]] * 2
