# SPDX-License-Identifier: Apache-2.0
"""Runs one component in Amaranth's simulator: players, handshakes, a record of every cycle."""

from amaranth.hdl import ResetInserter, Signal
from amaranth.lib import data
from amaranth.sim import Simulator


def plain(value):
    """A sampled value as it is, or as lists (array layouts) and dicts (struct layouts)."""
    if not isinstance(value, data.Const):
        return value
    layout = value.shape()
    if isinstance(layout, data.ArrayLayout):
        return [plain(value[index]) for index in range(layout.length)]
    return {key: plain(value[key]) for key, _ in layout}


def simulate(dut, *testbenches, watch=(), limit=40_000):
    """Run until every testbench has ended; raises TimeoutError after ``limit`` cycles.

    Returns one list per clock cycle: the watched signals as they were at the cycle's end.
    """
    rows = []

    async def record(ctx):
        async for _, _, *values in ctx.tick().sample(*watch):
            rows.append([plain(value) for value in values])

    async def watchdog(ctx):
        for _ in range(limit):
            await ctx.tick()
        raise TimeoutError(f"not done after {limit} cycles")

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.add_testbench(watchdog, background=True)
    if watch:
        simulator.add_process(record)
    simulator.run()
    return rows


def play(dut, inputs, stimulus, outputs):
    """Drive ``inputs`` with one row of ``stimulus`` a cycle; returns ``outputs`` of each cycle."""

    async def drive(ctx):
        for row in stimulus:
            for signal, value in zip(inputs, row, strict=True):
                ctx.set(signal, value)
            await ctx.tick()

    return simulate(dut, drive, watch=outputs)


def play_then_reset(dut, inputs, stimulus, outputs):
    """Play from rest, then reset for one cycle.

    Returns ``outputs`` in the first two cycles of all and in the two after the reset.
    """
    reset = Signal()
    rest = [[0, *[0] * len(inputs)]] * 2
    rows = [*rest, *([0, *row] for row in stimulus), [1, *rest[0][1:]], *rest]
    seen = play(ResetInserter(reset)(dut), [reset, *inputs], rows, outputs)
    return seen[:2], seen[-2:]


async def send(ctx, port, values, rng=None, idle=0.0):
    """Offer ``values`` on a stream; before each, pause for a cycle with probability ``idle``."""
    for value in values:
        while idle and rng.random() < idle:
            await ctx.tick()
        ctx.set(port.payload, value)
        ctx.set(port.valid, 1)
        await ctx.tick().until(port.ready)
        ctx.set(port.valid, 0)


async def take(ctx, port, count, rng=None, stall=0.0):
    """Take ``count`` transfers of a stream, not ready with probability ``stall``."""
    taken = []
    while len(taken) < count:
        ctx.set(port.ready, int(not stall or rng.random() >= stall))
        _, _, valid, ready, payload = await ctx.tick().sample(port.valid, port.ready, port.payload)
        if valid and ready:
            taken.append(plain(payload))
    ctx.set(port.ready, 0)
    return taken
