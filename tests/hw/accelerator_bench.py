# SPDX-License-Identifier: Apache-2.0
"""Runs an accelerator in Amaranth's own simulator and gathers what its ports say."""

from dataclasses import dataclass, field

import numpy as np
from amaranth.sim import Simulator

from scaledrop.events import Event
from scaledrop.spin import uniform_words


@dataclass
class Observed:
    masks: list = field(default_factory=list)
    hidden: list = field(default_factory=list)
    logits: list = field(default_factory=list)
    results: list = field(default_factory=list)
    counters: dict = field(default_factory=dict)
    writes: int = 0


async def _spin_unit(ctx, spin, words, seen):
    """Ideal device: one word per write pulse."""
    state, writing = 0, 0
    async for _, _, reset, write, drive in ctx.tick().sample(spin.reset, spin.write, spin.drive):
        if reset:
            state = 0
        if write and not writing:
            state |= int(words[seen.writes]) < drive
            seen.writes += 1
        writing = write
        ctx.set(spin.sense, state)


async def _pixels(ctx, port, pixels, rng, idle):
    for value in pixels:
        while rng.random() < idle:
            await ctx.tick()
        ctx.set(port.payload, int(value))
        ctx.set(port.valid, 1)
        await ctx.tick().until(port.ready)
        ctx.set(port.valid, 0)


async def _results(ctx, port, count, rng, stall, seen):
    while len(seen.results) < count:
        ctx.set(port.ready, int(rng.random() >= stall))
        _, _, valid, ready, label, total, votes = await ctx.tick().sample(
            port.valid, port.ready, port.payload.label, port.payload.sum, port.payload.votes
        )
        if valid and ready:
            seen.results.append((label, total, votes))
    ctx.set(port.ready, 0)


async def _trace(ctx, trace, seen):
    async for _, _, mv, ml, mk, hv, hl, hb, hbits, lv, ll, value in ctx.tick().sample(
        trace.mask_valid,
        trace.mask.layer,
        trace.mask.keep,
        trace.hidden_valid,
        trace.hidden.layer,
        trace.hidden.beat,
        trace.hidden.bits,
        trace.logit_valid,
        trace.logit.label,
        trace.logit.value,
    ):
        if mv:
            seen.masks.append((ml, mk))
        if hv:
            seen.hidden.append((hl, hb, hbits))
        if lv:
            seen.logits.append((ll, value))


async def _counters(ctx, dut, layers, seen):
    for index, event in enumerate(Event):
        for at, name in enumerate(layers):
            ctx.set(dut.counter_select, index * len(layers) + at)
            await ctx.tick()
            await ctx.tick()
            seen.counters.setdefault(name, {})[str(event)] = ctx.get(dut.counter_value)


def run(dut, images, passes, seed=1, idle=0.0, stall=0.0, limit=200_000, prepare=None):
    """Infer ``images``; returns what was observed, raises TimeoutError after ``limit`` cycles.

    ``prepare(ctx)`` runs before the first pixel is offered.
    """
    network, seen = dut.mapping.network, Observed()
    layers = [layer.name for layer in network.layers]
    words = uniform_words(seed, len(images) * passes * len(layers) + 64)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def testbench(ctx):
        ctx.set(dut.passes, passes)
        await _results(
            ctx,
            dut.results,
            len(images) * network.classes,
            np.random.default_rng(seed),
            stall,
            seen,
        )
        for _ in range(4):
            await ctx.tick()
        await _counters(ctx, dut, layers, seen)

    async def feed(ctx):
        if prepare is not None:
            await prepare(ctx)
        await _pixels(ctx, dut.pixels, images.ravel(), np.random.default_rng(seed + 1), idle)

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
    return seen
