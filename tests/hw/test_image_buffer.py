# SPDX-License-Identifier: Apache-2.0
"""Image buffer: every bit of every pixel comes back where the docstring puts it."""

from itertools import product

import numpy as np
import pytest
from pixel_streams import broken, framed, payload
from simulate import play, play_then_reset, send, simulate
from wrong_parameters import refusal

from scaledrop_hw.framing import ImageFraming
from scaledrop_hw.image_buffer import ImageBuffer

GROUPED = [(4, 2, 6, 3), (2, 3, 12, 6), (8, 1, 6, 2), (3, 2, 4, 1), (1, 2, 6, 2), (4, 2, 8, 8)]
"""Rows, planes, pixels, group."""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 1025}, "rows must be an integer from 1 to 1024, not 1025"),
        ({"planes": 17}, "planes must be an integer from 1 to 16, not 17"),
        ({"pixels": 0}, "pixels must be an integer from 1 to 1048576, not 0"),
        ({"group": 0}, "group must be an integer from 1 to 3, not 0"),
        ({"group": 2}, "group must divide pixels (3), not 2"),
    ],
)
def test_wrong_image_parameters(wrong, message):
    assert refusal(ImageBuffer, {"rows": 8, "planes": 2, "pixels": 3}, wrong) == message


def test_parameters_read_back():
    dut = ImageBuffer(rows=8, planes=2, pixels=30)
    assert (dut.rows, dut.planes, dut.pixel_count, dut.group, dut.row_tiles) == (8, 2, 30, 30, 4)
    dut = ImageBuffer(rows=8, planes=2, pixels=30, group=10)
    assert (dut.group, dut.row_tiles) == (10, 6)


async def read_image(ctx, dut, rng, idle):
    """Wait for the oldest image, read all its words, free it."""
    words = []
    await ctx.tick().until(dut.held != 0)
    for plane, tile in product(range(dut.planes), range(dut.row_tiles)):
        ctx.set(dut.plane, plane)
        ctx.set(dut.row_tile, tile)
        ctx.set(dut.read, 1)
        await ctx.tick()
        ctx.set(dut.read, 0)
        while rng.random() < idle:
            await ctx.tick()
        words.append(ctx.get(dut.word))
    ctx.set(dut.free, 1)
    await ctx.tick()
    ctx.set(dut.free, 0)
    return words


def through_the_buffer(dut, transfers, images, rng, idle_in=0.0, idle_out=0.0):
    """Stream the transfers through; returns the images' words and the record of every cycle."""
    words = []

    async def fill(ctx):
        await send(ctx, dut.pixels, map(payload, transfers), rng, idle_in)

    async def use(ctx):
        for _ in range(images):
            words.append(await read_image(ctx, dut, rng, idle_out))

    stream = dut.pixels
    watch = [stream.valid, stream.ready, dut.held, dut.free, dut.misframed]
    return words, simulate(dut, fill, use, watch=watch)


def words_of(dut, image):
    return [
        dut.twin(image, dut.planes, dut.rows, plane, tile, dut.group)
        for plane, tile in product(range(dut.planes), range(dut.row_tiles))
    ]


def test_twin_packs_tightly_or_group_by_group():
    image = [1, 2, 3, 0, 2, 1]
    low = [ImageBuffer.twin(image, 2, 4, 1, tile) for tile in range(2)]
    assert low == [0b0101, 0b10]
    low = [ImageBuffer.twin(image, 2, 2, 1, tile, 3) for tile in range(4)]
    assert low == [0b01, 0b1, 0b00, 0b1]
    high = [ImageBuffer.twin(image, 2, 4, 0, tile, 2) for tile in range(3)]
    assert high == [0b10, 0b01, 0b01]


