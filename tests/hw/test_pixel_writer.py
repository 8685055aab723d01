# SPDX-License-Identifier: Apache-2.0
"""Pixel writer: every pixel of every whole image is written where the docstring says."""

import numpy as np
import pytest
from pixel_streams import broken, framed, offered
from simulate import play, play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop_hw.framing import ImageFraming
from scaledrop_hw.pixel_writer import PixelWriter

GOOD = {"channels": 3, "height": 4, "width": 5, "planes": 8}
SHAPES = [(1, 1, 1), (3, 2, 4), (1, 4, 3), (4, 1, 1), (2, 3, 2)]
"""Channels, height, width."""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": 0}, "channels must be an integer from 1 to 4096, not 0"),
        ({"height": 1025}, "height must be an integer from 1 to 1024, not 1025"),
        ({"width": 0}, "width must be an integer from 1 to 1024, not 0"),
        ({"planes": 17}, "planes must be an integer from 1 to 16, not 17"),
    ],
)
def test_wrong_writer_parameters(wrong, message):
    assert refusal(PixelWriter, GOOD, wrong) == message


def test_parameters_read_back():
    dut = PixelWriter(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


def written(dut, transfers, rng, idle=0.0, keep=0.0):
    """Stream the transfers; returns the map of every whole image at the time it is freed."""
    maps, images = np.full((2, dut.height, dut.width, dut.channels), -1), []

    async def run(ctx):
        async for _ in offered(ctx, dut, transfers, rng, idle, keep):
            if ctx.get(dut.free):
                images.append(maps[ctx.get(dut.bank)].ravel().tolist())
            if ctx.get(dut.write):
                place = (dut.write_bank, dut.write_y, dut.write_x, dut.write_group)
                maps[tuple(ctx.get(index) for index in place)] = ctx.get(dut.value)

    simulate(dut, run)
    return images


@pytest.mark.parametrize(("channels", "height", "width"), SHAPES)
@pytest.mark.parametrize(("idle", "keep"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.95)])
@pytest.mark.parametrize("rate", [0.0, 0.05])
def test_random_images(channels, height, width, idle, keep, rate):
    rng = np.random.default_rng(channels)
    dut = PixelWriter(channels=channels, height=height, width=width, planes=8)
    length = channels * height * width
    transfers = broken(rng.integers(0, 256, (12, length)).tolist(), rng, rate)
    images, _ = ImageFraming.twin(transfers, length)
    assert written(dut, transfers, rng, idle, keep) == images


@pytest.mark.parametrize(("channels", "height", "width"), SHAPES)
def test_one_write_a_cycle_in_raster_order(channels, height, width):
    dut = PixelWriter(channels=channels, height=height, width=width, planes=8)
    length = channels * height * width
    stream = dut.pixels
    inputs = [stream.valid, stream.payload.value, stream.payload.last]
    place = [dut.write_y, dut.write_x, dut.write_group]
    outputs = [dut.write, dut.write_bank, dut.value, dut.held, dut.misframed, *place]
    stimulus = [(1, *transfer) for transfer in framed([range(length)] * 2)] + [(1, 0, 0)] * 2
    rows = play(dut, inputs, stimulus, outputs)
    for bank in range(2):
        for index in range(length):
            at = dut.twin(index, channels, width)
            assert rows.pop(0) == [1, bank, index, bank, 0, *at]
    assert [row[:1] + row[3:5] for row in rows] == [[0, 2, 0]] * 2


def test_a_broken_image_leaves_the_bank_to_the_next_one():
    dut = PixelWriter(channels=1, height=1, width=3, planes=4)
    lasts = [0, 1, 0, 0, 0, 0, 1, 0, 0, 1]
    stimulus = [(1, at, last) for at, last in enumerate(lasts)] + [(0, 0, 0)]
    stream = dut.pixels
    inputs = [stream.valid, stream.payload.value, stream.payload.last]
    rows = play(dut, inputs, stimulus, [dut.write, dut.write_x, dut.misframed, dut.held])
    assert [row[0] for row in rows] == [1] * 5 + [0] * 2 + [1] * 3 + [0]
    assert [row[1] for row in rows if row[0]] == [0, 1, 0, 1, 2, 0, 1, 2]
    assert [at for at, row in enumerate(rows) if row[2]] == [1, 4]
    assert [row[3] for row in rows] == [0] * 10 + [1]


def test_begins_again_after_reset():
    dut = PixelWriter(channels=2, height=2, width=2, planes=4)
    outputs = [dut.pixels.ready, dut.held, dut.bank, dut.write_y, dut.write_x, dut.write_group]
    first, after = play_then_reset(dut, [dut.pixels.valid], [[1]] * 7, outputs)
    assert first == after == [[1, 0, 0, 0, 0, 0]] * 2
