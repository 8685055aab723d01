# SPDX-License-Identifier: Apache-2.0
"""Pass accumulator: sums and votes of every small image, ties, stalls, image after image."""

from itertools import pairwise, product

import numpy as np
import pytest
from simulate import play_then_reset, simulate, take
from wrong_parameters import refusal

from scaledrop_hw.pass_accumulator import PassAccumulator

GOOD = {"classes": 3, "logit_width": 5, "max_passes": 4}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"classes": 0}, "classes must be an integer from 1 to 65536, not 0"),
        ({"logit_width": 0}, "logit_width must be an integer from 1 to 62, not 0"),
        ({"max_passes": 65536}, "max_passes must be an integer from 1 to 65535, not 65536"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(PassAccumulator, GOOD, wrong) == message


def test_parameters_read_back():
    dut = PassAccumulator(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


def logits_in_order(images):
    """Every logit of the images as the head sends it."""
    for passes in images:
        for at, values in enumerate(passes):
            for label, value in enumerate(values):
                yield {
                    "label": label,
                    "value": value,
                    "first_pass": int(at == 0),
                    "last_pass": int(at == len(passes) - 1),
                    "last": int(label == len(values) - 1),
                }


def expected(images):
    results = []
    for passes in images:
        sums, votes = PassAccumulator.twin(passes)
        for label, (total, count) in enumerate(zip(sums, votes, strict=True)):
            last = int(label == len(sums) - 1)
            results.append({"label": label, "sum": total, "votes": count, "last": last})
    return results


def accumulate(dut, images, rng=None, idle=0.0, stall=0.0):
    """Feed the images; returns their results and the record of every cycle."""
    results = []

    async def feed(ctx):
        for logit in logits_in_order(images):
            while idle and rng.random() < idle:
                await ctx.tick()
            ctx.set(dut.logit, logit)
            ctx.set(dut.logit_valid, 1)
            await ctx.tick()
            ctx.set(dut.logit_valid, 0)
            if logit["last"] and logit["last_pass"]:
                await ctx.tick().until(dut.drained)

    async def collect(ctx):
        results.extend(await take(ctx, dut.results, len(images) * dut.classes, rng, stall))

    ending = dut.logit_valid & dut.logit.last & dut.logit.last_pass
    port = dut.results
    watch = [ending, port.valid, port.ready, port.payload.last, dut.drained, port.payload]
    return results, simulate(dut, feed, collect, watch=watch)


@pytest.mark.parametrize(("classes", "passes"), [(1, 2), (2, 2), (3, 1)])
def test_every_image_of_two_bit_logits(classes, passes):
    one = list(product(range(-2, 2), repeat=classes))
    images = [list(image) for image in product(one, repeat=passes)]
    dut = PassAccumulator(classes=classes, logit_width=2, max_passes=passes)
    assert accumulate(dut, images)[0] == expected(images)


@pytest.mark.parametrize(("classes", "max_passes"), [(1, 1), (2, 7), (5, 8), (10, 255)])
@pytest.mark.parametrize(("idle", "stall"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.7), (0.4, 0.4)])
def test_random_images(classes, max_passes, idle, stall):
    rng = np.random.default_rng(classes)
    images = [
        rng.integers(-3, 4, (int(rng.integers(1, min(max_passes, 9) + 1)), classes)).tolist()
        for _ in range(12)
    ]
    dut = PassAccumulator(classes=classes, logit_width=4, max_passes=max_passes)
    results, rows = accumulate(dut, images, rng, idle, stall)
    assert results == expected(images)
    for ending, valid, ready, last, drained, _ in rows:
        assert drained == (valid and ready and last)
        assert not (ending and valid)


def test_lowest_label_wins_a_tie():
    images = [[[1, 1, 1], [0, 2, 2], [-5, -5, -4], [3, 0, 3]]]
    results, _ = accumulate(PassAccumulator(**GOOD), images)
    assert [result["votes"] for result in results] == [2, 1, 1]


@pytest.mark.parametrize("value", [-16, 15])
def test_extreme_logits_in_every_pass(value):
    dut = PassAccumulator(classes=2, logit_width=5, max_passes=15)
    results, _ = accumulate(dut, [[[value, value]] * 15])
    assert [(r["sum"], r["votes"]) for r in results] == [(15 * value, 15), (15 * value, 0)]


def test_the_first_pass_overwrites_the_image_before():
    images = [[[9, -9, 1]] * 4, [[1, 2, 3]]]
    results, _ = accumulate(PassAccumulator(**GOOD), images)
    assert [(r["sum"], r["votes"]) for r in results[3:]] == [(1, 0), (2, 0), (3, 1)]


def test_results_begin_two_cycles_after_the_last_logit_and_hold():
    rng = np.random.default_rng(12)
    images = rng.integers(-8, 8, (6, 2, 3)).tolist()
    _, rows = accumulate(PassAccumulator(**GOOD), images, rng, 0.0, 0.8)
    for now, row in enumerate(rows):
        if row[0]:
            assert [later[1] for later in rows[now + 1 : now + 3]] == [0, 1]
    for before, after in pairwise(rows):
        if before[1] and not before[2]:
            assert after[1] and after[-1] == before[-1]


def test_nothing_to_send_after_reset():
    dut = PassAccumulator(classes=1, logit_width=5, max_passes=1)
    inputs = [dut.logit_valid, dut.logit.last, dut.logit.first_pass, dut.logit.last_pass]
    stimulus = [[1, 1, 1, 1], [0] * 4, [0] * 4]
    first, after = play_then_reset(dut, inputs, stimulus, [dut.results.valid, dut.drained])
    assert first == after == [[0, 0]] * 2
