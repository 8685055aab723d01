# SPDX-License-Identifier: Apache-2.0
"""AXI4-Stream source and sink."""

from __future__ import annotations

from typing import Any

from scaledrop.driver import BusError
from scaledrop_cosim.axi.pace import Pace, offer, take

__all__ = ["StreamSink", "StreamSource"]


class StreamSource:
    """Sends frames of bytes, the first in the lowest bits; TKEEP and TLAST as a DMA engine does.

    Args:
        dut: The design.
        prefix: Of its signals, as in ``prefix_tvalid``.
        pace: Of the words.
    """

    def __init__(self, dut: Any, prefix: str, pace: Pace) -> None:
        names = ("tvalid", "tready", "tdata", "tkeep", "tlast")
        ends = [getattr(dut, f"{prefix}_{name}") for name in names]
        self._valid, self._ready, self._data, self._keep, self._last = ends
        self._pace = pace
        self._size = len(self._data) // 8
        self._valid.value = 0

    async def send(self, frame: bytes) -> None:
        """Send a frame; returns when it was taken.

        Raises:
            BusError: it is not.
        """
        for at in range(0, len(frame), self._size):
            part = frame[at : at + self._size]
            word = {
                self._data: int.from_bytes(part, "little"),
                self._keep: (1 << len(part)) - 1,
                self._last: int(at + self._size >= len(frame)),
            }
            await offer(self._valid, self._ready, word, self._pace)


class StreamSink:
    """Takes frames of words, and only while one is asked for.

    Args:
        dut: The design.
        prefix: Of its signals, as in ``prefix_tvalid``.
        pace: Of the words.
    """

    def __init__(self, dut: Any, prefix: str, pace: Pace) -> None:
        names = ("tvalid", "tready", "tdata", "tlast")
        ends = [getattr(dut, f"{prefix}_{name}") for name in names]
        self._valid, self._ready, self._data, self._last = ends
        self._pace = pace
        self._ready.value = 0

    async def receive(self, limit: int) -> list[int]:
        """The words of a frame.

        Raises:
            BusError: nothing comes, or more than ``limit`` words.
        """
        words: list[int] = []
        for _ in range(limit):
            ends = self._valid, self._ready
            word, last = await take(*ends, (self._data, self._last), self._pace)
            words.append(word)
            if last:
                return words
        raise BusError(f"a frame is longer than {limit} words")
