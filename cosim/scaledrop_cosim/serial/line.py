# SPDX-License-Identifier: Apache-2.0
"""The host's end of a simulated serial line: messages that go out, bytes that come."""

from __future__ import annotations

from typing import Any

from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

__all__ = ["SerialLine"]

RESET_CYCLES = 3
MESSAGE_BYTES = 1024
"""Of the shell."""


class SerialLine:
    """The line of a shell from ``build_demonstrator``.

    Args:
        dut: The shell.
    """

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self._kept = b""

    @property
    def broken(self) -> int:
        """Bytes without a stop bit that came."""
        return int(self.dut.broken.value)

    async def start(self) -> None:
        """Reset."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, RESET_CYCLES)
        self.dut.rst.value = 0
        await RisingEdge(self.dut.clk)

    async def send(self, data: bytes) -> None:
        """Send bytes without a pause, while what comes is heard."""
        for at in range(0, len(data), MESSAGE_BYTES):
            part = data[at : at + MESSAGE_BYTES]
            self.dut.message.value = int.from_bytes(part, "little")
            self.dut.message_bytes.value = len(part)
            self.dut.say.value = 1
            await RisingEdge(self.dut.said)
            self.dut.say.value = 0
            await FallingEdge(self.dut.said)

    async def hold(self, cycles: int) -> None:
        """Pull the line down, as noise or a break does."""
        self.dut.noise.value = 0
        await ClockCycles(self.dut.clk, cycles)
        self.dut.noise.value = 1

    async def wait(self, cycles: int) -> None:
        """Let time pass."""
        await ClockCycles(self.dut.clk, cycles)

    async def receive(self, size: int, silence: int) -> bytes:
        """Up to ``size`` bytes, 1024 at most; fewer when none comes for ``silence`` cycles."""
        wanted = size - len(self._kept)
        if wanted > 0:
            self.dut.wanted.value, self.dut.silence.value = wanted, silence
            self.dut.listen.value = 1
            await RisingEdge(self.dut.enough)
            self.dut.listen.value = 0
            count = int(self.dut.heard_bytes.value)
            word = int(self.dut.heard.value) & (1 << 8 * count) - 1
            self._kept += word.to_bytes(count, "little")
            self.dut.heard_bytes.value = 0
            await FallingEdge(self.dut.enough)
        found, self._kept = self._kept[:size], self._kept[size:]
        return found
