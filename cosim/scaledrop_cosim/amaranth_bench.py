# SPDX-License-Identifier: Apache-2.0
"""Runs an accelerator in Amaranth's own simulator; captures its ports as the shell does.

Nothing is generated or compiled, so that a small design is checked in seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Shape, Signal
from amaranth.lib import data
from amaranth.sim import Simulator

from scaledrop.events import Event
from scaledrop.images import stream_order
from scaledrop.walk import Mode
from scaledrop_cosim.capture import Capture, Fields
from scaledrop_cosim.contract import Workload

__all__ = ["World", "run"]

TRACES = {"visit": "visits", "drawn": "drawn", "hidden": "hidden", "logit": "logits"}
WIDE = 62
AFTERWARDS = 4
"""Cycles until the last events are counted."""


@dataclass(frozen=True)
class World:
    """What surrounds the accelerator.

    Attributes:
        idle: chance per cycle that no pixel is offered.
        stall: chance per cycle that no result is taken.
        pause: cycles that such a gap lasts.
        min_votes, min_margin: limits below which to abstain.
    """

    idle: float = 0.0
    stall: float = 0.0
    pause: int = 1
    min_votes: int = 0
    min_margin: int = 0

    @property
    def quiet(self) -> bool:
        """Cycle predictions hold only for an undisturbed run."""
        return self.idle == 0 and self.stall == 0


class _Gaps:
    """Whether this cycle belongs to a gap."""

    def __init__(self, seed: int, chance: float, pause: int) -> None:
        self.rng, self.chance, self.pause = np.random.default_rng(seed), chance, pause
        self.left = 0

    def __call__(self) -> bool:
        if self.chance and not self.left and self.rng.random() < self.chance:
            self.left = self.pause
        gap = self.left > 0
        self.left -= gap
        return gap


@dataclass
class _SpinUnit:
    """Ideal device: one word per write pulse."""

    port: Any
    words: Sequence[int]
    writes: int = 0
    state: int = 0
    writing: int = 0

    @property
    def watched(self) -> list[Any]:
        return [self.port.reset, self.port.write, self.port.drive]

    def cycle(self, ctx: Any, reset: int, write: int, drive: int) -> None:
        if reset:
            self.state = 0
        if write and not self.writing:
            word = self.words[self.writes] if self.writes < len(self.words) else 0
            self.state |= int(word < drive)
            self.writes += 1
        self.writing = write
        ctx.set(self.port.sense, self.state)


@dataclass
class _Pixels:
    """Offers the images, one pixel after another."""

    port: Any
    pixels: list[dict[str, int]]
    gap: _Gaps
    offered: bool = False
    ready_to_begin: bool = True

    @property
    def watched(self) -> list[Any]:
        return [self.port.ready]

    def cycle(self, ctx: Any, ready: int) -> None:
        if self.offered and ready:
            self.offered = False
            ctx.set(self.port.valid, 0)
        if self.ready_to_begin and not self.offered and self.pixels and not self.gap():
            ctx.set(self.port.payload, self.pixels.pop())
            ctx.set(self.port.valid, 1)
            self.offered = True


@dataclass
class _Results:
    """Takes ``count`` results, then none."""

    port: Any
    count: int
    gap: _Gaps
    words: list[int] = field(default_factory=list)
    taking: int = 0

    @property
    def watched(self) -> list[Any]:
        return [self.port.valid, self.port.payload.as_value()]

    @property
    def done(self) -> bool:
        return len(self.words) == self.count

    def cycle(self, ctx: Any, valid: int, payload: int) -> None:
        if valid and self.taking:
            self.words.append(payload)
        taking = int(not self.done and not self.gap())
        if taking != self.taking:
            self.taking = taking
            ctx.set(self.port.ready, taking)


class _Trace:
    """Whatever the observation port shows."""

    def __init__(self, port: Any) -> None:
        self.watched = [getattr(port, f"{name}_valid") for name in TRACES]
        self.watched += [getattr(port, name).as_value() for name in TRACES]
        self.words: dict[str, list[int]] = {name: [] for name in TRACES}

    def cycle(self, _: Any, *values: int) -> None:
        for at, words in enumerate(self.words.values()):
            if values[at]:
                words.append(values[at + len(TRACES)])


def _numbers(words: list[int], offset: int, width: int, signed: bool) -> npt.NDArray[Any]:
    """(lines,) values of a field: int64, or Python integers where the field is wide."""
    mask, top = (1 << width) - 1, 1 << width - 1 if signed else 0
    values = [((word >> offset & mask) ^ top) - top for word in words]
    return np.array(values, dtype=np.int64 if width <= WIDE else object)


def _fields(words: list[int], layout: Any) -> Fields:
    """Captured words as arrays of the fields of their layout."""
    found = {}
    for name, one in layout:
        lanes = [one]
        if isinstance(one.shape, data.ArrayLayout):
            lanes = [lane for _, lane in one.shape]
        base = one.offset if isinstance(one.shape, data.ArrayLayout) else 0
        columns = [
            _numbers(words, base + lane.offset, lane.width, Shape.cast(lane.shape).signed)
            for lane in lanes
        ]
        found[name] = np.stack(columns, axis=1) if base or lanes != [one] else columns[0]
    return found


async def _counters(ctx: Any, dut: Any, layers: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    counters: dict[str, dict[str, int]] = {name: {} for name in layers}
    for index, event in enumerate(Event):
        for at, name in enumerate(layers):
            ctx.set(dut.counter_select, index * len(layers) + at)
            await ctx.tick().repeat(2)
            counters[name][str(event)] = ctx.get(dut.counter_value)
    return counters


class _Bench:
    """One run. Everything around the accelerator acts in one process, once a cycle."""

    def __init__(self, dut: Any, workload: Workload, world: World) -> None:
        self.dut, self.workload, self.world = dut, workload, world
        network, seed = workload.network, workload.seed
        images = stream_order(workload.images, network.input_shape)
        pixels = [
            {"value": value, "last": int(at == len(image) - 1)}
            for image in images.tolist()
            for at, value in enumerate(image)
        ]
        self.layers = [layer.name for layer in network.layers]
        self.spin = _SpinUnit(dut.spin, workload.words.tolist())
        self.pixels = _Pixels(dut.pixels, pixels[::-1], _Gaps(seed + 1, world.idle, world.pause))
        gaps = _Gaps(seed, world.stall, world.pause)
        self.results = _Results(dut.results, len(images) * network.classes, gaps)
        self.trace = _Trace(dut.trace)
        self.over, self.hung = Signal(), False
        self.counters: Mapping[str, Mapping[str, int]] = {}

    async def cycles(self, ctx: Any, limit: int) -> None:
        """All that happens around the accelerator, cycle by cycle."""
        parts: list[Any] = [self.spin, self.pixels, self.results, self.trace]
        watched = [signal for part in parts for signal in part.watched]
        ends = np.cumsum([0, *(len(part.watched) for part in parts)]).tolist()
        slices = [slice(*pair) for pair in zip(ends, ends[1:], strict=False)]
        for part, where in zip(parts, slices, strict=True):
            part.cycle(ctx, *[0] * (where.stop - where.start))
        left = AFTERWARDS
        async for _, _, *values in ctx.tick().sample(*watched):
            for part, where in zip(parts, slices, strict=True):
                part.cycle(ctx, *values[where])
            limit -= 1
            left -= self.results.done
            if left < 0 or limit <= 0:
                self.hung = not self.results.done
                ctx.set(self.over, 1)

    async def operate(self, ctx: Any, prepare: Callable[[Any], Awaitable[None]] | None) -> None:
        """Program the accelerator, wait for the last result, read the counters."""
        dut, workload, world = self.dut, self.workload, self.world
        ctx.set(dut.mode, list(Mode).index(workload.inference.mode))
        ctx.set(dut.passes, workload.passes)
        ctx.set(dut.cutoff, workload.cutoff)
        ctx.set(dut.min_votes, world.min_votes)
        ctx.set(dut.min_margin, world.min_margin)
        if prepare is not None:
            await prepare(ctx)
        self.pixels.ready_to_begin = True
        await ctx.changed(self.over)
        self.counters = {} if self.hung else await _counters(ctx, dut, self.layers)

    def capture(self) -> Capture:
        """What was seen."""
        trace = self.dut.trace
        tables = {
            plural: _fields(self.trace.words[name], getattr(trace, name).shape())
            for name, plural in TRACES.items()
        }
        results = _fields(self.results.words, self.dut.results.payload.shape())
        writes = self.spin.writes
        return Capture(**tables, results=results, counters=self.counters, device_writes=writes)


def run(
    dut: Any,
    workload: Workload,
    idle: float = 0.0,
    stall: float = 0.0,
    limit: int = 200_000,
    prepare: Callable[[Any], Awaitable[None]] | None = None,
    world: World | None = None,
) -> Capture:
    """Infer a workload.

    Args:
        dut: the accelerator.
        idle, stall: see :class:`World`, which they make when ``world`` is not given.
        limit: cycles after which the accelerator is taken for hung.
        prepare: called with the simulator's context before the first pixel is offered.

    Raises:
        TimeoutError: no last result after ``limit`` cycles.
    """
    bench = _Bench(dut, workload, world or World(idle, stall))
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def operate(ctx: Any) -> None:
        await bench.operate(ctx, prepare)

    async def cycles(ctx: Any) -> None:
        await bench.cycles(ctx, limit)

    bench.pixels.ready_to_begin = prepare is None
    simulator.add_testbench(operate)
    simulator.add_process(cycles)
    simulator.run()
    if bench.hung:
        raise TimeoutError(f"no result after {limit} cycles")
    return bench.capture()
