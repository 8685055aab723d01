# SPDX-License-Identifier: Apache-2.0
"""Result stream: every word of results and leaves, their order, aborts, and the protocol."""

import numpy as np
import pytest
from amaranth.hdl import Cat
from amaranth.lib import data
from handshakes import check_held, transfers
from result_images import (
    LEAF,
    RESULT,
    SIZES,
    frames_of,
    leaf_transfers,
    random_image,
    result_transfers,
)
from simulate import play_then_reset, send, simulate
from wrong_parameters import refusal

from scaledrop.packets import ABORTED_WORD, PacketType, packet_length
from scaledrop_hw.packet_merge import ResultOutput
from scaledrop_hw.packet_output import LeafPackets, ResultPackets

GOOD = {"result_layout": RESULT, "leaf_layout": LEAF, "sizes": SIZES}


def changed(layout, **fields):
    shapes = layout.members | fields
    return data.StructLayout({name: shape for name, shape in shapes.items() if shape is not None})


@pytest.mark.parametrize(
    ("component", "layout", "wrong", "message"),
    [
        (ResultPackets, RESULT, {"votes": None}, "layout must have the field votes"),
        (LeafPackets, LEAF, {"ends_leaf": None}, "layout must have the field ends_leaf"),
        (ResultPackets, RESULT, {"sum": 65}, "sum must have at most 64 bits, not 65"),
        (ResultPackets, RESULT, {"squares": 97}, "squares must have at most 96 bits, not 97"),
        (LeafPackets, LEAF, {"path": 65}, "path must have at most 64 bits, not 65"),
    ],
)
def test_wrong_layouts(component, layout, wrong, message):
    good = {"layout": layout, "sizes": SIZES}
    assert refusal(component, good, {"layout": changed(layout, **wrong)}) == message


def test_wrong_sizes():
    good = {"layout": RESULT, "sizes": SIZES}
    assert refusal(ResultPackets, good, {"sizes": 1}) == "sizes must be DeviceSizes, not 1"


def test_parameters_read_back():
    dut = ResultOutput(**GOOD)
    assert (dut.result_layout, dut.leaf_layout, dut.sizes) == (RESULT, LEAF, SIZES)
    packets = LeafPackets(layout=LEAF, sizes=SIZES)
    assert (packets.layout, packets.sizes) == (LEAF, SIZES)


def framed(words):
    """(word, last) pairs as frames."""
    frames = [[]]
    for word, last in words:
        frames[-1].append(word)
        if last:
            frames.append([])
    return frames


def run(images, records, idle=0.0, stall=0.0, seed=0):
    """Send the images; returns the rows (valid, ready, payload) of the AXI side."""
    dut = ResultOutput(**GOOD)
    rngs = np.random.default_rng(seed).spawn(3)
    count = sum(map(len, frames_of(images, records)))

    async def results(ctx):
        for _, result in images:
            await send(ctx, dut.results, result_transfers(result), rngs[0], idle)

    async def leaves(ctx):
        ctx.set(dut.records, int(records))
        for made, _ in images if records else ():
            await send(ctx, dut.leaves, leaf_transfers(made), rngs[1], idle)

    async def receiver(ctx):
        left = count
        while left:
            ctx.set(dut.axi.tready, int(rngs[2].random() >= stall))
            _, _, *shaken = await ctx.tick().sample(dut.axi.tvalid, dut.axi.tready)
            left -= all(shaken)

    axi = dut.axi
    watch = [axi.tvalid, axi.tready, Cat(axi.tdata, axi.tlast)]
    return simulate(dut, results, leaves, receiver, watch=watch)


def words_of(rows):
    return [(one & 0xFFFFFFFF, one >> 32) for one in transfers(rows)]


@pytest.mark.parametrize("records", [False, True])
@pytest.mark.parametrize(("idle", "stall"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (0.4, 0.4)])
def test_random_images(records, idle, stall):
    rng = np.random.default_rng(4)
    images = [random_image(rng, int(rng.integers(1, 4))) for _ in range(8)]
    rows = run(images, records, idle, stall)
    check_held(rows)
    assert framed(words_of(rows)) == [*frames_of(images, records), []]


