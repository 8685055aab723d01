# SPDX-License-Identifier: Apache-2.0
"""Layer sequencer: the order, tags and addresses of its steps, against three nested loops."""

from itertools import pairwise

import numpy as np
import pytest
from simulate import play_then_reset, send, simulate
from wrong_parameters import refusal

from scaledrop_hw.descriptors import LayerKind, descriptor_layout
from scaledrop_hw.sequencer import LayerSequencer

LAYOUT = descriptor_layout(rows=4, columns=4, lanes=2, tiles=64, beats=9, words=20, planes=8)
COUNTS = [(1, 1, 1), (1, 1, 5), (1, 4, 1), (3, 1, 1), (2, 8, 3), (4, 1, 2), (2, 2, 2)]
"""Column tiles, planes and row tiles of some layers."""


def descriptors(rng):
    rows = []
    for columns, planes, row_tiles in COUNTS:
        rows.append(
            {
                "kind": LayerKind.DENSE,
                "image": int(planes > 1),
                "head": 0,
                "last_row_mask": int(rng.integers(1, 16)),
                "row_tiles": row_tiles - 1,
                "column_tiles": columns - 1,
                "planes": planes - 1,
                "last_columns": int(rng.integers(1, 5)),
                "last_beats": int(rng.integers(1, 3)),
                "tile_base": int(rng.integers(0, 64 - columns * row_tiles + 1)),
                "beat_base": int(rng.integers(9)),
                "in_base": int(rng.integers(0, 20 - row_tiles)),
                "out_base": int(rng.integers(20)),
            }
        )
    return rows


def test_wrong_parameters():
    good = {"layout": LAYOUT, "descriptors": descriptors(np.random.default_rng(0))}
    message = "number of layers must be an integer from 1 to 1024, not 0"
    assert refusal(LayerSequencer, good, {"descriptors": []}) == message
    assert LayerSequencer(**good).layers == len(COUNTS)


def steps_of(descriptor, counts):
    """Every step of a layer in order, in plain integers."""
    columns, planes, row_tiles = counts
    return [
        {
            "word": descriptor["in_base"] + row,
            "plane": plane,
            "row_tile": row,
            "tile": descriptor["tile_base"] + column * row_tiles + row,
            "last_row": int(row == row_tiles - 1),
            "first": int(plane == row == 0),
            "double": int(plane > 0 and row == 0),
            "last": int(plane == planes - 1 and row == row_tiles - 1),
            "ends_layer": int(column == columns - 1),
        }
        for column in range(columns)
        for plane in range(planes)
        for row in range(row_tiles)
    ]


def without_care(step):
    """A step with ``double`` cleared where ``first`` makes it idle."""
    return {**step, "double": int(step["double"] and not step["first"])}


def run_layers(dut, layers, commands, rng, stall, idle):
    """Run commands; ``done`` comes some cycles after a layer's last step."""
    totals = [columns * planes * rows for columns, planes, rows in COUNTS]

    async def command(ctx):
        await send(ctx, dut.command, commands, rng, idle)

    async def pipeline(ctx):
        for chosen in commands:
            left = totals[chosen["layer"]]
            while left:
                ctx.set(dut.enable, int(rng.random() >= stall))
                _, _, valid, enable = await ctx.tick().sample(dut.step_valid, dut.enable)
                left -= valid and enable
            ctx.set(dut.enable, 1)
            await ctx.tick().repeat(1 + int(rng.integers(5)))
            ctx.set(dut.done, 1)
            await ctx.tick()
            ctx.set(dut.done, 0)

    port = dut.command
    watch = [
        *(port.valid, port.ready, dut.current, dut.descriptor, dut.active),
        *(dut.step_valid, dut.enable, dut.step, dut.done),
    ]
    names = [
        "valid",
        "ready",
        "current",
        "descriptor",
        "active",
        "stepping",
        "enable",
        "step",
        "done",
    ]
    rows = simulate(dut, command, pipeline, watch=watch)
    return [dict(zip(names, row, strict=True)) for row in rows]


def random_commands(rng, count):
    return [
        {
            "layer": int(rng.integers(len(COUNTS))),
            "first_pass": int(rng.integers(2)),
            "last_pass": int(rng.integers(2)),
        }
        for _ in range(count)
    ]


def check_layer(rows, chosen, table):
    """``rows`` are the cycles from the one after a command to the one of its ``done``."""
    layer = chosen["layer"]
    assert all(row["active"] and row["current"] == chosen for row in rows)
    assert all(row["descriptor"] == table[layer] for row in rows)
    taken = [without_care(row["step"]) for row in rows if row["stepping"] and row["enable"]]
    assert taken == steps_of(table[layer], COUNTS[layer])
    stepping = [row for row in rows if row["stepping"]]
    assert rows[: len(stepping)] == stepping
    for before, after in pairwise(stepping):
        assert before["enable"] or after["step"] == before["step"]
    assert [row["ready"] for row in rows] == [0] * (len(rows) - 1) + [1]


@pytest.mark.parametrize("stall", [0.0, 0.6])
@pytest.mark.parametrize("idle", [0.0, 0.6])
def test_random_commands(stall, idle):
    rng = np.random.default_rng(13)
    table = descriptors(rng)
    dut = LayerSequencer(layout=LAYOUT, descriptors=table)
    commands = random_commands(rng, 40)
    rows = run_layers(dut, table, commands, rng, stall, idle)
    taken = [now for now, row in enumerate(rows) if row["valid"] and row["ready"]]
    done = [now for now, row in enumerate(rows) if row["done"]]
    assert len(taken) == len(done) == len(commands)
    for start, end, chosen in zip(taken, done, commands, strict=True):
        check_layer(rows[start + 1 : end + 1], chosen, table)
    for end, start in zip(done, taken[1:], strict=False):
        assert start == end if not idle else start >= end
        assert not any(row["active"] or row["stepping"] for row in rows[end + 1 : start + 1])


def test_idle_after_reset_in_the_middle_of_a_layer():
    dut = LayerSequencer(layout=LAYOUT, descriptors=descriptors(np.random.default_rng(1)))
    inputs = [dut.command.valid, dut.command.payload.layer, dut.enable]
    outputs = [dut.active, dut.step_valid, dut.command.ready]
    first, after = play_then_reset(dut, inputs, [[1, 4, 1], [0, 0, 1], [0, 0, 1]], outputs)
    assert first == after == [[0, 0, 1]] * 2
