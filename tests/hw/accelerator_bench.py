# SPDX-License-Identifier: Apache-2.0
"""Runs an accelerator in Amaranth's own simulator; captures its ports as the shell does."""

import numpy as np
from amaranth.sim import Simulator
from scaledrop.walk import Mode
from simulate import plain

from scaledrop.events import Event
from scaledrop.images import stream_order
from scaledrop_cosim.capture import Capture

TRACES = {"visit": "visits", "drawn": "drawn", "hidden": "hidden", "logit": "logits"}


async def _spin_unit(ctx, spin, words, seen):
    """Ideal device: one word per write pulse."""
    state, writing = 0, 0
    async for _, _, reset, write, drive in ctx.tick().sample(spin.reset, spin.write, spin.drive):
        if reset:
            state = 0
        if write and not writing:
            state |= int(words[seen["writes"]]) < drive
            seen["writes"] += 1
        writing = write
        ctx.set(spin.sense, state)


async def _pixels(ctx, port, images, rng, idle):
    for pixels in images:
        for at, value in enumerate(pixels):
            while rng.random() < idle:
                await ctx.tick()
            ctx.set(port.payload, {"value": int(value), "last": at == len(pixels) - 1})
            ctx.set(port.valid, 1)
            await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)


async def _results(ctx, port, count, rng, stall, seen):
    while len(seen["results"]) < count:
        ctx.set(port.ready, int(rng.random() >= stall))
        _, _, valid, ready, payload = await ctx.tick().sample(port.valid, port.ready, port.payload)
        if valid and ready:
            seen["results"].append(plain(payload))
    ctx.set(port.ready, 0)


async def _trace(ctx, trace, seen):
    signals = [(getattr(trace, f"{name}_valid"), getattr(trace, name)) for name in TRACES]
    async for _, _, *values in ctx.tick().sample(*(one for pair in signals for one in pair)):
        for at, name in enumerate(TRACES.values()):
            if values[2 * at]:
                seen[name].append(plain(values[2 * at + 1]))


async def _counters(ctx, dut, layers, seen):
    for index, event in enumerate(Event):
        for at, name in enumerate(layers):
            ctx.set(dut.counter_select, index * len(layers) + at)
            await ctx.tick()
            await ctx.tick()
            seen["counters"].setdefault(name, {})[str(event)] = ctx.get(dut.counter_value)


def _column(values):
    wide = any(abs(value) >> 62 for value in values if isinstance(value, int))
    return np.array(values, dtype=object if wide else None)


def _table(rows, layout):
    names = [name for name, _ in layout]
    return {name: _column([row[name] for row in rows]) for name in names}


def run(dut, workload, idle=0.0, stall=0.0, limit=200_000, prepare=None):
    """Infer a workload; returns the capture, raises TimeoutError after ``limit`` cycles.

    ``prepare(ctx)`` runs before the first pixel is offered.
    """
    network, rng = workload.network, np.random.default_rng(workload.seed)
    seen = {name: [] for name in (*TRACES.values(), "results")} | {"counters": {}, "writes": 0}
    words = np.concatenate([workload.words, np.zeros(64, dtype=np.uint16)])
    images = stream_order(workload.images, network.input_shape)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def testbench(ctx):
        ctx.set(dut.drive_codes, list(workload.codes))
        ctx.set(dut.mode, list(Mode).index(workload.inference.mode))
        ctx.set(dut.passes, workload.passes)
        ctx.set(dut.cutoff, workload.cutoff)
        await _results(ctx, dut.results, len(images) * network.classes, rng, stall, seen)
        for _ in range(4):
            await ctx.tick()
        await _counters(ctx, dut, [layer.name for layer in network.layers], seen)

    async def feed(ctx):
        if prepare is not None:
            await prepare(ctx)
        await _pixels(ctx, dut.pixels, images, np.random.default_rng(workload.seed + 1), idle)

    async def watchdog(ctx):
        for _ in range(limit):
            await ctx.tick()
        raise TimeoutError(f"no result after {limit} cycles")

    async def trace(ctx):
        await _trace(ctx, dut.trace, seen)

    async def spin_unit(ctx):
        await _spin_unit(ctx, dut.spin, words, seen)

    simulator.add_testbench(testbench)
    simulator.add_testbench(feed)
    simulator.add_testbench(watchdog, background=True)
    simulator.add_testbench(trace, background=True)
    simulator.add_process(spin_unit)
    simulator.run()
    tables = {
        plural: _table(seen[plural], getattr(dut.trace, name).shape())
        for name, plural in TRACES.items()
    }
    results = _table(seen["results"], dut.results.payload.shape())
    return Capture(
        **tables, results=results, counters=seen["counters"], device_writes=seen["writes"]
    )
