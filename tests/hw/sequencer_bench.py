# SPDX-License-Identifier: Apache-2.0
"""Bench of the sequencer: the steps of a visit as nested loops, its datasheet in cycles."""

from itertools import product

import numpy as np
from amaranth.hdl import Value
from amaranth.lib import data
from simulate import plain, simulate

from scaledrop.layer_mapping import Method
from scaledrop_hw.descriptors import descriptor_layout, descriptor_of
from scaledrop_hw.sequencer import LayerSequencer
from scaledrop_hw.walker import command_layout

__all__ = ["check", "parameters_of"]

WEIGHT_BITS = 25
UNUSED_IN_WINDOWS = dict.fromkeys(("word", "mask", "inside"))


def parameters_of(mapping):
    return {
        "layout": descriptor_layout(mapping),
        "descriptors": [descriptor_of(mapped, mapping) for mapped in mapping.layers],
        "command": command_layout(len(mapping.layers), WEIGHT_BITS),
        "tiles": mapping.end.tile,
        "masks": mapping.end.mask,
    }


def begin_of(mapped, mapping, path):
    """First word of the map that a visit of ``path`` reads; images choose their bank themselves."""
    if mapped.reads_image:
        return 0
    before = mapping.layers[mapped.index - 1]
    return before.bases.target + (before.out_words if path >> before.index & 1 else 0)


def steps_of(mapped, mapping, path):
    """Every step of a visit; None where nothing depends on the value."""
    begin, at, window = begin_of(mapped, mapping, path), mapped.bases, mapped.window
    taps = mapped.method is Method.TAPS
    kernel = range(window.size if taps else 1)
    height, width = mapped.source.shape[1:] if taps else (1, 1)
    loops = product(
        *map(range, mapped.positions),
        *map(range, (mapped.column_tiles, mapped.layer.planes)),
        *(kernel, kernel, range(mapped.row_tiles)),
    )
    for oy, ox, column, plane, ky, kx, row in loops:
        y, x = (
            (o * window.stride - window.padding + k) if taps else 0 for o, k in ((oy, ky), (ox, kx))
        )
        inside = 0 <= y < height and 0 <= x < width
        begins = ky == kx == row == 0
        ends = (ky, kx, row) == (kernel[-1], kernel[-1], mapped.row_tiles - 1)
        yield {
            "word": begin + (y * width + x) * mapped.row_tiles + row if inside else None,
            "plane": plane,
            "row_tile": row,
            "across": kx,
            "below": ky,
            "mask": at.mask + row,
            "inside": int(inside),
            "tile": at.tile
            + (column * mapped.taps + ky * len(kernel) + kx) * mapped.row_tiles
            + row,
            "first": int(begins and plane == 0),
            "ends_plane": int(ends),
            "last": int(ends and plane == mapped.layer.planes - 1),
            "ends_position": int(column == mapped.last_tile),
            "ends_layer": int((oy + 1, ox + 1, column) == (*mapped.positions, mapped.last_tile)),
            **({} if mapped.method is not Method.UNROLLED else UNUSED_IN_WINDOWS),
        }


