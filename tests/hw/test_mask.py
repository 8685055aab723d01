# SPDX-License-Identifier: Apache-2.0
"""Mask register: one transfer per layer, never a bit for two layers."""

import numpy as np
import pytest
from simulate import play, play_then_reset, send, simulate

from scaledrop_hw.mask import MaskRegister


def layers_of(rows):
    """Bits with which layers ran, from a record of (valid, keep, free)."""
    return [keep for valid, keep, free in rows if valid and free]


@pytest.mark.parametrize("idle", [0.0, 0.7])
@pytest.mark.parametrize("beats", [1, 5])
def test_each_layer_has_its_own_bit(idle, beats):
    rng = np.random.default_rng(6)
    dut = MaskRegister()
    bits = rng.integers(0, 2, 200).tolist()

    async def supply(ctx):
        await send(ctx, dut.bits, bits, rng, idle)

    async def run_layers(ctx):
        for bit in bits:
            await ctx.tick().until(dut.valid)
            for beat in range(beats):
                ctx.set(dut.free, int(beat == beats - 1))
                _, _, valid, keep = await ctx.tick().sample(dut.valid, dut.keep)
                assert (valid, keep) == (1, bit)
            ctx.set(dut.free, 0)

    watch = [dut.valid, dut.keep, dut.free, dut.bits.valid, dut.bits.ready]
    rows = simulate(dut, supply, run_layers, watch=watch)
    assert layers_of([row[:3] for row in rows]) == bits
    assert sum(valid and ready for *_, valid, ready in rows) == len(bits)


def test_every_move_of_the_register():
    rng = np.random.default_rng(7)
    dut = MaskRegister()
    inputs = [dut.bits.valid, dut.bits.payload, dut.free]
    valid, keep, stimulus, expected = 0, 0, [], []
    for _ in range(500):
        offer, bit = rng.integers(0, 2, 2).tolist()
        free = valid and int(rng.integers(2))
        stimulus.append((offer, bit, free))
        expected.append([valid, int(not valid), keep if valid else None])
        if offer and not valid:
            valid, keep = 1, bit
        elif free:
            valid = 0
    rows = play(dut, inputs, stimulus, [dut.valid, dut.bits.ready, dut.keep])
    seen = [[valid, ready, keep if valid else None] for valid, ready, keep in rows]
    assert seen == expected
    assert len({(*row, *move) for row, move in zip(expected, stimulus, strict=True)}) == 20


def test_no_bit_is_held_after_reset():
    dut = MaskRegister()
    inputs = [dut.bits.valid, dut.bits.payload]
    first, after = play_then_reset(dut, inputs, [[1, 1], [0, 0]], [dut.valid, dut.bits.ready])
    assert first == after == [[0, 1]] * 2
