# SPDX-License-Identifier: Apache-2.0
"""Head: every gain, sum and offset at small widths; passes and images in their timing."""

from itertools import product

import numpy as np
import pytest
from simulate import play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop.numbers import signed_width
from scaledrop_hw.head import Head

GOOD = {"lanes": 2, "scaled_width": 6, "logit_width": 12, "gain_bits": 4, "init": [(1, 2)]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lanes": 0}, "lanes must be an integer from 1 to 1024, not 0"),
        ({"scaled_width": 1}, "scaled_width must be an integer from 2 to 62, not 1"),
        ({"logit_width": 63}, "logit_width must be an integer from 1 to 62, not 63"),
        ({"gain_bits": 25}, "gain_bits must be an integer from 2 to 24, not 25"),
        ({"init": []}, "classes must be an integer from 1 to 65536, not 0"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Head, GOOD, wrong) == message


def test_parameters_read_back():
    head = Head(**GOOD)
    assert (head.lanes, head.classes, head.logit_width) == (2, 1, 12)


def beats_of(dut, passes):
    """Loads of some passes: (scaled, count, last, first_pass, last_pass) beat by beat."""
    for values, first_pass, last_pass in passes:
        for start in range(0, dut.classes, dut.lanes):
            part = values[start : start + dut.lanes]
            padded = part + [0] * (dut.lanes - len(part))
            last = start + dut.lanes >= dut.classes
            yield padded, len(part), int(last), first_pass, last_pass


def run_head(dut, passes, rng, idle=0.0):
    """Load the passes when the head is ready; drains an image some cycles after its last beat."""

    async def load(ctx):
        names = ("scaled", "count", "last", "first_pass", "last_pass")
        for beat in beats_of(dut, passes):
            if not ctx.get(dut.ready):
                await ctx.tick().until(dut.ready)
            while rng.random() < idle:
                await ctx.tick()
            for name, value in zip(names, beat, strict=True):
                ctx.set(getattr(dut, name), value)
            ctx.set(dut.load, 1)
            await ctx.tick()
            ctx.set(dut.load, 0)
            for name in names[1:]:
                ctx.set(getattr(dut, name), 1 - beat[names.index(name)] % 2)
            if beat[2] and beat[4]:
                await ctx.tick().repeat(beat[1] + 3 + int(rng.integers(4)))
                ctx.set(dut.drained, 1)
                await ctx.tick()
                ctx.set(dut.drained, 0)
        await ctx.tick().repeat(dut.lanes + 3)

    ends_image = dut.load & dut.last & dut.last_pass
    watch = [dut.load, dut.count, ends_image, dut.drained, dut.ready, dut.logit_valid, dut.logit]
    return simulate(dut, load, watch=watch)


def logits_of(init, passes):
    """Every logit that must come out, in order."""
    final = len(init) - 1
    return [
        {
            "label": label,
            "value": Head.twin(gain, values[label], offset),
            "first_pass": first_pass,
            "last_pass": last_pass,
            "last": int(label == final),
        }
        for values, first_pass, last_pass in passes
        for label, (gain, offset) in enumerate(init)
    ]


def check_timing(rows):
    due, busy_until, occupied = set(), -1, False
    for now, (load, count, ends_image, drained, ready, valid, _) in enumerate(rows):
        assert ready == (now > busy_until and not occupied)
        assert valid == (now in due)
        occupied = occupied and not drained
        if load:
            due |= {now + 3 + place for place in range(count)}
            busy_until, occupied = now + count, bool(ends_image)


def test_every_gain_offset_and_sum():
    init = list(product(range(-4, 4), range(-8, 8)))
    width = signed_width(4 * 8 + 8)
    dut = Head(lanes=4, scaled_width=4, logit_width=width, gain_bits=3, init=init)
    passes = [([value] * len(init), 0, 0) for value in range(-8, 8)]
    rows = run_head(dut, passes, np.random.default_rng(11))
    assert [row[-1] for row in rows if row[-2]] == logits_of(init, passes)


@pytest.mark.parametrize(("classes", "lanes"), [(5, 2), (4, 4), (1, 1), (3, 1), (7, 8)])
@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_random_images(classes, lanes, idle):
    rng = np.random.default_rng(classes)
    pairs = rng.integers(-(1 << 11), 1 << 11, (classes, 2)).tolist()
    init = [tuple(pair) for pair in pairs]
    dut = Head(lanes=lanes, scaled_width=10, logit_width=24, gain_bits=12, init=init)
    passes = [
        (rng.integers(-512, 512, classes).tolist(), int(at == 0), int(at == count - 1))
        for count in (1, 3, 2, 1)
        for at in range(count)
    ]
    rows = run_head(dut, passes, rng, idle)
    assert [row[-1] for row in rows if row[-2]] == logits_of(init, passes)
    check_timing(rows)


def test_ready_after_reset():
    dut = Head(**GOOD)
    inputs = [dut.load, dut.count, dut.last, dut.last_pass]
    stimulus = [[1, 1, 1, 1], [0, 0, 0, 0]]
    first, after = play_then_reset(dut, inputs, stimulus, [dut.ready, dut.logit_valid])
    assert first == after == [[1, 0]] * 2
