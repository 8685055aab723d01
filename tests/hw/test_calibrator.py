# SPDX-License-Identifier: Apache-2.0
"""The calibrator in hardware: the twin's codes, cycle for cycle, and a device that it holds."""

import numpy as np
import pytest
from simulate import play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop.calibration import LARGEST_BAND, Calibration, CalibrationTwin
from scaledrop_hw.calibrator import Calibrator

GOOD = {"layers": 3, "dac_bits": 4, "window_bits": 4, "lock_windows": 3, "lose_windows": 1}
"""A search of 6 windows of 16 bits, tracking windows of 4 bits until locked."""
TARGETS = [20000, 3000, 50000]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"dac_bits": 3}, "dac_bits: must be 4 to 16, not 3"),
        ({"window_bits": 13}, "window_bits: must be 4 to 12, not 13"),
        ({"fraction_bits": 7}, "fraction_bits: must be 8 to 20, not 7"),
        ({"lock_windows": 0}, "lock_windows: must be 1 to 255, not 0"),
        ({"lose_windows": 256}, "lose_windows: must be 1 to 255, not 256"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Calibrator, GOOD, wrong) == message


def test_parameters_read_back():
    dut = Calibrator(**GOOD)
    assert dut.layers == 3 and dut.config == Calibration(4, 4, 16, 3, 1)
    assert Calibrator(layers=1).config == Calibration(10, 10, 16, 16, 2)
    assert isinstance(dut.twin(), CalibrationTwin)


class Bench:
    """Plays a spin unit to one calibrator and compares it with its twin in every cycle.

    ``device(layer, drive)`` gives the bits. What the twin says of a bit given in cycle t holds
    from ``t + 2`` on, or ``t + 3`` for the last bit of a window.
    """

    def __init__(self, device, targets, rng, **changes):
        self.dut = Calibrator(**{**GOOD, "layers": len(targets), **changes})
        self.twin, self.targets, self.device, self.rng = self.dut.twin(), targets, device, rng
        self.losses, self.draws, self.lost, self.expected_lost = 0, [], 0, 0

    async def setup(self, ctx):
        self.ctx = ctx
        ctx.set(self.dut.enable, 1)
        for layer, code in enumerate(self.targets):
            ctx.set(self.dut.target[layer], code)

    async def tick(self, count=1):
        for _ in range(count):
            self.lost += self.ctx.get(self.dut.lost)
            await self.ctx.tick()

    def check(self):
        """Every code, value and lock is that of the twin."""
        ctx, dut = self.ctx, self.dut
        for layer, target in enumerate(self.targets):
            ctx.set(dut.serving, layer)
            ctx.set(dut.select, layer)
            assert ctx.get(dut.code) == self.twin.drive(layer, target)
            assert ctx.get(dut.value) == self.twin.value(layer, target)
        locked = ctx.get(dut.locked)
        assert [locked >> n & 1 for n in range(len(self.targets))] == self.twin.locked(self.targets)

    def steps_of(self, layer):
        held = self.twin.layers[layer]
        return (held.code, held.step) if held else None

    async def give(self, layer, counted=True):
        """A bit of ``layer`` in this cycle, and its effect at the cycle that is promised."""
        ctx, dut = self.ctx, self.dut
        bit = int(self.device(layer, self.twin.drive(layer, self.targets[layer])))
        ctx.set(dut.bit_valid, 1)
        ctx.set(dut.bit_layer, layer)
        ctx.set(dut.bit, bit)
        await self.tick()
        ctx.set(dut.bit_valid, 0)
        ctx.set(dut.bit, int(self.rng.integers(2)))
        ctx.set(dut.bit_layer, int(self.rng.integers(len(self.targets))))
        if not counted:
            return
        before, held = self.steps_of(layer), self.twin.layers[layer]
        ends = held is not None and self.targets[layer] and self._ends(held)
        if ends:
            self.check()
            await self.tick()
        self.check()
        self.expected_lost += self.twin.bit(layer, self.targets[layer], bit)
        assert ends or before == self.steps_of(layer)
        await self.tick()
        self.check()

    def _ends(self, held):
        geared = not held.searching and not held.locked
        return held.count + 1 == 1 << held.config.length_bits(geared)

    async def start(self):
        self.ctx.set(self.dut.start, 1)
        await self.tick()
        self.ctx.set(self.dut.start, 0)

    async def draw(self, counted=True, gap=0.3):
        """One own draw: the request is taken after a while, the bit comes after a while."""
        ctx, dut = self.ctx, self.dut
        while self.rng.random() < gap:
            assert ctx.get(dut.request.valid) == 1
            await self.tick()
        assert ctx.get(dut.request.valid) == 1 and ctx.get(dut.busy) == 1
        layer = ctx.get(dut.request.payload)
        ctx.set(dut.request.ready, 1)
        await self.tick()
        ctx.set(dut.request.ready, 0)
        while self.rng.random() < gap:
            assert ctx.get(dut.request.valid) == 0
            await self.tick()
        self.draws.append(layer)
        await self.give(layer, counted)

    async def search(self):
        """From ``start`` to the end of the search."""
        for layer, target in enumerate(self.targets):
            self.twin.begin(layer)
            await self.tick()
            self.check()
            for _ in range(self.twin.config.search_bits if target else 0):
                await self.draw()
        assert self.ctx.get(self.dut.busy) == 0

    async def use(self, count, gap=0.3):
        for _ in range(count):
            await self.give(int(self.rng.integers(len(self.targets))))
            while self.rng.random() < gap:
                await self.tick()


