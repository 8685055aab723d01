# SPDX-License-Identifier: Apache-2.0
"""Runs an accelerator in Amaranth's own simulator; captures its ports as the shell does.

Nothing is generated or compiled, so that a small design is checked in seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from amaranth.hdl import Signal
from amaranth.sim import Simulator

from scaledrop.events import Event, EventCounts
from scaledrop.images import stream_order
from scaledrop.walk import Mode
from scaledrop_cosim.amaranth_parts import Gaps, Offer, SpinUnit, Take, Trace
from scaledrop_cosim.capture import Capture, Fields
from scaledrop_cosim.contract import Workload

__all__ = ["BenchCapture", "World", "run"]

Prepare = Callable[[Any], Awaitable[None]]
TRACES = {"visit": "visits", "drawn": "drawn", "hidden": "hidden", "logit": "logits"}
AFTERWARDS = 4
"""Cycles until the last events are counted."""


@dataclass(frozen=True)
class World:
    """What surrounds the accelerator.

    Attributes:
        idle: chance per cycle that no pixel is offered.
        stall: chance per cycle that no result, and no record, is taken.
        pause: cycles that such a gap lasts.
        min_votes, min_margin: limits below which to abstain.
        records: ask for the logits of every leaf.
    """

    idle: float = 0.0
    stall: float = 0.0
    pause: int = 1
    min_votes: int = 0
    min_margin: int = 0
    records: bool = False


QUIET = World()


@dataclass(frozen=True, eq=False)
class BenchCapture(Capture):
    """With what only this bench asks for.

    Attributes:
        records: path, weight, label, value, ends_leaf, ends_image.
    """

    records: Fields = field(default_factory=dict)


async def _counters(ctx: Any, dut: Any, layers: Sequence[str]) -> EventCounts:
    counters: EventCounts = {name: {} for name in layers}
    for index, event in enumerate(Event):
        for at, name in enumerate(layers):
            ctx.set(dut.counter_select, index * len(layers) + at)
            await ctx.tick().repeat(2)
            counters[name][str(event)] = ctx.get(dut.counter_value)
    return counters


def _payloads(workload: Workload) -> list[dict[str, int]]:
    """Pixels of all images, the first one last."""
    images = stream_order(workload.images, workload.network.input_shape).tolist()
    pixels = [
        {"value": value, "last": int(at == len(image) - 1)}
        for image in images
        for at, value in enumerate(image)
    ]
    return pixels[::-1]


class _Bench:
    """One run. Everything around the accelerator acts in one process, once a cycle."""

    def __init__(self, dut: Any, workload: Workload, world: World) -> None:
        self.dut, self.workload, self.world = dut, workload, world
        seed, pause = workload.seed, world.pause
        self.count = len(workload.images) * workload.network.classes
        self.spin = SpinUnit(dut.spin, workload.words.tolist())
        self.pixels = Offer(dut.pixels, _payloads(workload), Gaps(seed + 1, world.idle, pause))
        self.results = Take(dut.results, Gaps(seed, world.stall, pause))
        self.records = Take(dut.records, Gaps(seed + 2, world.stall, pause))
        self.trace = Trace(dut.trace, TRACES)
        self.over, self.hung = Signal(), False
        self.counters: EventCounts = {}
        self.monitors = 0

    async def cycles(self, ctx: Any, limit: int) -> None:
        """All that happens around the accelerator, cycle by cycle."""
        parts: list[Any] = [self.spin, self.pixels, self.results, self.trace]
        parts += [self.records] if self.world.records else []
        watched = [signal for part in parts for signal in part.watched]
        ends = accumulate(len(part.watched) for part in parts)
        acts = [(part, end - len(part.watched), end) for part, end in zip(parts, ends, strict=True)]
        left, words, count = AFTERWARDS, self.results.words, self.count
        async for _, _, *values in ctx.tick().sample(*watched):
            for part, start, end in acts:
                part.cycle(ctx, *values[start:end])
            limit -= 1
            left -= len(words) >= count and not self.records.waiting
            if left < 0 or limit <= 0:
                self.hung = len(words) < count
                ctx.set(self.over, 1)

    async def operate(self, ctx: Any, prepare: Prepare | None) -> None:
        """Program the accelerator, wait for the last result, read the counters."""
        dut, workload, world = self.dut, self.workload, self.world
        ctx.set(dut.drive_codes, list(workload.codes))
        ctx.set(dut.mode, list(Mode).index(workload.inference.mode))
        ctx.set(dut.passes, workload.passes)
        ctx.set(dut.cutoff, workload.cutoff)
        ctx.set(dut.min_votes, world.min_votes)
        ctx.set(dut.min_margin, world.min_margin)
        ctx.set(dut.record_enable, int(world.records))
        if prepare is not None:
            await prepare(ctx)
        self.pixels.begun = True
        await ctx.changed(self.over)
        if not self.hung:
            layers = [layer.name for layer in workload.network.layers]
            self.counters = await _counters(ctx, dut, layers)
            self.monitors = ctx.get(dut.status)

    def capture(self) -> BenchCapture:
        """What was seen."""
        tables: dict[str, Any] = self.trace.fields()
        return BenchCapture(
            **tables,
            results=self.results.fields(),
            counters=self.counters,
            device_writes=self.spin.writes,
            monitors=self.monitors,
            records=self.records.fields(),
        )


def run(
    dut: Any,
    workload: Workload,
    world: World = QUIET,
    limit: int = 200_000,
    prepare: Prepare | None = None,
) -> BenchCapture:
    """Infer a workload.

    Args:
        dut: the accelerator.
        limit: cycles after which the accelerator is taken for hung.
        prepare: called with the simulator's context before the first pixel is offered.

    Raises:
        TimeoutError: no last result after ``limit`` cycles.
    """
    bench = _Bench(dut, workload, world)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def operate(ctx: Any) -> None:
        await bench.operate(ctx, prepare)

    async def cycles(ctx: Any) -> None:
        await bench.cycles(ctx, limit)

    simulator.add_testbench(operate)
    simulator.add_process(cycles)
    simulator.run()
    if bench.hung:
        raise TimeoutError(f"no result after {limit} cycles")
    return bench.capture()
