# SPDX-License-Identifier: Apache-2.0
"""Runs inside the simulator: a generated system under the driver, as a host program would use it.

What a scene leaves in the memories stays: reset does not touch them. The words of the spin unit go
on from scene to scene.
"""

import os
from dataclasses import replace
from pathlib import Path

import cocotb
import numpy as np
import pytest
from cocotb.task import bridge, resume
from cocotb.triggers import ClockCycles
from system_designs import DESIGNS, golden_frames

from scaledrop.device_sizes import Memory
from scaledrop.driver import BusError, read_contents, read_description
from scaledrop.driver.pixels import pixel_frames
from scaledrop.errors import UserError
from scaledrop.monitors import MonitorFlag
from scaledrop.packets import parse_frame
from scaledrop.walk import MASS, Inference, Mode
from scaledrop_cosim.axi import SystemWorld

FOLDER = Path(os.environ["SYSTEM_FOLDER"])
CHANCE = float(os.environ["SYSTEM_CHANCE"])
DESIGN = DESIGNS[os.environ["SYSTEM_DESIGN"]]
DESCRIPTION = read_description(FOLDER / "scaledrop_axi.json")
BUILT_IN = read_contents(FOLDER / "scaledrop_axi_contents.json")
OTHER = read_contents(FOLDER / "other.json")
WORDS = np.fromfile(FOLDER / "words.bin", dtype="<u2")
NETWORK = DESIGN["network"]
DRAWN = Inference(Mode.PASSES, 5)
EXACT = Inference(Mode.EXACT)
SLVERR = 2
SOME_CYCLES = 3000
"""Enough to begin every layer."""


class Bench(SystemWorld):
    """The world, and what should come out of it."""

    def golden(self, images, inference=DRAWN, network=NETWORK):
        """Frames of images that are sent now."""
        return golden_frames(network, images, inference, WORDS[self.writes :])

    def check(self, images, inference=DRAWN, network=NETWORK):
        """Infer as configured and compare."""
        expected = self.golden(images, inference, network)
        assert self.device.infer(images) == expected

    def infer(self, images, inference=DRAWN, network=NETWORK, **settings):
        """Configure, infer and compare."""
        mode, passes = inference.mode, inference.passes
        self.device.configure(mode=mode, passes=passes, records=True, **settings)
        self.check(images, inference, network)

    def frame(self, image):
        """Bytes of an image."""
        return pixel_frames([image], self.device.sizes, NETWORK.input_shape)[0]

    def wait(self, cycles):
        """Let time pass."""
        resume(self._wait)(cycles)

    async def _wait(self, cycles):
        await ClockCycles(self.dut.clk, cycles)

    def begin(self, frame):
        """Begin to send a frame; returns what :meth:`join` waits for."""
        return resume(self._begin)(frame)

    async def _begin(self, frame):
        return cocotb.start_soon(self.source.send(frame))

    def join(self, task):
        """Wait until a frame has been taken."""
        resume(self._join)(task)

    async def _join(self, task):
        await task


def scene(function):
    """A cocotb test whose body is plain code."""

    async def test(dut):
        bench = Bench(dut, DESCRIPTION, [CHANCE] * 3, seed=7, limit=30_000)
        await bench.start()
        await bridge(function)(bench)
        bench.finish()

    test.__name__ = test.__qualname__ = function.__name__
    return cocotb.test(test)


def only_reference(function):
    """A scene where there are scales to be read."""
    return scene(function) if DESIGN["datapath"] == "reference" else None


def images(seed, count):
    top = 1 << NETWORK.input_bits
    return np.random.default_rng(seed).integers(top, size=(count, NETWORK.input_size))


@scene
def infers_in_every_mode(bench):
    bench.device.identify()
    assert NETWORK.input_size == bench.device.sizes.pixels
    for at, mode in enumerate(Mode):
        bench.infer(images(at, 4), Inference(mode, DRAWN.passes))
    assert bench.device.status().ok


@scene
def leaves_out_light_branches_and_sends_results_alone(bench):
    inference, batch = Inference(Mode.EXACT, masks=3), images(3, 2)
    codes = [layer.drop_code for layer in NETWORK.layers]
    bench.infer(batch, inference, cutoff=inference.cutoff(codes))
    bench.device.configure(mode=Mode.EXACT, cutoff=inference.cutoff(codes))
    found = bench.device.infer(batch)
    assert [frame.result for frame in found] == [
        frame.result for frame in golden_frames(NETWORK, batch, inference)
    ]
    assert all(frame.leaves == () and frame.result.covered < MASS for frame in found)


