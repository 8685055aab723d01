# SPDX-License-Identifier: Apache-2.0
"""Referee: watches channels and notes every breach of the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, First, RisingEdge

from scaledrop_cosim.axi.pace import PATIENCE

__all__ = ["Referee"]

LITE = {
    "aw": ("valid", "ready", "addr"),
    "w": ("valid", "ready", "data", "strb"),
    "b": ("valid", "ready", "resp"),
    "ar": ("valid", "ready", "addr"),
    "r": ("valid", "ready", "data", "resp"),
}
STREAM = {"t": ("valid", "ready", "data", "last")}


class Referee:
    """An offer stays as it is until it is taken, and no response comes without its request.

    Attributes:
        breaches: One line for each.
        taken: Channel -> number of transfers.
    """

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._channels: dict[str, list[Any]] = {}
        self._before: dict[str, list[int]] = {}
        self._lite: list[str] = []
        self.breaches: list[str] = []
        self.taken: dict[str, int] = {}

    def _add(self, dut: Any, prefix: str, channels: Mapping[str, tuple[str, ...]]) -> None:
        for channel, names in channels.items():
            name = f"{prefix}_{channel}"
            self._channels[name] = [getattr(dut, f"{name}{end}") for end in names]
            self.taken[name] = 0

    def watch_lite(self, dut: Any, prefix: str) -> None:
        """Watch an AXI4-Lite interface."""
        self._add(dut, prefix, LITE)
        self._lite.append(prefix)

    def watch_stream(self, dut: Any, prefix: str) -> None:
        """Watch an AXI4-Stream."""
        self._add(dut, prefix, STREAM)

    def start(self) -> None:
        """Begin to watch."""
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        valids, quiet = [signals[0] for signals in self._channels.values()], 0
        while True:
            await FallingEdge(self._clock)
            quiet = 0 if any(valid.value for valid in valids) else quiet + 1
            for name, signals in self._channels.items():
                now = [int(signals[0].value), int(signals[1].value)]
                if now[0]:
                    now += [int(signal.value) for signal in signals[2:]]
                self.judge(name, now)
            for prefix in self._lite:
                self.answers(prefix)
            if quiet > PATIENCE:
                await First(*map(RisingEdge, valids))

    def judge(self, name: str, now: list[int]) -> None:
        """Take note of a channel in the next cycle: valid, ready and, if valid, its payload."""
        before = self._before.get(name, [0, 0])
        if before[0] and not before[1]:
            if not now[0]:
                self.breaches.append(f"{name}: valid fell before ready")
            elif now[2:] != before[2:]:
                self.breaches.append(f"{name}: the payload changed before ready")
        self.taken[name] = self.taken.get(name, 0) + (now[0] and now[1])
        self._before[name] = now

    def answers(self, prefix: str) -> None:
        """Compare the responses offered up to now with the requests taken."""
        for response, requests in (("b", ("aw", "w")), ("r", ("ar",))):
            name = f"{prefix}_{response}"
            valid, ready = self._before[name][:2]
            offered = self.taken[name] + (valid and not ready)
            if any(self.taken[f"{prefix}_{request}"] < offered for request in requests):
                self.breaches.append(f"{name}: a response without its request")
