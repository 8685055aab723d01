# SPDX-License-Identifier: Apache-2.0
"""Control port: the whole map over AXI4-Lite."""

from itertools import pairwise

import numpy as np
import pytest
from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from simulate import plain, simulate

from scaledrop.device_sizes import WORD_ADDRESS_BITS, DeviceSizes, Memory, MemoryShape
from scaledrop.monitors import MonitorFlag
from scaledrop.register_types import Access, Keeper
from scaledrop_hw.axi_lite import OKAY, SLVERR
from scaledrop_hw.control_port import ControlPort

SIZES = DeviceSizes(
    layers=3, classes=10, drive_codes=(1, 2, 3), memories={Memory.HEAD: MemoryShape(4, 2)}
)
ALL = (1 << 32) - 1


def made():
    return ControlPort(sizes=SIZES)


def test_parameters_read_back():
    dut = made()
    assert dut.sizes is SIZES
    assert dut.registers["DRIVE_CODE"].count == 3


async def read(ctx, dut, name, index=0):
    axi = dut.axi
    ctx.set(axi.araddr, dut.registers[name].address(index))
    ctx.set(axi.arvalid, 1)
    await ctx.tick().until(axi.arready)
    ctx.set(axi.arvalid, 0)
    ctx.set(axi.rready, 1)
    answer = await ctx.tick().sample(axi.rdata, axi.rresp).until(axi.rvalid)
    ctx.set(axi.rready, 0)
    return answer


async def write(ctx, dut, name, word, index=0):
    axi = dut.axi
    ctx.set(axi.awaddr, dut.registers[name].address(index))
    ctx.set(axi.wdata, word)
    ctx.set(axi.wstrb, 15)
    ctx.set(axi.awvalid, 1)
    ctx.set(axi.wvalid, 1)
    await ctx.tick().until(axi.awready & axi.wready)
    ctx.set(axi.awvalid, 0)
    ctx.set(axi.wvalid, 0)
    ctx.set(axi.bready, 1)
    (response,) = await ctx.tick().sample(axi.bresp).until(axi.bvalid)
    ctx.set(axi.bready, 0)
    return response


class Core(wiring.Component):
    """Stands in for the core: counters and counts that are known, memories that answer."""

    def __init__(self):
        super().__init__({})
        self.port = made()
        self.tick = Signal(48, init=0xFFFF_FFF0)

    def elaborate(self, platform):
        m = Module()
        m.submodules.port = port = self.port
        counts = Array(flag * 7 + 1 for flag in MonitorFlag)
        m.d.sync += [
            self.tick.eq(self.tick + 1),
            port.counter_value.eq(self.tick + (port.counter_select << 40)),
            port.monitor_count.eq(counts[port.monitor_select]),
            port.host.reply_valid.eq(port.host.valid & ~port.host.write),
            port.host.word.eq(port.host.address << 8 | port.host.part),
        ]
        m.d.comb += port.host.ready.eq(1)
        return m


def run(body, watch=()):
    """Run ``body(ctx, core)`` on a core."""
    dut = Core()

    async def host(ctx):
        await body(ctx, dut)

    return simulate(dut, host, watch=[getattr(dut.port, name) for name in watch])


def test_every_register_reads_its_reset_value():
    async def body(ctx, dut):
        for register in dut.port.registers:
            for index in range(register.count if register.keeper is not Keeper.WINDOW else 0):
                found = await read(ctx, dut.port, register.name, index)
                assert found == (register.reset(index), OKAY), register.name

    run(body)


def test_every_setting_reaches_the_core():
    rng = np.random.default_rng(6)

    async def body(ctx, dut):
        words = {}
        settings = [one for one in dut.port.registers if one.access is Access.RW and one.locked]
        for register in settings:
            for index in range(register.count):
                word = int(rng.integers(1 << 32))
                assert await write(ctx, dut.port, register.name, word, index) == OKAY
                words[register.name, index] = register.decode(word)
        for (name, index), values in words.items():
            port = getattr(dut.port, name.lower())
            port = port[index] if dut.port.registers[name].is_array else port
            assert plain(ctx.get(port)) == values
        assert len(words) == 7 + 4 + 3

    run(body)


