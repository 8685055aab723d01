# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite master."""

from __future__ import annotations

from typing import Any

import cocotb

from scaledrop_cosim.axi.pace import Pace, offer, take

__all__ = ["OKAY", "AxiLiteMaster"]

OKAY = 0
REQUESTS = ("aw", "w", "ar")
RESPONSES = ("b", "r")


class AxiLiteMaster:
    """Makes one write and one read at a time; address and data of a write go their own pace.

    Args:
        dut: The design.
        prefix: Of its signals, as in ``prefix_awvalid``.
        pace: Of every channel.
    """

    def __init__(self, dut: Any, prefix: str, pace: Pace) -> None:
        self._dut, self._prefix, self._pace = dut, prefix, pace
        for name in REQUESTS:
            self._signal(f"{name}valid").value = 0
        for name in RESPONSES:
            self._signal(f"{name}ready").value = 0

    def _signal(self, name: str) -> Any:
        return getattr(self._dut, f"{self._prefix}_{name}")

    async def _offer(self, channel: str, **payload: int) -> None:
        signals = {self._signal(name): value for name, value in payload.items()}
        ends = self._signal(f"{channel}valid"), self._signal(f"{channel}ready")
        await offer(*ends, signals, self._pace)

    async def _take(self, channel: str, *payload: str) -> list[int]:
        signals = [self._signal(name) for name in payload]
        ends = self._signal(f"{channel}valid"), self._signal(f"{channel}ready")
        return await take(*ends, signals, self._pace)

    async def write(self, address: int, word: int, strobe: int = 15) -> int:
        """Write a word; returns the response.

        Raises:
            BusError: no answer.
        """
        halves = [
            cocotb.start_soon(self._offer("aw", awaddr=address, awprot=0)),
            cocotb.start_soon(self._offer("w", wdata=word, wstrb=strobe)),
        ]
        (response,) = await self._take("b", "bresp")
        for half in halves:
            await half
        return response

    async def read(self, address: int) -> tuple[int, int]:
        """Read a word; returns it and the response.

        Raises:
            BusError: no answer.
        """
        request = cocotb.start_soon(self._offer("ar", araddr=address, arprot=0))
        word, response = await self._take("r", "rdata", "rresp")
        await request
        return word, response
