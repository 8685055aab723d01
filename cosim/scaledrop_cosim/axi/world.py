# SPDX-License-Identifier: Apache-2.0
"""A generated system in its shell, with everything around it that a board would have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cocotb.triggers import RisingEdge

from scaledrop.driver import Description, Device
from scaledrop_cosim.axi.lite import AxiLiteMaster
from scaledrop_cosim.axi.pace import Pace
from scaledrop_cosim.axi.referee import Referee
from scaledrop_cosim.axi.stream import StreamSink, StreamSource
from scaledrop_cosim.axi.transport import SimulationTransport

__all__ = ["SystemWorld"]

CONTROL, PIXELS, RESULTS = "s_axi", "s_axis_pixels", "m_axis_results"


class SystemWorld:
    """The driver on the buses, and a referee who watches them.

    Args:
        dut: The shell; see :func:`scaledrop_cosim.axi.build.build_system`.
        description: Of the system in it.
        chances: That a cycle is left out: by the control port's master, by the pixels' source, by
            the results' sink.
        seed: Of these cycles.
        limit: Cycles after which an answer is no longer expected.
    """

    def __init__(
        self,
        dut: Any,
        description: Description,
        chances: Sequence[float] = (0.0, 0.0, 0.0),
        seed: int = 0,
        limit: int = 100_000,
    ) -> None:
        paces = [Pace(dut.clk, chance, seed + at, limit) for at, chance in enumerate(chances)]
        self.dut = dut
        self.master = AxiLiteMaster(dut, CONTROL, paces[0])
        self.source = StreamSource(dut, PIXELS, paces[1])
        self.sink = StreamSink(dut, RESULTS, paces[2])
        self.transport = SimulationTransport(self.master, self.source, self.sink)
        self.device = Device.described(self.transport, description)
        self.referee = Referee(dut.clk)
        self.referee.watch_lite(dut, CONTROL)
        self.referee.watch_stream(dut, PIXELS)
        self.referee.watch_stream(dut, RESULTS)

    async def start(self) -> None:
        """Reset."""
        self.dut.rst.value = 1
        for _ in range(3):
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.referee.start()
        await RisingEdge(self.dut.clk)

    @property
    def writes(self) -> int:
        """Write pulses that the spin unit has seen: words it has taken."""
        return int(self.dut.writes.value)

    def finish(self) -> None:
        """The rules were kept, and there was something to break them with.

        Raises:
            AssertionError: names the first breach.
        """
        assert not self.referee.breaches, self.referee.breaches[0]
        assert self.referee.taken[f"{CONTROL}_b"] + self.referee.taken[f"{CONTROL}_r"]