class Datasheet:
    """The class docstring in cycles."""

    def __init__(self, mapping):
        self.mapping = mapping
        self.active = self.start = self.filled = False
        self.steps, self.at, self.current, self.mapped = [], 0, None, None

    @property
    def windowed(self):
        return self.mapped is not None and self.mapped.method is Method.UNROLLED

    def step(self, valid, command, enable, window_ready, done, refuse, hold):
        """Outputs of a cycle with these inputs: (flags, step or None)."""
        issuing, ends = self.at < len(self.steps), False
        step_valid = issuing and (self.filled or not self.windowed) and not hold
        step = self.steps[self.at] if step_valid else None
        if step_valid and enable:
            self.at += 1
            ends = self.at % (len(self.steps) // self.mapped.position_count) == 0
        left = self.at < len(self.steps)
        advance = (
            self.windowed and window_ready and left and (ends or (issuing and not self.filled))
        )
        ready = (not self.active or done) and not refuse and not hold
        flags = (ready, valid and ready, self.active, self.start, advance, step_valid)
        self.filled = (self.filled and not ends) or advance
        self.active, self.start = self.active and not done, False
        if valid and ready:
            self._take(command)
        return [int(bool(flag)) for flag in flags], step

    def _take(self, command):
        self.current, self.active, self.filled = command, True, False
        self.mapped = self.mapping.layers[command["layer"]]
        self.steps = list(steps_of(self.mapped, self.mapping, command["path"]))
        self.at, self.start = 0, self.windowed


class Surroundings:
    """Window buffer, pipeline and walk around a sequencer, with random pauses."""

    def __init__(self, dut, mapping, commands, rng, stall, idle):
        self.dut, self.mapping, self.commands = dut, mapping, commands
        self.rng, self.stall, self.idle = rng, stall, idle
        self.delay, self.positions, self.finished = None, 0, False

    def pause(self, least):
        return least + (int(self.rng.integers(5)) if self.stall else 0)

    async def command(self, ctx):
        dut = self.dut
        for command in self.commands:
            while self.rng.random() < self.idle:
                await ctx.tick()
            ctx.set(dut.command.payload, command)
            ctx.set(dut.command.valid, 1)
            await ctx.tick().until(dut.command.ready)
            ctx.set(dut.command.valid, 0)

    async def window(self, ctx):
        """Ready some cycles after a start or an advance, but not after the last position."""
        dut = self.dut
        ports = dut.start_window, dut.advance_window, dut.current.layer
        while not self.finished:
            _, _, start, advance, layer = await ctx.tick().sample(*ports)
            if start:
                self.positions = self.mapping.layers[layer].position_count
                self.delay = self.pause(3)
            elif advance:
                self.positions -= 1
                self.delay = self.pause(1) if self.positions else None
            if self.delay is not None:
                self.delay -= 1
            ctx.set(dut.window_ready, int(self.delay is not None and self.delay <= 0))

    async def pipeline(self, ctx):
        dut, left = self.dut, 0
        for command in self.commands:
            left = self.mapping.layers[command["layer"]].activations
            while left:
                ctx.set(dut.enable, int(self.rng.random() >= self.stall))
                _, _, valid, enable = await ctx.tick().sample(dut.step_valid, dut.enable)
                left -= valid and enable
            await ctx.tick().repeat(self.pause(1))
            ctx.set(dut.done, 1)
            await ctx.tick()
            ctx.set(dut.done, 0)
        self.finished = True

    async def control(self, ctx):
        """Refuse commands and hold everything, now and then."""
        dut = self.dut
        while not self.finished:
            ctx.set(dut.refuse, int(self.rng.random() < self.stall / 4))
            ctx.set(dut.hold, int(self.rng.random() < self.stall / 4))
            await ctx.tick()

    def run(self):
        """Raw inputs and outputs of every cycle."""
        dut = self.dut
        inputs = [dut.command.valid, dut.command.payload, dut.enable, dut.window_ready]
        inputs += [dut.done, dut.refuse, dut.hold]
        flags = [dut.command.ready, dut.taken, dut.active, dut.start_window]
        flags += [dut.advance_window, dut.step_valid]
        watch = [*inputs, *flags, dut.step, dut.current, dut.descriptor, dut.offered]
        watch = [Value.cast(signal) for signal in watch]
        around = self.command, self.pipeline, self.window, self.control
        return simulate(dut, *around, watch=watch)


def read(layout, raw):
    return plain(data.Const(layout, raw))


def random_commands(rng, mapping, rounds):
    """Every layer ``rounds`` times, in random order, by random paths."""
    layers = rng.permutation(np.repeat(np.arange(len(mapping.layers)), rounds))
    return [
        {
            "layer": int(layer),
            "path": int(rng.integers(1 << layer)),
            **{side: int(rng.integers(1 << WEIGHT_BITS)) for side in ("kept", "dropped")},
            **{flag: int(rng.integers(2)) for flag in ("first", "last")},
        }
        for layer in layers
    ]


def check(mapping, seed, stall, idle, rounds=2):
    """Run random visits; compare every output in every cycle."""
    dut, rng = LayerSequencer(**parameters_of(mapping)), np.random.default_rng(seed)
    commands = random_commands(rng, mapping, rounds)
    rows = Surroundings(dut, mapping, commands, rng, stall, idle).run()
    sheet, layout = Datasheet(mapping), dut.descriptor.shape()
    descriptors = [layout.const(row).as_value().value for row in dut.descriptors]
    taken = 0
    for at, row in enumerate(rows):
        valid, payload, *rest = row[:7]
        flags, step, current, descriptor, offered = row[7:13], *row[13:]
        if sheet.active:
            assert read(dut.current.shape(), current) == sheet.current
            assert descriptor == descriptors[sheet.current["layer"]]
        command = read(dut.current.shape(), payload) if valid else None
        assert not valid or offered == descriptors[command["layer"]]
        want_flags, want = sheet.step(valid, command, *rest)
        assert flags == want_flags, (at, sheet.current)
        if want is not None:
            found = read(dut.step.shape(), step)
            checked = {name: found[name] for name in found if want[name] is not None}
            assert checked == {name: want[name] for name in checked}, (at, sheet.current)
        taken += flags[1]
    assert taken == len(commands) and not sheet.active