@pytest.mark.parametrize("records", [False, True])
def test_one_word_a_cycle_without_a_gap(records):
    rng = np.random.default_rng(5)
    images = [random_image(rng, 2) for _ in range(3)]
    rows = run(images, records)
    assert [row[0] for row in rows] == [0] + [1] * (len(rows) - 1)
    assert len(rows) - 1 == sum(map(len, frames_of(images, records)))


def lengths():
    leaf, result = (packet_length(kind, SIZES) for kind in (PacketType.LEAF, PacketType.RESULT))
    return 2 * leaf + result


async def feed(ctx, dut, images, cycles, stop=lambda words: False, ready=1):
    """Offer images for some cycles, or until ``stop(words taken)``."""
    queues = {
        dut.leaves: [one for leaves, _ in images for one in leaf_transfers(leaves)],
        dut.results: [one for _, result in images for one in result_transfers(result)],
    }
    taken = 0
    ctx.set(dut.axi.tready, ready)
    for _ in range(cycles):
        for port, queue in queues.items():
            ctx.set(port.valid, int(bool(queue)))
            ctx.set(port.payload, queue[0] if queue else {})
        seen = [port.ready for port in queues] + [dut.axi.tvalid]
        _, _, *readies, valid = await ctx.tick().sample(*seen)
        for queue, taken_now in zip(queues.values(), readies, strict=True):
            del queue[: int(taken_now and bool(queue))]
        taken += valid and ready
        if stop(taken):
            return


@pytest.mark.parametrize("taken", [1, 5, 13, 21, 22, 23, 24, 30, lengths() - 1])
@pytest.mark.parametrize("waits", [0, 3])
def test_an_abort_closes_the_frame_and_the_next_one_is_whole(taken, waits):
    """Abort after ``taken`` words, while the receiver is not ready for ``waits`` more cycles."""
    rng = np.random.default_rng(6)
    first, second = random_image(rng, 2), random_image(rng, 1)
    dut = ResultOutput(**GOOD)

    async def core(ctx):
        ctx.set(dut.records, 1)
        await feed(ctx, dut, [first], 200, lambda words: words == taken)
        ctx.set(dut.abort, 1)
        await feed(ctx, dut, [first], 1, ready=int(not waits))
        ctx.set(dut.abort, 0)
        await feed(ctx, dut, [second], waits, ready=0)
        await feed(ctx, dut, [second], 200)

    axi = dut.axi
    rows = simulate(dut, core, watch=[axi.tvalid, axi.tready, Cat(axi.tdata, axi.tlast)])
    check_held(rows)
    whole = frames_of([first], True)[0]
    aborted = [*whole[: taken + 1], ABORTED_WORD]
    expected = [aborted] if taken + 1 < len(whole) else [whole, [ABORTED_WORD]]
    assert framed(words_of(rows)) == [*expected, *frames_of([second], True), []]


def test_an_abort_at_rest_sends_one_word():
    dut = ResultOutput(**GOOD)
    second = random_image(np.random.default_rng(7), 1)

    async def core(ctx):
        ctx.set(dut.records, 1)
        ctx.set(dut.abort, 1)
        await feed(ctx, dut, [], 1)
        ctx.set(dut.abort, 0)
        await feed(ctx, dut, [second], 100)

    axi = dut.axi
    rows = simulate(dut, core, watch=[axi.tvalid, axi.tready, Cat(axi.tdata, axi.tlast)])
    assert framed(words_of(rows)) == [[ABORTED_WORD], *frames_of([second], True), []]


def test_leaves_are_not_heeded_unless_asked_for():
    dut = ResultOutput(**GOOD)

    async def core(ctx):
        ctx.set(dut.leaves.valid, 1)
        ctx.set(dut.axi.tready, 1)
        await ctx.tick().repeat(20)

    rows = simulate(dut, core, watch=[dut.leaves.ready, dut.axi.tvalid])
    assert rows == [[0, 0]] * 20


def test_nothing_is_offered_after_reset():
    dut = ResultOutput(**GOOD)
    inputs = [dut.results.valid, dut.axi.tready]
    first, after = play_then_reset(dut, inputs, [[1, 1]] * 4 + [[1, 0]] * 2, [dut.axi.tvalid])
    assert first == after == [[0]] * 2
