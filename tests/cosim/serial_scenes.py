# SPDX-License-Identifier: Apache-2.0
"""Runs inside the simulator: a demonstrator at the end of its serial line, and the host's driver.

Every scene opens the line anew, which resets the device and its bits.
"""

import os
from pathlib import Path

import cocotb
import numpy as np
import pytest
from cocotb.task import bridge, resume
from serial_designs import IMAGES, NETWORK, QUIET, golden

from scaledrop.driver import BusError, Device, description_of
from scaledrop.driver.description import read_json
from scaledrop.driver.pixels import pixel_frames
from scaledrop.driver.protocol import Opcode, Source, checked
from scaledrop.driver.serial import SerialTransport
from scaledrop.errors import UserError
from scaledrop.packets import parse_frame
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.serial import SerialLine, SimulatedPipe
from scaledrop_flow.board import BoardChoices, run_board
from scaledrop_flow.board_check import Masks
from scaledrop_flow.data import LabelledImages

SIDECAR = read_json(Path(os.environ["SERIAL_SIDECAR"]))
DESCRIPTION = description_of(SIDECAR)
COUNT = len(IMAGES)
SHARED, PASSES = Inference(Mode.SHARED, 6), Inference(Mode.PASSES, 3)


class Bench:
    """The line, and who talks over it."""

    def __init__(self, line):
        self.line = line
        self.pipe = SimulatedPipe(line, 2 * QUIET)

    def open(self, reset=True):
        transport = SerialTransport(
            self.pipe, patience=100e-6, clock=self.pipe.seconds, reset=reset
        )
        return Device.described(transport, DESCRIPTION)

    def ready(self, inference, reset=True):
        """A device that was configured."""
        device = self.open(reset)
        device.configure(mode=inference.mode, passes=inference.passes, records=True)
        return device

    def hold(self, cycles):
        """Noise on the line."""
        resume(self.line.hold)(cycles)

    def wait(self, cycles):
        resume(self.line.wait)(cycles)

    def say(self, data):
        """Bytes to which nobody listens."""
        self.pipe.write(data)


def scene(function):
    """A test on a bench."""

    async def test(dut):
        line = SerialLine(dut)
        await line.start()
        await bridge(function)(Bench(line))
        assert line.broken == 0

    test.__name__ = test.__qualname__ = function.__name__
    return cocotb.test()(test)


@scene
def a_host_identifies_configures_and_infers(bench):
    device = bench.open()
    device.identify()
    for inference in (SHARED, PASSES):
        device.transport.reset()
        device.configure(mode=inference.mode, passes=inference.passes, records=True)
        assert device.infer(IMAGES) == golden(IMAGES, inference)
    assert device.status().ok
    assert device.transport.source == Source.LFSR


@scene
def a_reset_begins_the_bits_anew(bench):
    device = bench.ready(SHARED)
    first = device.infer(IMAGES[:2])
    assert device.infer(IMAGES[:2]) != first
    device.transport.reset()
    device.configure(mode=Mode.SHARED, passes=6, records=True)
    assert device.infer(IMAGES[:2]) == first


@scene
def two_images_and_more_before_anything_is_read(bench):
    device = bench.ready(SHARED)
    frames = pixel_frames(IMAGES, device.sizes, NETWORK.input_shape)
    for frame in frames[:2]:
        device.transport.send(frame)
    # There is no room, so the line stays free for everything else.
    taken = 2
    with pytest.raises(UserError, match=r"took no pixels for 0\.0001 s; reset it"):
        for frame in [*frames[2:], *frames]:
            device.transport.send(frame)
            taken += 1
    assert taken < 6
    assert device.access.read("STATUS")["busy"]
    found = [parse_frame(device.transport.receive(1000), device.sizes) for _ in range(taken)]
    assert found == golden([*IMAGES, *IMAGES][:taken], SHARED)


@scene
def a_refused_access_comes_through(bench):
    device = bench.ready(SHARED)
    with pytest.raises(BusError, match=r"^read of 0xff8: SLVERR$"):
        device.transport.read32(0xFF8)
    device.clear()
    device.transport.send(pixel_frames(IMAGES[:1], device.sizes, NETWORK.input_shape)[0])
    with pytest.raises(UserError, match=r"^PASSES: access refused: "):
        device.configure(passes=2)
    assert (
        parse_frame(device.transport.receive(1000), device.sizes) == golden(IMAGES[:1], SHARED)[0]
    )


@scene
def noise_and_half_commands(bench):
    write = checked(bytes([Opcode.WRITE, 0x40, 0, 1, 2, 3, 4]))
    for upset in (
        lambda: bench.say(b"\x00\xff\x55"),
        lambda: bench.say(write[:3]),
        lambda: bench.say(write[:-1]),
        lambda: bench.hold(3),
        lambda: bench.hold(600),
        lambda: (bench.say(write[:5]), bench.hold(40)),
    ):
        bench.ready(SHARED)
        upset()
        # Whoever opens the line next finds it in order, and nothing was written.
        device = bench.ready(SHARED, reset=False)
        assert device.infer(IMAGES[:2]) == golden(IMAGES[:2], SHARED)
        assert device.status().ok


@scene
def noise_between_two_commands_of_a_host(bench):
    device = bench.ready(SHARED)
    bench.say(b"\x31")
    assert device.infer(IMAGES[:2]) == golden(IMAGES[:2], SHARED)
    assert not bench.line.dut.fault.value


@scene
def a_host_that_died_within_an_image(bench):
    device = bench.ready(SHARED)
    pixels = checked(bytes([Opcode.PIXELS | 3, 1, 2, 3, 4]))
    bench.say(pixels * 2 + pixels[:2])
    bench.wait(300)
    device = bench.ready(SHARED)
    assert device.infer(IMAGES) == golden(IMAGES, SHARED)


@scene
def an_abort_over_the_line(bench):
    device = bench.ready(SHARED)
    device.transport.send(pixel_frames(IMAGES[:1], device.sizes, NETWORK.input_shape)[0])
    device.abort()
    assert not device.access.read("STATUS")["busy"]
    assert [frame.result is None for frame in device.infer(IMAGES[:2])] == [False, False]


@scene
def the_board_command(bench):
    transport = bench.open().transport
    labels = np.arange(COUNT)
    seen = []
    choices = BoardChoices(SHARED, min_votes=4)
    result = run_board(
        transport,
        SIDECAR,
        NETWORK,
        LabelledImages(IMAGES, labels, "random"),
        choices,
        lambda first, frames: seen.append((first, len(frames))),
    )
    assert result.masks is Masks.FORESEEN and seen == [(0, COUNT)]
    assert result.ok and result.check.total_mismatches == 0
    layers, classes = len(NETWORK.layers), NETWORK.classes
    assert result.check.checked["masks"] == COUNT * 6 * layers
    assert result.check.checked["logits"] == COUNT * 6 * classes
    assert result.check.checked["counters"] == 15 * layers
    wanted = [frame.result for frame in golden(IMAGES, SHARED)]
    assert result.predicted.tolist() == [one.predicted for one in wanted]
    abstained = [one.votes[one.predicted] < 4 for one in wanted]
    assert result.abstained.tolist() == abstained
