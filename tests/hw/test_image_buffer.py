# SPDX-License-Identifier: Apache-2.0
"""Image buffer: every bit of every pixel comes back where the docstring puts it."""

from itertools import product

import numpy as np
import pytest
from simulate import play, play_then_reset, send, simulate
from wrong_parameters import refusal

from scaledrop_hw.image_buffer import ImageBuffer


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 1025}, "rows must be an integer from 1 to 1024, not 1025"),
        ({"planes": 17}, "planes must be an integer from 1 to 16, not 17"),
        ({"pixels": 0}, "pixels must be an integer from 1 to 1048576, not 0"),
    ],
)
def test_wrong_image_parameters(wrong, message):
    assert refusal(ImageBuffer, {"rows": 8, "planes": 2, "pixels": 3}, wrong) == message


def test_parameters_read_back():
    dut = ImageBuffer(rows=8, planes=2, pixels=3)
    assert (dut.rows, dut.planes, dut.pixel_count) == (8, 2, 3)


async def read_image(ctx, dut, rng, idle):
    """Wait for the oldest image, read all its words, free it."""
    words = []
    await ctx.tick().until(dut.available)
    for plane, tile in product(range(dut.planes), range(-(-dut.pixel_count // dut.rows))):
        ctx.set(dut.plane, plane)
        ctx.set(dut.row_tile, tile)
        ctx.set(dut.read, 1)
        await ctx.tick()
        ctx.set(dut.read, 0)
        while rng.random() < idle:
            await ctx.tick()
        in_use = (1 << min(dut.rows, dut.pixel_count - tile * dut.rows)) - 1
        words.append(ctx.get(dut.word) & in_use)
    ctx.set(dut.free, 1)
    await ctx.tick()
    ctx.set(dut.free, 0)
    return words


def through_the_buffer(dut, images, rng, idle_in=0.0, idle_out=0.0):
    """Stream the images through; returns their words and the record of every cycle."""
    words = []

    async def fill(ctx):
        await send(ctx, dut.pixels, [p for image in images for p in image], rng, idle_in)

    async def use(ctx):
        for _ in images:
            words.append(await read_image(ctx, dut, rng, idle_out))

    stream = dut.pixels
    watch = [stream.valid, stream.ready, dut.available, dut.free]
    return words, simulate(dut, fill, use, watch=watch)


def words_of(dut, image):
    tiles = range(-(-dut.pixel_count // dut.rows))
    return [
        dut.twin(image, dut.planes, dut.rows, plane, tile)
        for plane, tile in product(range(dut.planes), tiles)
    ]


@pytest.mark.parametrize(("rows", "planes", "pixels"), [(2, 2, 3), (1, 1, 5), (4, 3, 2), (1, 6, 1)])
def test_every_small_image(rows, planes, pixels):
    dut = ImageBuffer(rows=rows, planes=planes, pixels=pixels)
    images = list(product(range(1 << planes), repeat=pixels))
    words, _ = through_the_buffer(dut, images, np.random.default_rng(10))
    assert words == [words_of(dut, image) for image in images]


@pytest.mark.parametrize(("rows", "planes", "pixels"), [(8, 8, 20), (5, 4, 15), (16, 1, 7)])
@pytest.mark.parametrize("idle_in", [0.0, 0.5])
@pytest.mark.parametrize("idle_out", [0.0, 0.7])
def test_random_images(rows, planes, pixels, idle_in, idle_out):
    rng = np.random.default_rng(pixels)
    dut = ImageBuffer(rows=rows, planes=planes, pixels=pixels)
    images = rng.integers(0, 1 << planes, (8, pixels)).tolist()
    words, record = through_the_buffer(dut, images, rng, idle_in, idle_out)
    assert words == [words_of(dut, image) for image in images]
    taken = freed = 0
    for valid, ready, available, free in record:
        held = taken // pixels - freed
        assert available == (held > 0)
        assert ready == (held < 2)
        taken += valid and ready
        freed += free
    assert taken == len(images) * pixels


def test_one_pixel_a_cycle_and_available_one_cycle_after_the_last():
    dut = ImageBuffer(rows=4, planes=2, pixels=6)
    stimulus = [(1, 1)] * 12 + [(1, 1)] * 2
    stream = dut.pixels
    rows = play(dut, [stream.valid, stream.payload], stimulus, [stream.ready, dut.available])
    assert rows == [[1, 0]] * 6 + [[1, 1]] * 6 + [[0, 1]] * 2


def test_a_word_holds_while_the_next_image_comes_in():
    dut = ImageBuffer(rows=2, planes=1, pixels=2)
    stream = dut.pixels
    inputs = [stream.valid, stream.payload, dut.read]
    stimulus = [(1, 1, 0), (1, 0, 0), (0, 0, 1), (1, 0, 0), (1, 1, 0), (0, 0, 0)]
    rows = play(dut, inputs, stimulus, [dut.word])
    assert rows[3:] == [[1]] * 3


def test_empty_after_reset():
    dut = ImageBuffer(rows=2, planes=2, pixels=2)
    stream = dut.pixels
    inputs = [stream.valid, stream.payload]
    outputs = [stream.ready, dut.available]
    first, after = play_then_reset(dut, inputs, [[1, 3]] * 5, outputs)
    assert first == after == [[1, 0]] * 2
