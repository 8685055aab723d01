# SPDX-License-Identifier: Apache-2.0
"""Runs inside the simulator: a demonstrator at the end of its serial line, and the host's driver.

Every scene opens the line anew, which resets the device and its bits.
"""

import os
from pathlib import Path

import cocotb
from cocotb.task import bridge, resume
from serial_designs import IMAGES, QUIET, golden

from scaledrop.driver import Device, description_of
from scaledrop.driver.description import read_json
from scaledrop.driver.serial import SerialTransport
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.serial import SerialLine, SimulatedPipe

DESCRIPTION = description_of(read_json(Path(os.environ["SERIAL_SIDECAR"])))
SHARED = Inference(Mode.SHARED, 6)


class Bench:
    def __init__(self, line):
        self.line = line
        self.pipe = SimulatedPipe(line, 2 * QUIET)

    def open(self):
        transport = SerialTransport(self.pipe, patience=1e-3, clock=self.pipe.seconds)
        return Device.described(transport, DESCRIPTION)


def scene(function):
    """A test on a bench."""

    @cocotb.test(name=function.__name__)
    async def test(dut):
        line = SerialLine(dut)
        await line.start()
        await bridge(function)(Bench(line))
        assert not line.broken

    return test


@scene
def a_host_infers(bench):
    device = bench.open()
    device.identify()
    device.configure(mode=Mode.SHARED, passes=6, records=True)
    assert device.infer(IMAGES) == golden(IMAGES, SHARED)
    assert device.status().ok
