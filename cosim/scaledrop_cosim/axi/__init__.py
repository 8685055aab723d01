# SPDX-License-Identifier: Apache-2.0
"""AXI in a cocotb simulation: a master, a source, a sink, a referee, and the driver's transport."""

from scaledrop_cosim.axi.build import SYSTEM, build_system, build_top, run_bench
from scaledrop_cosim.axi.frames import DeviceRun, observe_run, run_device
from scaledrop_cosim.axi.lite import AxiLiteMaster
from scaledrop_cosim.axi.pace import Pace
from scaledrop_cosim.axi.referee import Referee
from scaledrop_cosim.axi.stream import StreamSink, StreamSource
from scaledrop_cosim.axi.transport import SimulationTransport
from scaledrop_cosim.axi.world import SystemWorld

__all__ = [
    "SYSTEM",
    "AxiLiteMaster",
    "DeviceRun",
    "Pace",
    "Referee",
    "SimulationTransport",
    "StreamSink",
    "StreamSource",
    "SystemWorld",
    "build_system",
    "build_top",
    "observe_run",
    "run_bench",
    "run_device",
]