@pytest.mark.parametrize(("rows", "planes", "pixels"), [(2, 2, 3), (1, 1, 5), (4, 3, 2), (1, 6, 1)])
def test_every_small_image(rows, planes, pixels):
    dut = ImageBuffer(rows=rows, planes=planes, pixels=pixels)
    images = list(product(range(1 << planes), repeat=pixels))
    rng = np.random.default_rng(10)
    words, _ = through_the_buffer(dut, framed(images), len(images), rng)
    assert words == [words_of(dut, image) for image in images]


@pytest.mark.parametrize(
    ("rows", "planes", "pixels", "group"),
    [(8, 8, 20, None), (5, 4, 15, None), (16, 1, 7, None), *GROUPED],
)
@pytest.mark.parametrize("idle_in", [0.0, 0.5])
@pytest.mark.parametrize("idle_out", [0.0, 0.7])
def test_random_images(rows, planes, pixels, group, idle_in, idle_out):
    rng = np.random.default_rng(pixels)
    dut = ImageBuffer(rows=rows, planes=planes, pixels=pixels, group=group)
    images = rng.integers(0, 1 << planes, (8, pixels)).tolist()
    words, record = through_the_buffer(dut, framed(images), 8, rng, idle_in, idle_out)
    assert words == [words_of(dut, image) for image in images]
    taken = freed = 0
    for valid, ready, held, free, misframed in record:
        assert held == taken // pixels - freed
        assert ready == (held < 2)
        assert not misframed
        taken += valid and ready
        freed += free
    assert taken == len(images) * pixels


@pytest.mark.parametrize(("rows", "planes", "pixels", "group"), [(4, 2, 6, None), *GROUPED])
def test_broken_images_leave_no_trace(rows, planes, pixels, group):
    rng = np.random.default_rng(pixels)
    dut = ImageBuffer(rows=rows, planes=planes, pixels=pixels, group=group)
    transfers = broken(rng.integers(0, 1 << planes, (30, pixels)).tolist(), rng, 0.1)
    images, misframed = ImageFraming.twin(transfers, pixels)
    assert 2 < len(images) < 30
    words, record = through_the_buffer(dut, transfers, len(images), rng, 0.2, 0.2)
    assert words == [words_of(dut, image) for image in images]
    seen = [wrong for valid, ready, _, _, wrong in record if valid and ready]
    assert seen == misframed[: len(seen)]
    assert sum(wrong for *_, wrong in record) == sum(misframed)


def test_one_pixel_a_cycle_and_held_one_cycle_after_the_last():
    dut = ImageBuffer(rows=4, planes=2, pixels=6)
    stimulus = [(1, *pixel) for pixel in framed([[1] * 6] * 2)] + [(1, 1, 0)] * 2
    stream = dut.pixels
    inputs = [stream.valid, stream.payload.value, stream.payload.last]
    rows = play(dut, inputs, stimulus, [stream.ready, dut.held])
    assert rows == [[1, 0]] * 6 + [[1, 1]] * 6 + [[0, 2]] * 2


def test_a_word_holds_while_the_next_image_comes_in():
    dut = ImageBuffer(rows=2, planes=1, pixels=2)
    stream = dut.pixels
    inputs = [stream.valid, stream.payload.value, stream.payload.last, dut.read]
    stimulus = [
        *[(1, 1, 0, 0), (1, 0, 1, 0), (0, 0, 0, 1)],
        *[(1, 0, 0, 0), (1, 1, 1, 0), (0, 0, 0, 0)],
    ]
    rows = play(dut, inputs, stimulus, [dut.word])
    assert rows[3:] == [[1]] * 3


def test_empty_after_reset():
    dut = ImageBuffer(rows=2, planes=2, pixels=2)
    stream = dut.pixels
    inputs = [stream.valid, stream.payload.value, stream.payload.last]
    outputs = [stream.ready, dut.held, dut.misframed]
    stimulus = [[1, *pixel] for pixel in framed([[3, 3]] * 2)] + [[1, 3, 0]]
    first, after = play_then_reset(dut, inputs, stimulus, outputs)
    assert first == after == [[1, 0, 0]] * 2
