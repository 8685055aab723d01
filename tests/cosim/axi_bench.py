# SPDX-License-Identifier: Apache-2.0
"""Runs inside the simulator: the driver against the device of ``axi_top``, over the real buses."""

import os

import cocotb
import numpy as np
import pytest
from axi_top import SIZES, expected
from cocotb.clock import Clock
from cocotb.task import bridge
from cocotb.triggers import RisingEdge

from scaledrop.device_sizes import DeviceSizes, Memory
from scaledrop.driver import Device, Status
from scaledrop.errors import UserError
from scaledrop.monitors import MonitorFlag
from scaledrop.walk import Mode
from scaledrop_cosim.axi import (
    AxiLiteMaster,
    Pace,
    Referee,
    SimulationTransport,
    StreamSink,
    StreamSource,
)

CHANCE = float(os.environ["AXI_CHANCE"])
SLVERR = 2


class World:
    """The design with everything around it, out of reset."""

    def __init__(self, dut):
        paces = [Pace(dut.clk, CHANCE, seed, 20_000) for seed in range(3)]
        self.dut = dut
        self.master = AxiLiteMaster(dut, "s_axi", paces[0])
        self.source = StreamSource(dut, "s_axis_pixels", paces[1])
        self.sink = StreamSink(dut, "m_axis_results", paces[2])
        self.transport = SimulationTransport(self.master, self.source, self.sink)
        self.device = Device(self.transport, SIZES)
        self.referee = Referee(dut.clk)
        self.referee.watch_lite(dut, "s_axi")
        self.referee.watch_stream(dut, "s_axis_pixels")
        self.referee.watch_stream(dut, "m_axis_results")

    async def start(self):
        """Clock and reset."""
        self.dut.rst.value = 1
        Clock(self.dut.clk, 2, "ns").start()
        for _ in range(3):
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.referee.start()
        await RisingEdge(self.dut.clk)

    def finish(self):
        """The rules were kept, and there was something to break them with."""
        assert not self.referee.breaches, self.referee.breaches[0]
        assert self.referee.taken["s_axi_b"] + self.referee.taken["s_axi_r"]


def scene(function):
    """A cocotb test whose body is plain code that drives ``world.device``."""

    async def test(dut):
        world = World(dut)
        await world.start()
        await bridge(function)(world)
        world.finish()

    test.__name__ = test.__qualname__ = function.__name__
    return cocotb.test(test)


def images(seed, count):
    return np.random.default_rng(seed).integers(256, size=(count, SIZES.pixels))


@scene
def identifies(world):
    world.device.identify()
    for change, message in (
        ({"classes": 5}, "NETWORK.classes: is 0x4 in the device, not 0x5"),
        ({"digest": "ab" * 32}, r"MODEL_HASH\[0\].value: is 0xc0ffee11 in the device, not 0xab"),
        ({"memories": {}}, r"MEMORY_SHAPE\[1\].words: is 0x5 in the device, not 0x0"),
    ):
        other = DeviceSizes(**{**vars(SIZES), **change})
        with pytest.raises(UserError, match=message):
            Device(world.transport, other).identify()


@scene
def configures_and_infers(world):
    device, batch = world.device, images(1, 6)
    for passes, cutoff, records in ((20, 0, False), (9, 1 << 24, True), (255, 77, True)):
        device.configure(
            mode=Mode.PASSES, passes=passes, cutoff=cutoff, records=records, min_margin=1 << 40
        )
        found = device.infer(batch)
        assert found == [expected(image, passes, cutoff, records) for image in batch.tolist()]
    assert device.status() == Status(False, (), {}, None)
    assert device.infer(batch[:0]) == []


@scene
def loads_and_reads_back(world):
    rng = np.random.default_rng(2)
    contents = {
        Memory.SCALES: [int.from_bytes(rng.bytes(12)) for _ in range(5)],
        Memory.DESCRIPTORS: rng.integers(1 << 32, size=6).tolist(),
    }
    world.device.load(contents)
    for memory, words in contents.items():
        assert world.device.read_back(memory) == words
        assert world.device.read_back(memory, 2, 2) == words[2:4]


@scene
def reports_what_is_refused(world):
    device = world.device
    world.transport.send(bytes(SIZES.pixels))
    with pytest.raises(UserError, match="PASSES: access refused: a locked register was written"):
        device.access.write("PASSES", value=3)
    with pytest.raises(UserError, match="HOST_DATA: access refused: HOST_DATA was used while an"):
        device.read_back(Memory.SCALES, 0, 1)
    assert device.status() == Status(True, (), {}, None)
    world.transport.receive(100)
    device.access.write("HOST_MEMORY", memory=Memory.HEAD)
    with pytest.raises(UserError, match="HOST_DATA: access refused: HOST_DATA was used where"):
        device.access.read("HOST_DATA")
    with pytest.raises(UserError, match="STATUS: access refused: the device has no such"):
        device.access.write("STATUS", busy=1)


@scene
def counts(world):
    found = world.device.counters()
    events = world.device.events
    assert len(found) == SIZES.layers
    for layer, of_layer in enumerate(found):
        assert of_layer == {
            event: ((at * SIZES.layers + layer) * 0x100000003 + 7) % 2**48
            for at, event in enumerate(events)
        }


@scene
def watches_and_clears(world):
    device = world.device
    for _ in range(3):
        world.transport.send(bytes(SIZES.pixels - 1))
        world.transport.receive(100)
    assert device.status().monitors == {MonitorFlag.IMAGE_MISFRAMED: 3}
    assert not device.status().ok
    device.clear()
    assert device.status() == Status(False, (), {}, None)


@scene
def aborts(world):
    device, (first, second) = world.device, images(3, 2).astype(np.uint8)
    device.configure(passes=5, records=True)
    device.abort()
    world.transport.send(first.tobytes())
    device.abort()
    world.transport.send(first.tobytes())
    world.transport.send(second.tobytes())
    device.abort()
    assert not device.status().busy
    assert device.infer([second]) == [expected(second.tolist(), 5, 0, True)]


@scene
def says_when_nothing_comes(world):
    assert world.device.status().ok
    with pytest.raises(UserError, match="results: m_axis_results_tvalid: nothing came in 20000"):
        world.device._receive()


@cocotb.test()
async def buses_by_hand(dut):
    """Strobes, responses and unaligned addresses, without the driver."""
    world = World(dut)
    await world.start()
    passes = world.device.access.registers["PASSES"].offset
    code = world.device.access.registers["DRIVE_CODE"].address(1)
    assert await world.master.read(0) == (0x53445250, 0)
    assert await world.master.read(code) == (2000, 0)
    assert await world.master.write(code, 0xABCD, 0b0010) == 0
    assert await world.master.read(code + 3) == (0xAB00 | 2000 & 0xFF, 0)
    assert await world.master.write(passes, 77) == 0
    assert await world.master.write(passes, 99, 0) == 0
    assert await world.master.read(passes) == (77, 0)
    assert await world.master.write(0, 1) == SLVERR
    assert await world.master.read(0xFFC) == (0, SLVERR)
    assert await world.master.write(0xFFC, 1) == SLVERR
    world.finish()