def test_settings_are_refused_while_an_image_is_held():
    async def body(ctx, dut):
        port = dut.port
        ctx.set(port.status.busy, 1)
        assert await read(ctx, port, "STATUS") == (1, OKAY)
        assert await write(ctx, port, "PASSES", 9) == SLVERR
        assert await write(ctx, port, "HOST_DATA", 9) == SLVERR
        assert await write(ctx, port, "COUNTER_SELECT", 9) == OKAY
        assert await read(ctx, port, "ERRORS") == (0b011, OKAY)
        assert await write(ctx, port, "ERRORS", 0b001) == OKAY
        assert await read(ctx, port, "ERRORS") == (0b010, OKAY)
        assert await read(ctx, port, "PASSES") == (1, OKAY)
        ctx.set(port.status.busy, 0)
        assert await write(ctx, port, "PASSES", 9) == OKAY
        assert await read(ctx, port, "PASSES") == (9, OKAY)

    run(body)


def test_a_place_outside_of_a_memory_is_flagged():
    async def body(ctx, dut):
        await write(ctx, dut.port, "HOST_MEMORY", Memory.HEAD)
        await write(ctx, dut.port, "HOST_ADDRESS", 3 | 1 << WORD_ADDRESS_BITS)
        assert await read(ctx, dut.port, "HOST_DATA") == (3 << 8 | 1, OKAY)
        assert (await read(ctx, dut.port, "HOST_DATA"))[1] == SLVERR
        assert await read(ctx, dut.port, "ERRORS") == (0b100, OKAY)
        await write(ctx, dut.port, "HOST_ADDRESS", 0)
        assert await write(ctx, dut.port, "HOST_DATA", 5) == OKAY
        assert await read(ctx, dut.port, "HOST_ADDRESS") == (1 << WORD_ADDRESS_BITS, OKAY)

    run(body)


def test_a_counter_is_read_as_one_number():
    """Its lower half runs over between the two reads."""

    async def body(ctx, dut):
        await write(ctx, dut.port, "COUNTER_SELECT", 3)
        values = []
        for _ in range(6):
            low, _ = await read(ctx, dut.port, "COUNTER_LOW")
            high, _ = await read(ctx, dut.port, "COUNTER_HIGH")
            values.append(high << 32 | low)
        steps = {after - before for before, after in pairwise(values)}
        assert steps == {values[1] - values[0]}
        assert values[0] >> 32 == 3 << 8
        assert values[-1] >> 32 == (3 << 8) + 1
        assert await write(ctx, dut.port, "COUNTER_LOW", 0) == SLVERR

    run(body)


def test_the_count_of_every_monitor_and_its_clearing():
    async def body(ctx, dut):
        for flag in MonitorFlag:
            assert await read(ctx, dut.port, "MONITOR_COUNT", flag) == (flag * 7 + 1, OKAY)
        ctx.set(dut.port.monitors, {MonitorFlag.MASK_COUNT.name.lower(): 1})
        assert await read(ctx, dut.port, "MONITORS") == (1 << MonitorFlag.MASK_COUNT, OKAY)
        await write(ctx, dut.port, "MONITORS", ALL)

    rows = run(body, ["monitors_clear"])
    cleared = [row[0] for row in rows if any(row[0].values())]
    assert cleared == [{flag.name.lower(): 1 for flag in MonitorFlag}]


@pytest.mark.parametrize(
    ("name", "cycles"), [("MAGIC", 3), ("COUNTER_LOW", 3), ("MONITOR_COUNT", 4)]
)
def test_cycles_of_a_read(name, cycles):
    dut = Core()

    async def host(ctx):
        await read(ctx, dut.port, name)

    axi = dut.port.axi
    rows = simulate(dut, host, watch=[axi.arvalid & axi.arready, axi.rvalid])
    assert [row[1] for row in rows].index(1) - [row[0] for row in rows].index(1) == cycles


@pytest.mark.parametrize(("word", "times"), [(1, 1), (ALL, 1), (0, 0), (ALL - 1, 0)])
def test_abort_is_a_pulse(word, times):
    async def body(ctx, dut):
        assert await write(ctx, dut.port, "CONTROL", word) == OKAY
        assert await read(ctx, dut.port, "CONTROL") == (0, OKAY)

    assert [row[0]["abort"] for row in run(body, ["control"])].count(1) == times
