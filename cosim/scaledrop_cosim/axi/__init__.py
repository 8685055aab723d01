# SPDX-License-Identifier: Apache-2.0
"""AXI in a cocotb simulation: a master, a source, a sink, a referee, and the driver's transport."""

from scaledrop_cosim.axi.build import build_top
from scaledrop_cosim.axi.lite import AxiLiteMaster
from scaledrop_cosim.axi.pace import Pace
from scaledrop_cosim.axi.referee import Referee
from scaledrop_cosim.axi.stream import StreamSink, StreamSource
from scaledrop_cosim.axi.transport import SimulationTransport

__all__ = [
    "AxiLiteMaster",
    "Pace",
    "Referee",
    "SimulationTransport",
    "StreamSink",
    "StreamSource",
    "build_top",
]