def logistic(rng, middle=9, width=1.5):
    """A device whose probability rises with the 4-bit DAC code."""
    return lambda layer, drive: rng.random() < 1 / (1 + np.exp((middle - drive / 4096) / width))


def run(body, device=None, targets=TARGETS, seed=1, **changes):
    rng = np.random.default_rng(seed)
    bench = Bench(device or logistic(rng), targets, rng, **changes)

    async def testbench(ctx):
        await bench.setup(ctx)
        await body(bench)

    simulate(bench.dut, testbench)
    assert bench.lost == bench.expected_lost
    return bench


@pytest.mark.parametrize(
    ("targets", "changes"),
    [
        (TARGETS, {}),
        ([32768], {"dac_bits": 16, "fraction_bits": 8}),
        ([1, 65535, 0, 9000, 200], {"lose_windows": 3, "lock_windows": 1}),
        ([0, 9000], {"dac_bits": 10, "window_bits": 5, "fraction_bits": 20}),
    ],
)
@pytest.mark.parametrize("device", ["logistic", "coin"])
def test_every_cycle_is_that_of_the_twin(targets, changes, device):
    rng = np.random.default_rng(7)
    given = logistic(rng) if device == "logistic" else lambda *_: rng.integers(2)

    async def body(bench):
        bench.check()
        await bench.start()
        await bench.search()
        await bench.use(400)

    bench = run(body, given, targets, **changes)
    each = bench.twin.config.search_bits
    assert bench.draws == [n for n, target in enumerate(targets) if target for _ in range(each)]


def test_a_layer_locks_and_a_jump_of_the_device_loses_it_and_is_made_up_for():
    rng = np.random.default_rng(3)
    seen = []

    async def body(bench):
        await bench.start()
        await bench.search()
        await bench.use(600)
        seen.append(bench.twin.locked(bench.targets))
        bench.device = lambda *_: True
        while not bench.expected_lost:
            await bench.use(1)
        seen.append(bench.twin.locked(bench.targets))
        bench.device = logistic(rng, middle=7)
        while not all(bench.twin.locked(bench.targets)):
            await bench.use(1)

    bench = run(body, logistic(rng), [20000, 30000], window_bits=5, lock_windows=2)
    assert seen == [[1, 1], bench.twin.locked([20000, 30000])] or sum(seen[1]) == 1
    assert bench.lost > 0


@pytest.mark.parametrize("draws", [0, 1, 17, 96, 100])
def test_a_start_within_a_search_begins_anew_after_the_draw_under_way(draws):
    async def body(bench):
        await bench.start()
        bench.twin.begin(0)
        await bench.tick()
        for _ in range(draws):
            if draws > 96 and _ == 96:
                bench.twin.begin(1)
                await bench.tick()
            await bench.draw(gap=0)
        if draws == 96:
            bench.twin.begin(1)
            await bench.tick()
        await bench.start()
        await bench.draw(counted=False)
        await bench.search()
        await bench.use(20)

    run(body)


