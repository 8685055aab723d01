# SPDX-License-Identifier: Apache-2.0
"""Pass control: commands and requests in the order of the contract, one request each."""

from itertools import pairwise

import numpy as np
import pytest
from simulate import play, play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop_hw.passes import PassControl


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"max_passes": 0}, "max_passes must be an integer from 1 to 65535, not 0"),
        ({"max_passes": 65536}, "max_passes must be an integer from 1 to 65535, not 65536"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(PassControl, {"layers": 2, "max_passes": 3}, wrong) == message


def test_parameters_read_back():
    control = PassControl(layers=2, max_passes=3)
    assert (control.layers, control.max_passes) == (2, 3)


def commands_of(layers, passes):
    return [
        {"layer": layer, "first_pass": int(at == 0), "last_pass": int(at == passes - 1)}
        for at in range(passes)
        for layer in range(layers)
    ]


def run_images(dut, images, rng, idle=0.0, stall=0.0, work=1):
    """Run images of the given numbers of passes; returns the record of every cycle.

    Around the component stand an image buffer, a sequencer whose layers take 1 to ``work`` cycles
    and never end before their bit is requested, and a dropout controller. T is on the port only in
    the cycle in which an image starts.
    """
    command, request = dut.command, dut.request

    async def surroundings(ctx):
        queue, held, started = list(images), False, False
        busy = commanded = requested = 0
        while queue:
            held = held or rng.random() >= idle
            done = busy == 1 and requested >= commanded
            starts = held and not started
            ctx.set(dut.available, int(held))
            ctx.set(dut.passes, queue[0] if starts else int(rng.integers(dut.max_passes + 1)))
            ctx.set(dut.done, int(done))
            ctx.set(command.ready, int((busy == 0 or done) and rng.random() >= stall))
            ctx.set(request.ready, int(rng.random() >= stall))
            _, _, commands, requests, free = await ctx.tick().sample(
                command.valid & command.ready, request.valid & request.ready, dut.free
            )
            commanded, requested, started = commanded + commands, requested + requests, held
            busy = (
                1 + int(rng.integers(work)) if commands else 0 if done else max(busy - 1, busy > 0)
            )
            if free:
                queue.pop(0)
                held = started = False
        ctx.set(dut.available, 0)
        ctx.set(dut.done, 0)
        await ctx.tick().repeat(3)

    watch = [
        *(command.valid, command.ready, command.payload),
        *(request.valid, request.ready, request.payload),
        *(dut.available, dut.done, dut.free),
    ]
    names = [
        "command",
        "taken",
        "chosen",
        "request",
        "granted",
        "layer",
        "available",
        "done",
        "free",
    ]
    return [dict(zip(names, row, strict=True)) for row in simulate(dut, surroundings, watch=watch)]


def images_of(rows):
    """Records of the images, each from the cycle after the one before it to its ``free``."""
    ends = [now for now, row in enumerate(rows) if row["free"]]
    starts = [0, *(end + 1 for end in ends)]
    return [rows[start : end + 1] for start, end in zip(starts, ends, strict=False)]


@pytest.mark.parametrize("layers", [1, 2, 5])
@pytest.mark.parametrize(("idle", "stall", "work"), [(0.0, 0.0, 1), (0.6, 0.0, 4), (0.3, 0.6, 3)])
def test_order_of_commands_and_requests(layers, idle, stall, work):
    rng = np.random.default_rng(14)
    images = [1, 3, 2, 7, 1, 1, 5]
    dut = PassControl(layers=layers, max_passes=7)
    rows = run_images(dut, images, rng, idle, stall, work)
    found = images_of(rows)
    assert len(found) == len(images)
    for record, passes in zip(found, images, strict=True):
        commands = [row["chosen"] for row in record if row["command"] and row["taken"]]
        requests = [row["layer"] for row in record if row["request"] and row["granted"]]
        assert commands == commands_of(layers, passes)
        assert requests == list(range(layers)) * passes
        assert sum(row["done"] for row in record) == layers * passes
        assert record[-1]["done"] and record[-1]["free"]
        start = next(now for now, row in enumerate(record) if row["available"])
        quiet = record[: start + 1]
        assert not any(row["command"] or row["request"] for row in quiet)
        assert record[start + 1]["command"] and record[start + 1]["request"]
    assert not any(row["command"] or row["request"] for row in rows[-3:])


def test_an_offered_command_and_request_hold():
    rng = np.random.default_rng(15)
    rows = run_images(PassControl(layers=3, max_passes=4), [4, 4], rng, 0.0, 0.8, 3)
    for before, after in pairwise(rows):
        if before["command"] and not before["taken"]:
            assert after["command"] and after["chosen"] == before["chosen"]
        if before["request"] and not before["granted"]:
            assert after["request"] and after["layer"] == before["layer"]


def test_an_image_that_is_there_waits_two_cycles():
    rows = run_images(PassControl(layers=2, max_passes=3), [2, 2], np.random.default_rng(16))
    free = next(now for now, row in enumerate(rows) if row["free"])
    assert rows[free + 2]["command"] and rows[free + 2]["taken"]


def test_quiet_after_reset_in_the_middle_of_an_image():
    dut = PassControl(layers=2, max_passes=3)
    outputs = [dut.command.valid, dut.request.valid, dut.free]
    inputs = [dut.available, dut.passes]
    first, after = play_then_reset(dut, inputs, [[1, 3]] * 5, outputs)
    assert first == after == [[0, 0, 0]] * 2


def test_no_pass_at_all_is_taken_as_one():
    rng = np.random.default_rng(16)
    rows = run_images(PassControl(layers=2, max_passes=3), [0], rng, 0.0, 0.0, 3)
    assert sum(row["command"] and row["taken"] for row in rows) == 2
    assert sum(row["request"] and row["granted"] for row in rows) == 2


def test_bits_go_through_in_order_under_back_pressure():
    dut = PassControl(layers=2, max_passes=3)
    inputs = [dut.drawn_bits.valid, dut.drawn_bits.payload, dut.mask_bits.ready]
    cases = [[v, b, r] for v in (0, 1) for b in (0, 1) for r in (0, 1)]
    outputs = [dut.mask_bits.valid, dut.mask_bits.payload, dut.drawn_bits.ready]
    assert play(dut, inputs, cases, outputs) == cases