@scene
def takes_images_in_their_shape(bench):
    batch = images(11, 2)
    bench.device.configure(passes=DRAWN.passes, records=True)
    expected = bench.golden(batch)
    assert bench.device.infer(batch.reshape(2, *NETWORK.input_shape)) == expected


@scene
def abstains(bench):
    batch, passes = images(4, 1), DRAWN.passes
    for limits, abstains in (
        ({}, False),
        ({"min_votes": passes}, None),
        ({"min_votes": passes + 1}, True),
        ({"min_margin": 1}, None),
        ({"min_margin": 1 << 62}, True),
        ({"min_margin": (1 << 64) - 1}, True),
    ):
        bench.device.configure(passes=passes, **limits)
        expected = bench.golden(batch)[0].result
        found = bench.device.infer(batch)[0].result
        second, top = sorted(expected.sums)[-2:]
        few = expected.votes[expected.predicted] < limits.get("min_votes", 0)
        close = top - second < limits.get("min_margin", 0)
        assert found.abstain == (few or close)
        assert abstains in (None, found.abstain)
        assert found == replace(expected, abstain=found.abstain)


@scene
def refuses_while_busy(bench):
    device, batch = bench.device, images(5, 2)
    device.configure(passes=DRAWN.passes, records=True)
    expected = bench.golden(batch)
    bench.transport.send(bench.frame(batch[0]))
    registers = device.access.registers
    for name in ("SETUP", "PASSES", "CUTOFF", "MIN_VOTES", "STOP_ENABLE", "DRIVE_CODE"):
        assert resume(bench.master.write)(registers[name].address(), 0) == SLVERR
    assert resume(bench.master.read)(registers["PASSES"].address()) == (DRAWN.passes, 0)
    assert device.status().errors == ("config_refused",)
    with pytest.raises(BusError, match="response 2"):
        bench.transport.write32(registers["HOST_DATA"].address(), 0)
    with pytest.raises(BusError, match="response 2"):
        bench.transport.read32(registers["HOST_DATA"].address())
    status = device.status()
    assert status.busy and status.errors == ("config_refused", "host_refused")
    device.clear()
    with pytest.raises(UserError, match="DRIVE_CODE: access refused: a locked register"):
        device.access.write("DRIVE_CODE", 0, value=1)
    assert device.status().ok
    assert parse_frame(bench.transport.receive(10_000), device.sizes) == expected[0]
    bench.check(batch[1:])


@scene
def waits_for_a_slow_host(bench):
    """Longer than any part of the device waits for another."""
    device, batch = bench.device, images(13, 2)
    for records in (True, False):
        device.configure(passes=DRAWN.passes, records=records)
        expected = bench.golden(batch)
        for image in batch:
            bench.transport.send(bench.frame(image))
        for frame in expected:
            bench.wait(10_000)
            found = parse_frame(bench.transport.receive(10_000), device.sizes)
            assert found == replace(frame, leaves=frame.leaves if records else ())
    assert device.status().ok


@scene
def loads_another_network_and_the_first_again(bench):
    device, batch = bench.device, images(6, 3)
    assert set(OTHER.words) == set(device.sizes.memories)
    assert OTHER.formats == BUILT_IN.formats and OTHER.words != BUILT_IN.words
    for contents, network in ((OTHER, DESIGN["other"]), (BUILT_IN, NETWORK)):
        device.install(contents)
        for memory, words in contents.fitted(DESCRIPTION).items():
            assert device.read_back(memory) == words
        bench.infer(batch, Inference(Mode.SHARED, 9), network)
        bench.infer(batch, EXACT, network)
    assert device.status().ok


@scene
def computes_with_every_memory(bench):
    """Words that are turned over change the results: what was compared before was loaded."""
    device, batch = bench.device, images(6, 4)
    device.configure(mode=Mode.EXACT, records=True)
    good = bench.golden(batch, EXACT)
    numbers = (Memory.WEIGHTS, Memory.SCALES, Memory.THRESHOLDS, Memory.ROW_MASKS, Memory.HEAD)
    for memory in device.sizes.memories.keys() & numbers:
        words = BUILT_IN.words[memory]
        width = sum(field.width for field in BUILT_IN.formats[memory])
        device.load({memory: [word ^ (1 << width) - 1 for word in words]})
        assert device.infer(batch) != good
        device.load({memory: words})
        assert device.infer(batch) == good


