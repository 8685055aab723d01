# SPDX-License-Identifier: Apache-2.0
"""Dropout controller: one reset, write and read per request, each bit offered once."""

from itertools import groupby

import numpy as np
import pytest
from amaranth.hdl import Array, Module
from amaranth.lib import wiring
from simulate import play, play_then_reset, send, simulate, take
from wrong_parameters import refusal

from scaledrop_hw.dropout import DropoutController, SpinTiming

CODES = [0, 300, 65535]
TIMINGS = [
    SpinTiming(),
    SpinTiming(reset=1, settle=0, write=1, read=1),
    SpinTiming(reset=3, settle=2, write=4, read=5),
    SpinTiming(reset=20, settle=0, write=2, read=1),
    SpinTiming(reset=1, settle=255, write=1, read=255),
]


@pytest.mark.parametrize("layers", [0, 1025, 1.5])
def test_wrong_parameters(layers):
    message = f"number of layers must be an integer from 1 to 1024, not {layers}"
    assert refusal(DropoutController, {"layers": 3}, {"layers": layers}) == message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"reset": 0}, "spin reset cycles must be an integer from 1 to 255, not 0"),
        ({"write": 256}, "spin write cycles must be an integer from 1 to 255, not 256"),
        ({"read": 0}, "spin read cycles must be an integer from 1 to 255, not 0"),
        ({"settle": -1}, "spin settle cycles must be an integer from 0 to 255, not -1"),
    ],
)
def test_wrong_timing(wrong, message):
    assert refusal(SpinTiming, {}, wrong) == message


def test_parameters_read_back():
    dut = DropoutController(layers=3, timing=TIMINGS[2])
    assert (dut.layers, dut.timing, dut.timing.cycles) == (3, TIMINGS[2], 14)
    assert DropoutController(layers=1).timing == SpinTiming()


class Coded(wiring.Component):
    """The controller with the codes of its layers beside it."""

    def __init__(self, controller):
        self.controller = controller
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.controller = controller = self.controller
        m.d.comb += controller.code.eq(Array(CODES)[controller.serving])
        return m


def serve(timing, layers, rng, idle, stall):
    """Serve requests with a sense line of noise; returns the bits and the record of every cycle."""
    dut = DropoutController(layers=len(CODES), timing=timing)
    taken = []

    async def request(ctx):
        await send(ctx, dut.request, layers, rng, idle)

    async def collect(ctx):
        taken.extend(await take(ctx, dut.bits, len(layers), rng, stall))

    async def sense(ctx):
        while len(taken) < len(layers):
            ctx.set(dut.spin.sense, int(rng.integers(2)))
            await ctx.tick()

    spin = dut.spin
    names = [
        "requested",
        "layer",
        "offered",
        "bit",
        "accepted",
        "reset",
        "write",
        "read",
        "drive",
        "sense",
        "serving",
    ]
    watch = [
        (dut.request.valid & dut.request.ready),
        dut.request.payload,
        dut.bits.valid,
        dut.bits.payload,
        dut.bits.ready,
        *(spin.reset, spin.write, spin.read, spin.drive, spin.sense),
        dut.serving,
    ]
    rows = simulate(Coded(dut), request, collect, sense, watch=watch)
    return taken, [dict(zip(names, row, strict=True)) for row in rows]


def pulses(row):
    return "".join(name[0] for name in ("reset", "write", "read") if row[name]) or "-"


def phases(rows):
    """Run lengths of what the spin unit sees: (pulses, cycles)."""
    return [(name, len(list(run))) for name, run in groupby(rows, key=pulses)]


def sequence(timing):
    """The phases of one request from the cycle after it, in order; both r pulses are told apart."""
    steps = [("r", timing.reset), ("-", timing.settle), ("w", timing.write), ("r", timing.read)]
    return [step for step in steps if step[1]]


@pytest.mark.parametrize("timing", TIMINGS, ids=str)
@pytest.mark.parametrize(("idle", "stall"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.8), (0.4, 0.4)])
def test_one_sequence_per_request(timing, idle, stall):
    rng = np.random.default_rng(8)
    layers = rng.integers(0, len(CODES), 12 if timing.cycles < 100 else 3).tolist()
    taken, rows = serve(timing, layers, rng, idle, stall)
    starts = [index for index, row in enumerate(rows) if row["requested"]]
    assert [rows[start]["layer"] for start in starts] == layers
    ends = [*starts[1:], len(rows)]
    for start, end, layer, bit in zip(starts, ends, layers, taken, strict=True):
        pulsing = rows[start + 1 : start + 1 + timing.cycles]
        after = rows[start + 1 + timing.cycles : end]
        assert phases(pulsing) == sequence(timing)
        assert all(row["reset"] for row in pulsing[: timing.reset])
        assert all(row["read"] for row in pulsing[-timing.read :])
        assert all(row["drive"] == CODES[layer] for row in pulsing)
        assert all(row["serving"] == layer for row in pulsing)
        assert not any(row["offered"] for row in pulsing)
        assert bit == 1 - pulsing[-1]["sense"]
        assert {pulses(row) for row in after} <= {"-"}
        offered = [row for row in after if row["offered"]]
        assert after[: len(offered)] == offered
        assert [row["accepted"] for row in offered] == [0] * (len(offered) - 1) + [1]
        assert all(row["bit"] == bit for row in offered)


@pytest.mark.parametrize("timing", TIMINGS[:4], ids=str)
def test_latency_and_rate(timing):
    _, rows = serve(timing, [2, 1, 0, 2], np.random.default_rng(9), 0.0, 0.0)
    requested = [index for index, row in enumerate(rows) if row["requested"]]
    offered = [index for index, row in enumerate(rows) if row["offered"]]
    assert [offer - ask for ask, offer in zip(requested, offered, strict=True)] == [
        timing.cycles + 1
    ] * 4
    assert [ask - offer for offer, ask in zip(offered, requested[1:], strict=False)] == [1] * 3


def test_idle_after_reset_in_the_middle_of_a_request():
    dut = DropoutController(layers=3, timing=SpinTiming(write=9))
    spin = dut.spin
    outputs = [dut.request.ready, dut.bits.valid, spin.reset, spin.write, spin.read]
    stimulus = [[1], [0], [0], [0], [0], [0]]
    first, after = play_then_reset(dut, [dut.request.valid], stimulus, outputs)
    assert first == after == [[1, 0, 0, 0, 0]] * 2


def test_the_code_goes_through_to_the_device():
    """In the same cycle, whatever is served: the codes' owner looks ``serving`` up."""
    dut = DropoutController(layers=2)
    codes = [[0], [1], [65535], [32768]]
    assert play(dut, [dut.code], codes, [dut.spin.drive]) == codes
