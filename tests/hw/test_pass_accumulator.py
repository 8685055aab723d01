# SPDX-License-Identifier: Apache-2.0
"""Pass accumulator: small images in full, interleaved leaves, bounds, rules, stalls, timing."""

from itertools import pairwise, product

import numpy as np
import pytest
from simulate import play_then_reset, simulate, take
from wrong_parameters import refusal

from scaledrop_hw.pass_accumulator import PassAccumulator

GOOD = {"classes": 3, "logit_width": 5, "weight_bits": 4, "total_bits": 5, "squares": True}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"classes": 0}, "classes must be an integer from 1 to 65536, not 0"),
        ({"logit_width": 0}, "logit_width must be an integer from 1 to 62, not 0"),
        ({"weight_bits": 0}, "weight_bits must be an integer from 1 to 32, not 0"),
        ({"total_bits": 33}, "total_bits must be an integer from 1 to 32, not 33"),
        ({"squares": 1}, "squares must be True or False, not 1"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(PassAccumulator, GOOD, wrong) == message


def test_parameters_read_back():
    dut = PassAccumulator(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


def logits_in_order(image, lanes):
    """Every logit of an image as the head sends it: beat by beat, kept leaf before dropped.

    An image is a list of visits, a visit a list of leaves (keep, weight, logits), kept first.
    """
    for at, visit in enumerate(image):
        classes = len(visit[0][2])
        for start in range(0, classes, lanes):
            for place, (keep, weight, logits) in enumerate(visit):
                final = at == len(image) - 1 and place == len(visit) - 1
                for label in range(start, min(start + lanes, classes)):
                    last = label == classes - 1
                    yield {
                        "label": label,
                        "value": logits[label],
                        "keep": keep,
                        "weight": weight,
                        "first": int(at == 0 and place == 0),
                        "ends_leaf": int(last),
                        "ends_image": int(last and final),
                    }


def transfers(result, squares):
    """An ImageResult as the transfers that must carry it."""
    shared = {name: getattr(result, name) for name in ("predicted", "abstain", "covered")}
    final = len(result.sums) - 1
    columns = zip(result.sums, result.squares, result.votes, strict=True)
    for label, (total, square, votes) in enumerate(columns):
        mine = {"label": label, "sum": total, "squares": square * squares, "votes": votes}
        yield {**mine, **shared, "last": int(label == final)}


def expected(dut, images, limits):
    results = []
    for image, pair in zip(images, limits, strict=True):
        leaves = [(weight, logits) for visit in image for _, weight, logits in visit]
        results += transfers(dut.twin(leaves, *pair), dut.squares)
    return results


def accumulate(dut, images, limits=None, lanes=1, rng=None, idle=0.0, stall=0.0):
    """Feed the images under their limits; returns (found, expected, the record of every cycle)."""
    limits, found = limits or [(0, 0)] * len(images), []

    async def feed(ctx):
        for image, (min_votes, min_margin) in zip(images, limits, strict=True):
            ctx.set(dut.min_votes, min_votes)
            ctx.set(dut.min_margin, min_margin)
            for logit in logits_in_order(image, lanes):
                while idle and rng.random() < idle:
                    await ctx.tick()
                ctx.set(dut.logit, logit)
                ctx.set(dut.logit_valid, 1)
                await ctx.tick()
                ctx.set(dut.logit_valid, 0)
            await ctx.tick().until(dut.drained)

    async def collect(ctx):
        found.extend(await take(ctx, dut.results, len(images) * dut.classes, rng, stall))

    port, ending = dut.results, dut.logit_valid & dut.logit.ends_image
    watch = [ending, port.valid, port.ready, port.payload.last, dut.drained, port.payload]
    rows = simulate(dut, feed, collect, watch=watch)
    return found, expected(dut, images, limits), rows


def check_handshakes(dut, rows):
    """Exact latency, nothing outside it, a held payload, ``drained`` with the last transfer."""
    due = None
    for now, (ending, valid, ready, last, drained, _) in enumerate(rows):
        if ending:
            due = now + dut.classes + dut.LATENCY
        assert valid == (due is not None and now >= due)
        assert drained == (valid and ready and last)
        due = None if drained else due
    for before, after in pairwise(rows):
        if before[1] and not before[2]:
            assert after[1] and after[-1] == before[-1]


@pytest.mark.parametrize(("classes", "leaves"), [(1, 2), (2, 2), (3, 1)])
def test_every_image_of_two_bit_logits(classes, leaves):
    one = list(product(range(-2, 2), repeat=classes))
    images = [
        [[(1 - at, at + 1, list(logits)) for at, logits in enumerate(image)]]
        for image in product(one, repeat=leaves)
    ]
    dut = PassAccumulator(classes=classes, logit_width=2, weight_bits=2, total_bits=2)
    found, want, _ = accumulate(dut, images)
    assert found == want


def random_image(rng, classes, total):
    """Up to six visits whose weights sum to at most ``total``; few different logits, many ties."""
    image, left, spread = [], total, int(rng.choice([1, 3, 8]))
    for _ in range(int(rng.integers(1, 7))):
        visit = []
        for keep in [(1,), (0,), (1, 0)][int(rng.integers(3))]:
            weight = int(rng.integers(1, max(left // 3, 1) + 1))
            if left >= weight:
                visit.append((keep, weight, rng.integers(-spread, spread, classes).tolist()))
                left -= weight
        if visit:
            image.append(visit)
    return image


def random_limits(rng, image):
    """Limits at, just beside or far from what the image's result is."""
    leaves = [(weight, logits) for visit in image for _, weight, logits in visit]
    result = PassAccumulator.twin(leaves)
    won, *others = sorted(result.sums, reverse=True)
    votes = result.votes[result.predicted] + int(rng.integers(-1, 2))
    margin = won - max(others, default=won) + int(rng.integers(-1, 2))
    return max(votes, 0) * int(rng.integers(2)), max(margin, 0) * int(rng.integers(2))


@pytest.mark.parametrize(
    ("classes", "lanes", "total_bits"),
    [(1, 1, 3), (2, 1, 25), (3, 2, 6), (5, 2, 5), (10, 8, 25), (11, 11, 8), (12, 5, 10)],
)
@pytest.mark.parametrize(("idle", "stall"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.7), (0.4, 0.4)])
@pytest.mark.parametrize("squares", [True, False])
def test_random_images(classes, lanes, total_bits, idle, stall, squares):
    rng = np.random.default_rng(classes)
    images = [random_image(rng, classes, (1 << total_bits) - 2) for _ in range(15)]
    limits = [random_limits(rng, image) for image in images]
    widths = {"logit_width": 4, "weight_bits": total_bits, "total_bits": total_bits}
    dut = PassAccumulator(classes=classes, **widths, squares=squares)
    found, want, rows = accumulate(dut, images, limits, lanes, rng, idle, stall)
    assert found == want
    check_handshakes(dut, rows)


def columns(found, name):
    return [transfer[name] for transfer in found]


def test_lowest_label_wins_a_tie():
    logits = [[1, 1, 1], [0, 2, 2], [-5, -5, -4], [3, 0, 3]]
    image = [[(1, 1, one)] for one in logits]
    found, _, _ = accumulate(PassAccumulator(**GOOD), [image, [[(1, 2, [4, 7, 7])]]])
    assert columns(found, "votes") == [2, 1, 1, 0, 2, 0]
    assert columns(found, "predicted") == [2, 2, 2, 1, 1, 1]


def test_winners_of_alternating_leaves_are_kept_apart():
    image = [[(1, 3, [9, 1, 2]), (0, 5, [-8, -9, -7])]]
    assert columns(accumulate(PassAccumulator(**GOOD), [image])[0], "votes") == [3, 0, 5]


@pytest.mark.parametrize(
    ("logit_width", "total_bits"), [(1, 1), (1, 5), (5, 4), (24, 25), (62, 32)]
)
@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("top", [False, True])
def test_nothing_overflows_at_the_bounds(logit_width, total_bits, pieces, top):
    low, high = -(1 << (logit_width - 1)), (1 << (logit_width - 1)) - 1
    total = (1 << total_bits) - 1
    weights = [total] if pieces == 1 else [total - total // 2, total // 2]
    logits = [high, low] if top else [low, low]
    image = [[(keep, weight, logits) for keep, weight in zip((1, 0), weights, strict=False)]]
    widths = {"logit_width": logit_width, "weight_bits": total_bits, "total_bits": total_bits}
    dut = PassAccumulator(classes=2, **widths)
    margin = total * (logits[0] - low)
    found, want, _ = accumulate(dut, [image] * 2, [(total, margin), (0, margin + 1)])
    assert found == want
    assert columns(found, "abstain") == [0, 0, 1, 1]
    assert found[1]["sum"] == total * low
    assert found[1]["squares"] == total * low * low


@pytest.mark.parametrize("limits", [(0, 0), (5, 0), (6, 0), (0, 4), (0, 5), (5, 4), (5, 5), (6, 4)])
def test_rules_of_abstention_at_their_edges(limits):
    image = [[(1, 5, [2, 3, -1]), (0, 2, [1, 1, -4])], [(0, 1, [0, -1, 7])]]
    found, want, _ = accumulate(PassAccumulator(**GOOD), [image], [limits], lanes=2)
    assert found == want
    assert columns(found, "sum") == [12, 16, -6]
    assert columns(found, "votes") == [2, 5, 1]
    assert columns(found, "abstain") == [int(limits[0] > 5 or limits[1] > 4)] * 3


def test_limits_are_sampled_in_the_cycle_before_the_results():
    dut = PassAccumulator(**GOOD)
    image, seen = [[(1, 5, [2, 3, -1])]], []

    async def feed(ctx):
        for early in (1, 0):
            for logit in logits_in_order(image, 1):
                ctx.set(dut.logit, logit)
                ctx.set(dut.logit_valid, 1)
                await ctx.tick()
            ctx.set(dut.logit_valid, 0)
            await ctx.tick().repeat(dut.classes + dut.LATENCY - 2 - early)
            ctx.set(dut.min_votes, 6)
            await ctx.tick()
            ctx.set(dut.min_votes, 0)
            seen.extend(await take(ctx, dut.results, dut.classes))


def test_the_first_leaf_overwrites_the_image_before():
    images = [[[(1, 4, [9, -9, 1])]] * 4, [[(0, 2, [1, 2, 3])]]]
    found, _, _ = accumulate(PassAccumulator(**GOOD), images)
    assert columns(found[3:], "sum") == [2, 4, 6]
    assert columns(found[3:], "squares") == [2, 8, 18]
    assert columns(found[3:], "votes") == [0, 0, 2]
    assert columns(found[3:], "covered") == [2] * 3


def test_nothing_to_send_after_reset():
    dut = PassAccumulator(classes=1, logit_width=5, weight_bits=1, total_bits=1)
    inputs = [dut.logit_valid, dut.logit.first, dut.logit.ends_leaf, dut.logit.ends_image]
    stimulus = [[1] * 4, *[[0] * 4] * 6]
    first, after = play_then_reset(dut, inputs, stimulus, [dut.results.valid, dut.drained])
    assert first == after == [[0, 0]] * 2
