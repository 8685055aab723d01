# SPDX-License-Identifier: Apache-2.0
"""Host window: every word and part once and in order; what it refuses, and when."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect
from simulate import simulate
from wrong_parameters import refusal

from scaledrop.device_sizes import WORD_ADDRESS_BITS, DeviceSizes, Memory, MemoryShape
from scaledrop.registers import register_map
from scaledrop_hw.host_window import HostWindow
from scaledrop_hw.register_file import RegisterFile

SHAPES = {Memory.SCALES: MemoryShape(5, 3), Memory.HEAD: MemoryShape(4, 1)}
SIZES = DeviceSizes(layers=2, classes=3, memories=SHAPES)
MAP = register_map(SIZES)
GOOD = {"sizes": SIZES, "registers": MAP}
REFUSED, OUTSIDE = 1, 2
PART_BITS = 32 - WORD_ADDRESS_BITS


def test_wrong_parameters():
    assert refusal(HostWindow, GOOD, {"sizes": 7}) == "sizes must be DeviceSizes, not 7"


def test_parameters_read_back():
    assert HostWindow(**GOOD).sizes is SIZES


class Bench(wiring.Component):
    """The window with the registers that it works on."""

    def __init__(self):
        super().__init__({})
        self.file, self.window = RegisterFile(registers=MAP), HostWindow(**GOOD)

    def elaborate(self, platform):
        m = Module()
        m.submodules.file, m.submodules.window = file, window = self.file, self.window
        connect(m, file.host_data, window.window)
        m.d.comb += [
            window.memory.eq(file.host_memory.memory),
            window.place.eq(file.host_address),
            file.host_address_update.eq(window.update),
            file.host_address_next.eq(window.next),
        ]
        return m


async def access(ctx, dut, name, data=None, strobe=15):
    """One access to a register by name; gives (word, error, cycles)."""
    bus, cycles, ready = dut.file.bus, 0, 0
    ctx.set(bus.address, MAP[name].offset >> 2)
    ctx.set(bus.write, int(data is not None))
    ctx.set(bus.data, data or 0)
    ctx.set(bus.strobe, strobe)
    ctx.set(bus.valid, 1)
    while not ready:
        _, _, ready, word, error = await ctx.tick().sample(bus.ready, bus.word, bus.error)
        cycles += 1
    ctx.set(bus.valid, 0)
    return word, error, cycles


def place_of(packed):
    """(memory, address, part) of the three side by side."""
    address = packed >> PART_BITS & (1 << WORD_ADDRESS_BITS) - 1
    return packed >> 32, address, packed & (1 << PART_BITS) - 1


async def serve(ctx, host, store, count, rng, wait):
    """The core's side: ``count`` accesses to ``store``, a dict from (memory, address, part)."""
    while count:
        ctx.set(host.ready, int(rng.random() >= wait))
        place = Cat(host.part, host.address, host.memory)
        _, _, valid, ready, write, at, data = await ctx.tick().sample(
            host.valid, host.ready, host.write, place, host.data
        )
        if not (valid and ready):
            continue
        count -= 1
        ctx.set(host.ready, 0)
        if write:
            store[place_of(at)] = data
            continue
        while rng.random() < wait:
            await ctx.tick()
        ctx.set(host.word, store[place_of(at)])
        ctx.set(host.reply_valid, 1)
        await ctx.tick()
        ctx.set(host.reply_valid, 0)
        ctx.set(host.word, 0)


def places(memory):
    words, parts = SHAPES[memory]
    return [(memory, address, part) for address in range(words) for part in range(parts)]


