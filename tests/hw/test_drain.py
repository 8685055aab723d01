# SPDX-License-Identifier: Apache-2.0
"""Column drain: beats in order, none lost or doubled, no gap between tiles."""

import numpy as np
import pytest
from simulate import play_then_reset, simulate, take
from wrong_parameters import refusal

from scaledrop_hw.drain import ColumnDrain

GOOD = {"columns": 6, "lanes": 2, "sum_width": 5}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"columns": 0}, "columns must be an integer from 1 to 1024, not 0"),
        ({"lanes": 7}, "lanes must be an integer from 1 to 6, not 7"),
        ({"lanes": 4}, "lanes must divide columns (6), not 4"),
        ({"sum_width": 1}, "sum_width must be an integer from 2 to 62, not 1"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(ColumnDrain, GOOD, wrong) == message


def test_parameters_read_back():
    drain = ColumnDrain(**GOOD)
    assert {name: getattr(drain, name) for name in GOOD} == GOOD


def random_tiles(dut, rng, count):
    """(totals, beats, ends_position, ends_layer) of some tiles."""
    limit = 1 << dut.sum_width - 1
    return [
        (
            rng.integers(-limit, limit, dut.columns).tolist(),
            int(rng.integers(1, dut.columns // dut.lanes + 1)),
            int(rng.integers(2)),
            int(rng.integers(2)),
        )
        for _ in range(count)
    ]


def beats_of(dut, tiles):
    """Every beat of the tiles in plain integers."""
    return [
        {
            "sums": totals[beat * dut.lanes : (beat + 1) * dut.lanes],
            "ends_position": int(ends_position and beat == beats - 1),
            "ends_layer": int(ends_layer and beat == beats - 1),
        }
        for totals, beats, ends_position, ends_layer in tiles
        for beat in range(beats)
    ]


def drain_all(dut, tiles, rng, idle, stall):
    """Load ``tiles`` as soon as allowed; returns the beats taken and the record of every cycle."""
    taken = []

    async def load(ctx):
        for totals, beats, ends_position, ends_layer in tiles:
            while rng.random() < idle:
                await ctx.tick()
            ctx.set(dut.totals, totals)
            ctx.set(dut.beats, beats)
            ctx.set(dut.ends_position, ends_position)
            ctx.set(dut.ends_layer, ends_layer)
            ctx.set(dut.load, 1)
            await ctx.tick().until(dut.ready)
            ctx.set(dut.load, 0)

    async def collect(ctx):
        taken.extend(await take(ctx, dut.output, len(beats_of(dut, tiles)), rng, stall))

    watch = [dut.load, dut.ready, dut.output.valid, dut.output.ready]
    return taken, simulate(dut, load, collect, watch=watch)


@pytest.mark.parametrize(("columns", "lanes"), [(6, 2), (4, 4), (5, 1), (1, 1)])
@pytest.mark.parametrize("idle", [0.0, 0.6])
@pytest.mark.parametrize("stall", [0.0, 0.6])
def test_random_tiles(columns, lanes, idle, stall):
    rng = np.random.default_rng(columns)
    dut = ColumnDrain(columns=columns, lanes=lanes, sum_width=5)
    tiles = random_tiles(dut, rng, 60)
    taken, rows = drain_all(dut, tiles, rng, idle, stall)
    assert taken == beats_of(dut, tiles)
    left, lengths = 0, iter(beats for _, beats, *_ in tiles)
    for load, ready, valid, accept in rows:
        assert valid == (left > 0)
        assert ready == (left == 0 or (left == 1 and accept))
        left -= valid and accept
        left += next(lengths) if load and ready else 0


def test_one_beat_a_cycle_without_a_gap():
    rng = np.random.default_rng(2)
    dut = ColumnDrain(**GOOD)
    tiles = random_tiles(dut, rng, 40)
    taken, rows = drain_all(dut, tiles, rng, 0.0, 0.0)
    assert [row[2] for row in rows] == [0, *[1] * len(taken)]


def test_a_held_beat_does_not_change():
    dut = ColumnDrain(**GOOD)

    async def load(ctx):
        ctx.set(dut.totals, [1, 2, 3, 4, 5, 6])
        ctx.set(dut.beats, 3)
        ctx.set(dut.load, 1)
        await ctx.tick()
        ctx.set(dut.totals, [0] * 6)
        ctx.set(dut.ends_position, 1)
        ctx.set(dut.ends_layer, 1)
        await ctx.tick().repeat(5)

    rows = simulate(dut, load, watch=[dut.output.valid, dut.ready, dut.output.payload])
    beat = {"sums": [1, 2], "ends_position": 0, "ends_layer": 0}
    assert rows[1:] == [[1, 0, beat]] * 5


def test_empty_after_reset():
    dut = ColumnDrain(**GOOD)
    inputs = [dut.load, dut.beats]
    first, after = play_then_reset(dut, inputs, [[1, 3], [0, 0]], [dut.output.valid, dut.ready])
    assert first == after == [[0, 1]] * 2
