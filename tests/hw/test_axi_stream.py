# SPDX-License-Identifier: Apache-2.0
"""Pixel input: every width and pattern of bytes against plain integers; aborts; exact timing."""

from itertools import product

import numpy as np
import pytest
from handshakes import check_held
from simulate import play_then_reset, simulate, take
from wrong_parameters import refusal

from scaledrop_hw.axi_stream import PixelInput, axi_stream_signature

GOOD = {"data_bits": 32, "input_bits": 8}
SHAPES = [(8, 8), (8, 1), (16, 8), (16, 12), (32, 8), (32, 3), (32, 16), (32, 9)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"data_bits": 24}, "data_bits must be 8, 16 or 32, not 24"),
        ({"input_bits": 0}, "input_bits must be an integer from 1 to 16, not 0"),
        ({"input_bits": 17}, "input_bits must be an integer from 1 to 16, not 17"),
        (
            {"data_bits": 8, "input_bits": 9},
            "input_bits must be an integer from 1 to 8, not 9",
        ),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(PixelInput, GOOD, wrong) == message


def test_parameters_read_back():
    dut = PixelInput(data_bits=16, input_bits=12)
    assert (dut.data_bits, dut.input_bits, dut.pixel_bytes) == (16, 12, 2)
    assert set(axi_stream_signature(32).members) == {"tdata", "tlast", "tvalid", "tready"}


async def offer(ctx, axi, words, rng, idle):
    """Send (tdata, tkeep, tlast) words."""
    for word, keep, last in words:
        while rng.random() < idle:
            await ctx.tick()
        for name, value in (("tdata", word), ("tkeep", keep), ("tlast", last), ("tvalid", 1)):
            ctx.set(getattr(axi, name), value)
        await ctx.tick().until(axi.tready)
        ctx.set(axi.tvalid, 0)


def run(dut, words, idle=0.0, stall=0.0, seed=0):
    """Send words; returns the pixels as (value, last) and the rows (valid, ready, payload)."""
    expected, taken = dut.twin(words), []
    rngs = np.random.default_rng(seed).spawn(2)

    async def sender(ctx):
        await offer(ctx, dut.axi, words, rngs[0], idle)

    async def receiver(ctx):
        taken.extend(await take(ctx, dut.pixels, len(expected), rngs[1], stall))

    pixels = dut.pixels
    watch = [pixels.valid, pixels.ready, pixels.payload.as_value()]
    watch += [dut.axi.tvalid & dut.axi.tready]
    rows = simulate(dut, sender, receiver, watch=watch)
    return [(one["value"], one["last"]) for one in taken], rows


def random_frame(rng, dut, pixels):
    """A frame of ``pixels`` pixels as a DMA engine sends it: only the last word is not full."""
    size = dut.data_bits // 8
    data = rng.integers(256, size=pixels * dut.pixel_bytes, dtype=np.uint8).tobytes()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    return [
        (int.from_bytes(chunk, "little"), (1 << len(chunk)) - 1, int(chunk is chunks[-1]))
        for chunk in chunks
    ]


@pytest.mark.parametrize(("data_bits", "input_bits"), SHAPES)
@pytest.mark.parametrize(("idle", "stall"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (0.4, 0.4)])
def test_random_frames(data_bits, input_bits, idle, stall):
    dut = PixelInput(data_bits=data_bits, input_bits=input_bits)
    rng = np.random.default_rng(data_bits + input_bits)
    lengths = rng.integers(1, 14, size=12)
    words = [word for length in lengths for word in random_frame(rng, dut, length)]
    pixels, rows = run(dut, words, idle, stall)
    assert pixels == dut.twin(words)
    assert [last for _, last in pixels].count(1) == len(lengths)
    assert len(pixels) == lengths.sum()
    check_held([row[:3] for row in rows])


def test_the_lowest_bytes_come_first():
    dut = PixelInput(data_bits=32, input_bits=12)
    assert run(dut, [(0xF234_5ABC, 15, 0), (0x0BAD_0123, 3, 1)])[0] == [
        (0xABC, 0),
        (0x234, 0),
        (0x123, 1),
    ]


@pytest.mark.parametrize("input_bits", [8, 16])
def test_every_pattern_of_bytes(input_bits):
    dut = PixelInput(data_bits=32, input_bits=input_bits)
    words = [(0x44332211, keep, last) for keep, last in product(range(16), (0, 1))]
    assert run(dut, words)[0] == dut.twin(words)


@pytest.mark.parametrize(("data_bits", "lanes"), [(8, 1), (16, 2), (32, 4)])
def test_one_pixel_a_cycle_without_a_gap(data_bits, lanes):
    dut = PixelInput(data_bits=data_bits, input_bits=8)
    words = random_frame(np.random.default_rng(1), dut, 8 * lanes)
    _, rows = run(dut, words)
    assert [row[0] for row in rows][: 8 * lanes + 1] == [0] + [1] * 8 * lanes
    assert [at for at, row in enumerate(rows) if row[3]] == [at * lanes for at in range(8)]


@pytest.mark.parametrize("sent", range(1, 8))
def test_an_abort_drops_the_frame_that_has_begun_and_no_other(sent):
    """After ``sent`` words of a frame of 7, abort; the next frame comes whole."""
    dut = PixelInput(data_bits=16, input_bits=8)
    rng = np.random.default_rng(sent)
    first, second = random_frame(rng, dut, 13), random_frame(rng, dut, 5)

    async def sender(ctx):
        ctx.set(dut.pixels.ready, 1)
        await offer(ctx, dut.axi, first[:sent], rng, 0.0)
        ctx.set(dut.axi.tvalid, 1)
        ctx.set(dut.abort, 1)
        await ctx.tick()
        ctx.set(dut.abort, 0)
        ctx.set(dut.axi.tvalid, 0)
        await offer(ctx, dut.axi, [*first[sent:], *second], rng, 0.3)
        await ctx.tick().repeat(3)

    pixel = dut.pixels.payload
    watch = [dut.abort, dut.pixels.valid, dut.axi.tready, pixel.value, pixel.last]
    rows = simulate(dut, sender, watch=watch)
    (at,) = (at for at, row in enumerate(rows) if row[0])
    assert rows[at][1:3] == [0, 0]
    assert [tuple(row[3:]) for row in rows[at:] if row[1]] == dut.twin(second)
    assert [row[3] for row in rows[:at] if row[1]] == [
        value for value, _ in dut.twin(first)[: 2 * (sent - 1)]
    ]


def test_an_abort_between_frames_drops_nothing_that_comes():
    dut = PixelInput(**GOOD)
    rng = np.random.default_rng(5)
    frame, seen = random_frame(rng, dut, 9), []

    async def sender(ctx):
        ctx.set(dut.abort, 1)
        await ctx.tick()
        ctx.set(dut.abort, 0)
        await offer(ctx, dut.axi, frame, rng, 0.0)

    async def receiver(ctx):
        seen.extend(await take(ctx, dut.pixels, 9))

    simulate(dut, sender, receiver)
    assert [(one["value"], one["last"]) for one in seen] == dut.twin(frame)


def test_empty_after_reset():
    dut = PixelInput(**GOOD)
    inputs = [dut.axi.tvalid, dut.axi.tdata, dut.axi.tkeep]
    first, after = play_then_reset(
        dut, inputs, [[1, 0x01020304, 15]] * 3, [dut.pixels.valid, dut.axi.tready]
    )
    assert first == after == [[0, 1]] * 2