@scene
def aborts_at_any_time(bench):
    device, batch = bench.device, images(8, 2)
    device.configure(passes=DRAWN.passes, records=True)
    device.abort()
    for cycles in (1, 4, 9, 20, 45, 90, 150, 260, 420, 700):
        for image in batch:
            sending = bench.begin(bench.frame(image))
            bench.wait(cycles)
            device.abort()
            bench.join(sending)
            assert not device.status().busy
    bench.check(batch)


@scene
def notices_a_misframed_image(bench):
    device, batch = bench.device, images(9, 1)
    frame, size = bench.frame(batch[0]), bench.device.sizes.pixel_bytes
    device.configure(passes=DRAWN.passes, records=True)
    for wrong in (frame[:-size], frame + frame[:size]):
        bench.transport.send(wrong)
        bench.check(batch)
    assert device.status().monitors == {MonitorFlag.IMAGE_MISFRAMED: 2}
    device.clear()
    assert device.status().ok


@scene
def watches_the_health_of_the_bits(bench):
    """A device that nearly always switches; limits that are loaded begin the tests anew."""
    device, batch = bench.device, images(12, 1)
    codes = [65535] * device.sizes.layers
    device.configure(mode=Mode.SHARED, passes=60, drive_codes=codes)
    device.infer(batch)
    assert device.status().monitors[MonitorFlag.RUN_DROPPED] > 0
    device.install(BUILT_IN)
    device.clear()
    bench.infer(batch)
    assert device.status().ok


@scene
def refuses_a_descriptor(bench):
    device, batch = bench.device, images(9, 1)
    words, shape = BUILT_IN.words[Memory.DESCRIPTORS], device.sizes.memories[Memory.DESCRIPTORS]
    device.configure(passes=DRAWN.passes, records=True)
    wrong = [words[0], (1 << 32 * shape.parts) - 1, *words[2:]]
    device.load({Memory.DESCRIPTORS: wrong}, check=False)
    bench.transport.send(bench.frame(batch[0]))
    bench.wait(SOME_CYCLES)
    status = device.status()
    assert status.monitors == {MonitorFlag.DESCRIPTOR_REFUSED: 1}
    assert status.busy and status.refusal[1] == 1
    assert bench.dut.interrupt.value == 1
    device.abort()
    device.load({Memory.DESCRIPTORS: words})
    device.clear()
    assert bench.dut.interrupt.value == 0
    bench.check(batch)


@scene
def has_scales_only_where_they_are_multiplied(bench):
    device = bench.device
    if DESIGN["datapath"] == "reference":
        assert device.read_back(Memory.SCALES) == list(BUILT_IN.words[Memory.SCALES])
        return
    with pytest.raises(UserError, match="SCALES: the device has no such memory"):
        device.read_back(Memory.SCALES)
    assert device.status().ok


@only_reference
def corrects_one_wrong_bit_of_the_scales(bench):
    device, batch = bench.device, images(10, 2)
    scales = BUILT_IN.words[Memory.SCALES]
    device.configure(scale_errors=1 << 5)
    device.load({Memory.SCALES: scales}, check=False)
    bench.infer(batch, EXACT)
    (corrected,) = device.status().monitors.items()
    assert corrected[0] is MonitorFlag.SCALE_CORRECTED and corrected[1] >= len(scales)
    assert device.read_back(Memory.SCALES) == list(scales)
    device.clear()
    bench.infer(batch, EXACT)
    assert device.status().ok


@only_reference
def stops_at_two_wrong_bits_of_the_scales(bench):
    device, batch = bench.device, images(10, 2)
    scales = BUILT_IN.words[Memory.SCALES]
    device.configure(scale_errors=1 << 5 | 1 << 9)
    device.load({Memory.SCALES: scales}, check=False)
    device.configure(mode=Mode.EXACT, stop=[MonitorFlag.SCALE_UNCORRECTED])
    bench.transport.send(bench.frame(batch[0]))
    bench.wait(SOME_CYCLES)
    status = device.status()
    assert list(status.monitors) == [MonitorFlag.SCALE_UNCORRECTED]
    assert status.busy and bench.dut.interrupt.value == 1
    device.abort()
    device.clear()
    assert bench.dut.interrupt.value == 0
    device.configure(scale_errors=0)
    device.load({Memory.SCALES: scales})
    bench.infer(batch, EXACT)
    assert device.status().ok
