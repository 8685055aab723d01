# SPDX-License-Identifier: Apache-2.0
"""The simulated line as the driver sees a serial port.

Runs in threads: from a cocotb test in ``await bridge(function)(...)``, while the simulation goes
on.
"""

from __future__ import annotations

from cocotb.task import resume
from cocotb.utils import get_sim_time

from scaledrop_cosim.serial.line import SerialLine

__all__ = ["SimulatedPipe"]


class SimulatedPipe:
    """A :class:`scaledrop.driver.serial.BytePipe` to a simulated demonstrator.

    Args:
        line: The line.
        silence: Cycles after which a read gives up; more than the device's ``quiet``.
    """

    def __init__(self, line: SerialLine, silence: int) -> None:
        self._line, self._silence = line, silence

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes."""
        return bytes(resume(self._line.receive)(size, self._silence))

    def write(self, data: bytes) -> None:
        """Send bytes."""
        resume(self._line.send)(data)

    def close(self) -> None:
        """Nothing to give back."""

    @staticmethod
    def seconds() -> float:
        """Simulated time."""
        return float(get_sim_time("ns")) * 1e-9
