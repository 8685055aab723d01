# SPDX-License-Identifier: Apache-2.0
"""A serial line in a cocotb simulation: the host's end of a demonstrator."""

from scaledrop_cosim.serial.build import SERIAL, build_demonstrator
from scaledrop_cosim.serial.line import SerialLine
from scaledrop_cosim.serial.pipe import SimulatedPipe

__all__ = ["SERIAL", "SerialLine", "SimulatedPipe", "build_demonstrator"]
