# SPDX-License-Identifier: Apache-2.0
"""A walker with the dropout controller beside it, an image buffer before and a sequencer behind."""

from dataclasses import dataclass, field

from amaranth.hdl import Array, Const, Elaboratable, Module
from amaranth.lib.wiring import connect
from simulate import plain, simulate

from scaledrop_hw.dropout import DropoutController, SpinTiming
from scaledrop_hw.walker import Walker

__all__ = ["Run", "Settings", "run"]


@dataclass(frozen=True)
class Settings:
    """What one image is inferred with."""

    mode: int = 0
    passes: int = 1
    cutoff: int = 0


@dataclass
class Run:
    """What was seen; cycles are counted from 0.

    ``held`` is the first cycle in which each image is held, ``first_offered`` and ``taken`` are
    those of each command; a row of ``cycles`` is what the walker showed in that cycle.
    """

    commands: list = field(default_factory=list)
    first_offered: list = field(default_factory=list)
    taken: list = field(default_factory=list)
    held: list = field(default_factory=list)
    drawn: list = field(default_factory=list)
    formed: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    cycles: list = field(default_factory=list)


class _Surrounded(Elaboratable):
    def __init__(self, dut, codes, timing):
        self.dut, self.codes = dut, codes
        self.dropout = DropoutController(layers=len(codes), timing=timing)

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut, m.submodules.dropout = self.dut, self.dropout
        connect(m, self.dut.request, self.dropout.request)
        connect(m, self.dropout.bits, self.dut.bits)
        table = Array(Const(code, 16) for code in self.codes)
        m.d.comb += self.dut.code.eq(table[self.dut.asked])
        return m


def run(codes, images, bits, rng, *, depth=4, timing=SpinTiming(), stall=0.0, gap=0, limit=60_000):
    """Walk for every one of ``images``, a list of Settings, with the mask ``bits`` in order.

    The sequencer is not ready with probability ``stall``; after an image is released the next one
    comes within ``gap`` cycles, as soon as there is one of two places for it. Settings are on the
    ports only in the cycle in which a walk begins, and noise in every other.
    """
    most = max(image.passes for image in images)
    dut = Walker(layers=len(codes), max_passes=max(most, 1), depth=depth)
    top, seen = _Surrounded(dut, codes, timing), Run()
    names = ("command", "command_ready", "formed_valid", "drawn_valid", "walking", "asked")

    async def surroundings(ctx):
        cycle = held = released = begun = 0
        coming, leaving = 0, None
        while released < len(images):
            if len(seen.held) < len(images) and held < 2 and cycle >= coming:
                held += 1
                seen.held.append(cycle)
                coming = cycle + 1 + int(rng.integers(gap + 1))
            free = leaving == cycle
            walking = ctx.get(dut.walking)
            begins = not walking and begun < len(seen.held)
            now = images[begun] if begins else _noise(rng, dut)
            begun += begins
            for name in ("mode", "passes", "cutoff"):
                ctx.set(getattr(dut, name), getattr(now, name))
            ctx.set(dut.held, held)
            ctx.set(dut.free, int(free))
            ctx.set(dut.command.ready, int(rng.random() >= stall))
            ctx.set(top.dropout.spin.sense, 1 - (bits[len(seen.drawn)] if _left(bits, seen) else 0))
            _, _, *values = await ctx.tick().sample(
                dut.command.valid,
                dut.command.ready,
                dut.formed_valid,
                dut.drawn_valid,
                dut.walking,
                dut.asked,
                dut.request.valid & dut.request.ready,
                dut.request.payload,
                dut.command.payload,
                dut.formed,
                dut.drawn,
            )
            *flags, requested, layer, command, formed, drawn = values
            row = dict(zip(names, flags, strict=True))
            seen.cycles.append({**row, "requested": requested, "held": held, "free": free})
            if row["command"] and len(seen.first_offered) == len(seen.taken):
                seen.first_offered.append(cycle)
            if row["command"] and row["command_ready"]:
                seen.commands.append(plain(command))
                seen.taken.append(cycle)
                if seen.commands[-1]["last"]:
                    leaving = cycle + 1 + int(rng.integers(3))
            if row["formed_valid"]:
                seen.formed.append(plain(formed))
            if row["drawn_valid"]:
                seen.drawn.append(plain(drawn))
            if requested:
                seen.requests.append(layer)
            held, released, cycle = held - free, released + free, cycle + 1

    simulate(top, surroundings, limit=limit)
    return seen


def _left(bits, seen):
    return len(seen.drawn) < len(bits)


def _noise(rng, dut):
    return Settings(
        int(rng.integers(4)), int(rng.integers(dut.max_passes + 1)), int(rng.integers(1 << 25))
    )