@pytest.mark.parametrize("memory", SHAPES)
@pytest.mark.parametrize("wait", [0.0, 0.6])
def test_a_memory_is_written_and_read_back_in_order(memory, wait):
    dut, rng, store = Bench(), np.random.default_rng(4), {}
    values = rng.integers(1 << 32, size=len(places(memory))).tolist()

    async def host(ctx):
        await access(ctx, dut, "HOST_MEMORY", memory)
        await access(ctx, dut, "HOST_ADDRESS", 0)
        for value in values:
            assert (await access(ctx, dut, "HOST_DATA", value))[1] == 0
        end = SHAPES[memory].words
        assert (await access(ctx, dut, "HOST_ADDRESS"))[0] == end
        assert store == dict(zip(places(memory), values, strict=True))
        await access(ctx, dut, "HOST_ADDRESS", 0)
        for value in values:
            assert (await access(ctx, dut, "HOST_DATA"))[:2] == (value, 0)
        assert (await access(ctx, dut, "HOST_ADDRESS"))[0] == end

    async def core(ctx):
        await serve(ctx, dut.window.host, store, 2 * len(values), rng, wait)

    simulate(dut, host, core)


@pytest.mark.parametrize(
    ("memory", "address", "part", "strobe", "locked", "flag"),
    [
        (Memory.SCALES, 4, 2, 15, 0, 0),
        (Memory.SCALES, 5, 0, 15, 0, OUTSIDE),
        (Memory.SCALES, 0, 3, 15, 0, OUTSIDE),
        (Memory.HEAD, 3, 0, 15, 0, 0),
        (Memory.HEAD, 0, 1, 15, 0, OUTSIDE),
        (Memory.WEIGHTS, 0, 0, 15, 0, OUTSIDE),
        (15, 0, 0, 15, 0, OUTSIDE),
        (Memory.SCALES, 0, 0, 15, 1, REFUSED),
        (Memory.SCALES, 5, 0, 15, 1, REFUSED),
        (Memory.SCALES, 0, 0, 7, 0, REFUSED),
        (Memory.SCALES, 0, 0, 0, 0, REFUSED),
    ],
)
def test_a_refusal_touches_nothing(memory, address, part, strobe, locked, flag):
    dut = Bench()
    window = dut.window

    async def host(ctx):
        ctx.set(window.host.ready, 1)
        await access(ctx, dut, "HOST_MEMORY", memory)
        await access(ctx, dut, "HOST_ADDRESS", address | part << WORD_ADDRESS_BITS)
        ctx.set(window.locked, locked)
        answer = await access(ctx, dut, "HOST_DATA", 1, strobe)
        assert answer[1:] == (int(flag != 0), 1)
        moved = HostWindow.twin(address, part, SHAPES[memory].parts) if not flag else None
        expected = moved or (address, part)
        place = expected[0] | expected[1] << WORD_ADDRESS_BITS
        assert (await access(ctx, dut, "HOST_ADDRESS"))[0] == place

    rows = simulate(dut, host, watch=[window.refused, window.outside, window.host.valid])
    assert [row for row in rows if any(row)] == [
        [int(flag == REFUSED), int(flag == OUTSIDE), int(flag == 0)]
    ]


def test_an_image_that_comes_refuses_what_waits_and_lets_finish_what_was_taken():
    dut = Bench()
    window, answers = dut.window, []

    async def host(ctx):
        await access(ctx, dut, "HOST_MEMORY", Memory.HEAD)
        answers.append((await access(ctx, dut, "HOST_DATA"))[:2])
        answers.append((await access(ctx, dut, "HOST_DATA"))[:2])

    async def core(ctx):
        await ctx.tick().until(window.host.valid)
        ctx.set(window.locked, 1)
        await ctx.tick().until(window.refused)
        ctx.set(window.locked, 0)
        ctx.set(window.host.ready, 1)
        await ctx.tick()
        ctx.set(window.locked, 1)
        await ctx.tick().repeat(3)
        ctx.set(window.host.word, 42)
        ctx.set(window.host.reply_valid, 1)
        await ctx.tick()

    simulate(dut, host, core)
    assert answers[0][1] == 1
    assert answers[1] == (42, 0)


def test_after_reset_nothing_is_awaited():
    dut, reset = HostWindow(**GOOD), Signal()

    async def host(ctx):
        ctx.set(dut.memory, Memory.SCALES)
        ctx.set(dut.window.valid, 1)
        ctx.set(dut.host.ready, 1)
        await ctx.tick().repeat(2)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        await ctx.tick()

    rows = simulate(ResetInserter(reset)(dut), host, watch=[dut.host.valid])
    assert rows == [[1], [0], [0], [1]]
