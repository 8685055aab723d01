# SPDX-License-Identifier: Apache-2.0
"""Bit source: whose bit is whose, and at which code it was written."""

import numpy as np
import pytest
from simulate import simulate
from wrong_parameters import refusal

from scaledrop.calibration import Calibration, CalibrationTwin
from scaledrop_hw.bit_source import BitSource
from scaledrop_hw.dropout import SpinTiming

TARGETS = [9000, 0, 40000]
SMALL = Calibration(dac_bits=4, window_bits=4, fraction_bits=8, lock_windows=2)
TIMING = SpinTiming(reset=1, settle=0, write=1, read=1)


def test_wrong_calibration():
    message = refusal(BitSource, {"layers": 3}, {"calibration": 7})
    assert message == "calibration must be a Calibration or None, not 7"


def test_parameters_read_back():
    dut = BitSource(layers=3, timing=TIMING, calibration=SMALL)
    assert (dut.layers, dut.timing, dut.calibration) == (3, TIMING, SMALL)
    assert BitSource(layers=3).calibration is None


class Bench:
    """A device below its threshold switches; requests of random layers come between."""

    def __init__(self, calibration, count, calibrate=1, aborts=()):
        self.dut = BitSource(layers=3, timing=TIMING, calibration=calibration)
        self.rng, self.count, self.calibrate, self.aborts = (
            np.random.default_rng(7),
            count,
            calibrate,
            aborts,
        )
        self.writes, self.taken, self.asked = [], [], []
        self.searched = 0

    async def device(self, ctx):
        """Writes as (serving, drive, switched, searching)."""
        dut, before, switched, age = self.dut, 0, 0, 0
        while len(self.taken) < self.count:
            write = ctx.get(dut.spin.write)
            if write and not before:
                drive = ctx.get(dut.spin.drive)
                switched = int(self.rng.integers(1 << 16) < drive // 2 + 9000)
                searching = ctx.get(dut.searching)
                self.writes.append((ctx.get(dut.serving), drive, switched, searching))
            before = write
            ctx.set(dut.spin.sense, switched)
            ctx.set(dut.abort, int(age in self.aborts))
            age += 1
            await ctx.tick()

    async def user(self, ctx):
        dut = self.dut
        ctx.set(dut.targets, TARGETS)
        ctx.set(dut.calibrate, self.calibrate)
        await ctx.tick()
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        await ctx.tick().repeat(2)
        while len(self.taken) < self.count:
            layer = int(self.rng.integers(3))
            ctx.set(dut.request.payload, layer)
            ctx.set(dut.request.valid, 1)
            await ctx.tick().until(dut.request.ready)
            ctx.set(dut.request.valid, 0)
            self.asked.append(layer)
            ctx.set(dut.bits.ready, 0)
            await ctx.tick().repeat(int(self.rng.integers(1, 6)))
            ctx.set(dut.bits.ready, 1)
            (bit,) = await ctx.tick().sample(dut.bits.payload).until(dut.bits.valid)
            self.taken.append(bit)
        self.locked = ctx.get(dut.locked)

    def run(self):
        simulate(self.dut, self.device, self.user)
        return self


@pytest.mark.parametrize(("calibration", "calibrate"), [(None, 1), (SMALL, 0)])
def test_without_calibration_the_targets_go_out(calibration, calibrate):
    bench = Bench(calibration, 60, calibrate).run()
    assert [write[:2] for write in bench.writes] == [(at, TARGETS[at]) for at in bench.asked]
    assert [1 - write[2] for write in bench.writes] == bench.taken
    assert bench.locked == 0 and not any(write[3] for write in bench.writes)


@pytest.mark.parametrize("aborts", [(), (9, 30, 31, 32, 33, 200)])
def test_search_and_use_are_those_of_the_twin(aborts):
    """An abort in the midst of the search changes nothing."""
    bench, twin = Bench(SMALL, 1800, aborts=aborts).run(), CalibrationTwin(SMALL, 3)
    search = [layer for layer in (0, 2) for _ in range(SMALL.search_bits)]
    for layer in range(3):
        twin.begin(layer)
    assert [write[0] for write in bench.writes] == search + bench.asked
    for layer, drive, switched, _ in bench.writes:
        # Layers are begun one after another: nobody has asked for theirs before.
        assert drive == twin.drive(layer, TARGETS[layer])
        twin.bit(layer, TARGETS[layer], switched)
    assert [write[3] for write in bench.writes] == [1] * len(search) + [0] * len(bench.asked)
    assert [1 - write[2] for write in bench.writes[len(search) :]] == bench.taken
    assert [bench.locked >> layer & 1 for layer in range(3)] == twin.locked(TARGETS)
    shares = [
        np.mean([write[2] for write in bench.writes[-1200:] if write[0] == layer])
        for layer in (0, 2)
    ]
    assert abs(shares[0] - 9000 / 65536) < 0.06 and abs(shares[1] - 40000 / 65536) < 0.06
