# SPDX-License-Identifier: Apache-2.0
"""Pass control: commands and requests in the order of the contract, one request each."""

import numpy as np
import pytest
from simulate import play, play_then_reset, simulate, take
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


async def wait_for_image(ctx, dut, rng, idle):
    while rng.random() < idle:
        await ctx.tick()
    ctx.set(dut.available, 1)


async def run_layer(ctx, dut, rng, work):
    """Take a command, or find it taken with the ``done`` before it; then work."""
    ctx.set(dut.command.ready, 1)
    await ctx.tick().until(dut.command.valid)
    ctx.set(dut.command.ready, 0)
    await ctx.tick().repeat(1 + int(rng.integers(work)))


def run_images(dut, images, rng, idle=0.0, stall=0.0, work=1):
    """Run images of the given numbers of passes; returns the record of every cycle."""

    async def layers(ctx):
        for passes in images:
            await wait_for_image(ctx, dut, rng, idle)
            ctx.set(dut.passes, passes)
            await ctx.tick()
            ctx.set(dut.passes, int(rng.integers(dut.max_passes + 1)))
            for left in range(dut.layers * passes, 0, -1):
                await run_layer(ctx, dut, rng, work)
                ctx.set(dut.done, 1)
                if left == 1:
                    await ctx.tick()
                    ctx.set(dut.available, 0)
                    ctx.set(dut.done, 0)
                elif rng.random() < 0.5:
                    await ctx.tick()
                    ctx.set(dut.done, 0)
                else:
                    ctx.set(dut.command.ready, 1)
                    await ctx.tick()
                    ctx.set(dut.command.ready, 0)
                    ctx.set(dut.done, 0)

    raise NotImplementedError
