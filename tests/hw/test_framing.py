# SPDX-License-Identifier: Apache-2.0
"""Framing: every pattern of ``last`` is sorted into whole and dropped images as the twin says."""

from itertools import product

import numpy as np
import pytest
from pixel_streams import broken, offered
from simulate import play, play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop_hw.framing import ImageFraming, pixel_layout


def test_wrong_framing_parameters():
    message = "planes must be an integer from 1 to 16, not 17"
    assert refusal(ImageFraming, {"planes": 8}, {"planes": 17}) == message


def test_parameters_read_back():
    assert ImageFraming(planes=3).planes == 3
    assert pixel_layout(3).size == 4


def run(transfers, length, rng, idle=0.0, keep=0.0):
    """Offer the transfers to an owner that counts; returns the record of every cycle."""
    dut = ImageFraming(planes=8)
    stream = dut.pixels

    async def offer(ctx):
        at = 0
        async for _ in offered(ctx, dut, transfers, rng, idle, keep):
            ctx.set(dut.at_end, int(at == length - 1))
            if ctx.get(dut.take):
                at = 0 if ctx.get(dut.close) else at + 1

    watch = [stream.valid, stream.ready, dut.held, dut.free, dut.fill, dut.bank, dut.misframed]
    return simulate(dut, offer, watch=watch)


def check(record, transfers, length):
    """Compare every cycle with the images that the twin counts up to it."""
    taken = freed = 0
    for valid, ready, held, free, fill, bank, misframed in record:
        images, wrong = ImageFraming.twin(transfers[:taken], length)
        assert held == len(images) - freed
        assert ready == (held < 2)
        assert held == 2 or fill == len(images) % 2
        assert bank == freed % 2
        taken += valid and ready
        freed += free
        _, wrong = ImageFraming.twin(transfers[:taken], length)
        assert misframed == (valid and ready and wrong[-1])
    assert taken == len(transfers)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_every_pattern_of_last(length):
    rng = np.random.default_rng(length)
    for pattern in product((0, 1), repeat=7):
        transfers = [(at, last) for at, last in enumerate(pattern)]
        check(run(transfers, length, rng), transfers, length)


@pytest.mark.parametrize("idle", [0.0, 0.4])
@pytest.mark.parametrize("keep", [0.0, 0.9])
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_random_streams(idle, keep, rate):
    rng = np.random.default_rng(6)
    transfers = broken(rng.integers(0, 256, (40, 4)).tolist(), rng, rate)
    check(run(transfers, 4, rng, idle, keep), transfers, 4)


@pytest.mark.parametrize(
    ("lasts", "whole", "misframed"),
    [
        ([0, 0, 1, 0, 0, 1], [[0, 1, 2], [3, 4, 5]], []),
        ([0, 1, 0, 0, 1], [[2, 3, 4]], [1]),
        ([0, 0, 0, 0, 1, 0, 0, 1], [[5, 6, 7]], [2]),
        ([0, 0, 0, 1, 0, 0, 1], [[4, 5, 6]], [2]),
        ([1, 1, 0, 0, 0, 0, 0, 0], [], [0, 1, 4]),
    ],
)
def test_twin_in_words(lasts, whole, misframed):
    images, wrong = ImageFraming.twin(list(enumerate(lasts)), 3)
    assert images == whole
    assert [at for at, flag in enumerate(wrong) if flag] == misframed


def test_held_one_cycle_after_the_last_pixel_and_free_lets_pixels_in_one_cycle_later():
    dut = ImageFraming(planes=1)
    stream = dut.pixels
    stimulus = [(1, 0), (1, 0), (1, 0), (1, 1), (1, 0)]
    inputs = [stream.valid, stream.payload.last, dut.at_end, dut.free]
    rows = play(dut, inputs, [(v, 1, 1, f) for v, f in stimulus], [stream.ready, dut.held])
    assert rows == [[1, 0], [1, 1], [0, 2], [0, 2], [1, 1]]


def test_a_transfer_and_a_free_in_one_cycle():
    dut = ImageFraming(planes=1)
    inputs = [dut.pixels.valid, dut.pixels.payload.last, dut.at_end, dut.free]
    rows = play(dut, inputs, [(1, 1, 1, 0), (1, 1, 1, 1), (0, 0, 0, 0)], [dut.held, dut.bank])
    assert rows == [[0, 0], [1, 0], [1, 1]]


def test_empty_after_reset_even_while_throwing_away():
    dut = ImageFraming(planes=1)
    inputs = [dut.pixels.valid, dut.at_end]
    outputs = [dut.pixels.ready, dut.held, dut.bank]
    first, after = play_then_reset(dut, inputs, [[1, 1]] * 3, outputs)
    assert first == after == [[1, 0, 0]] * 2
