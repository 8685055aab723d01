# SPDX-License-Identifier: Apache-2.0
"""The driver's way to a simulated device.

The driver is plain blocking code. In a cocotb test it runs in ``await bridge(function)(...)``, and
the simulation goes on while it waits.
"""

from __future__ import annotations

from cocotb.task import resume

from scaledrop.driver import BusError
from scaledrop_cosim.axi.lite import OKAY, AxiLiteMaster
from scaledrop_cosim.axi.stream import StreamSink, StreamSource

__all__ = ["SimulationTransport"]


class SimulationTransport:
    """A :class:`scaledrop.driver.Transport` over the buses of a simulated design."""

    def __init__(self, master: AxiLiteMaster, source: StreamSource, sink: StreamSink) -> None:
        self._master, self._source, self._sink = master, source, sink

    def read32(self, address: int) -> int:
        """The word at a byte address."""
        word, response = resume(self._master.read)(address)
        if response != OKAY:
            raise BusError(f"read of {address:#x}: response {response}")
        return word

    def write32(self, address: int, word: int) -> None:
        """Write a word to a byte address."""
        response = resume(self._master.write)(address, word)
        if response != OKAY:
            raise BusError(f"write to {address:#x}: response {response}")

    def send(self, frame: bytes) -> None:
        """Send a frame."""
        resume(self._source.send)(frame)

    def receive(self, limit: int) -> list[int]:
        """Wait for a frame."""
        return resume(self._sink.receive)(limit)