def test_a_start_in_use_begins_anew_at_once_and_forgets():
    async def body(bench):
        await bench.start()
        await bench.search()
        await bench.use(300)
        await bench.start()
        await bench.search()
        await bench.use(50)

    run(body, logistic(np.random.default_rng(4)), [20000])


def test_the_programmed_codes_go_out_unchanged_without_enable():
    async def body(bench):
        dut, ctx = bench.dut, bench.ctx
        ctx.set(dut.enable, 0)
        await bench.start()
        await bench.tick(3)
        assert ctx.get(dut.busy) == 0 and ctx.get(dut.request.valid) == 0
        await bench.use(20)
        ctx.set(dut.enable, 1)
        await bench.use(20)
        await bench.start()
        await bench.search()
        ctx.set(dut.enable, 0)
        twin, bench.twin = bench.twin, dut.twin()
        for layer, target in enumerate(bench.targets):
            ctx.set(dut.serving, layer)
            assert ctx.get(dut.code) == target != twin.drive(layer, target)
        await bench.tick()
        bench.check()
        await bench.use(20)

    run(body)


def test_a_search_that_is_called_off_takes_back_its_bit_and_its_request_stays():
    async def body(bench):
        dut, ctx = bench.dut, bench.ctx
        await bench.start()
        bench.twin.begin(0)
        await bench.tick()
        ctx.set(dut.enable, 0)
        bench.twin.bypass()
        await bench.tick(2)
        bench.check()
        await bench.draw(counted=False)
        assert ctx.get(dut.busy) == 0 and ctx.get(dut.request.valid) == 0
        ctx.set(dut.enable, 1)
        await bench.start()
        await bench.search()

    run(body)


def test_bits_before_the_request_is_taken_are_not_counted():
    """The last bit drawn in use arrives when the search has begun."""

    async def body(bench):
        dut, ctx = bench.dut, bench.ctx
        await bench.start()
        bench.twin.begin(0)
        await bench.tick()
        ctx.set(dut.bit, 1)
        ctx.set(dut.bit_valid, 1)
        await bench.tick(3)
        ctx.set(dut.bit_valid, 0)
        bench.check()
        for _ in range(17):
            await bench.draw()

    run(body)


@pytest.mark.parametrize("stuck", [0, 1])
def test_a_stuck_device_ends_the_search_and_never_locks(stuck):
    """The search is bounded, and codes stay in their range."""

    async def body(bench):
        await bench.start()
        await bench.search()
        await bench.use(400)
        assert bench.twin.locked(bench.targets) == [0, 0]
        assert [bench.twin.value(n, 1) for n in range(2)] == [0 if stuck else 65535] * 2

    run(body, lambda *_: stuck, [20000, 32768], window_bits=6, fraction_bits=10)


def test_a_search_takes_as_long_as_promised():
    dut, seen = Calibrator(**{**GOOD, "layers": 2}), []

    async def body(ctx):
        ctx.set(dut.enable, 1)
        ctx.set(dut.target[1], 5000)
        ctx.set(dut.start, 1)
        ctx.set(dut.request.ready, 1)
        ctx.set(dut.bit_valid, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        while ctx.get(dut.busy):
            seen.append(ctx.get(dut.request.valid))
            await ctx.tick()

    simulate(dut, body)
    windows, bits = 6, 16
    assert len(seen) == 2 + windows * (bits * 3 + 1) and sum(seen) == windows * bits


def test_reset_forgets_every_layer():
    dut = Calibrator(**GOOD)
    inputs = [dut.enable, dut.start, dut.request.ready, dut.bit_valid, dut.target[0]]
    rows = [[1, int(n == 0), 1, 1, 20000] for n in range(500)]
    first, last = play_then_reset(dut, inputs, rows, [dut.busy, dut.locked, dut.code, dut.lost])
    assert first == last == [[0, 0, 0, 0]] * 2


def test_the_shift_of_the_hardware_covers_that_of_the_twin():
    assert LARGEST_BAND == 3
