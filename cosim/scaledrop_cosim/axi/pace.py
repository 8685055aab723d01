# SPDX-License-Identifier: Apache-2.0
"""Handshakes of a channel, in step with the clock and at a random pace.

Signals are driven behind a rising edge of the clock and sampled at the falling one, when they have
settled and nothing moves; so no order of events inside of the simulator matters. Where nothing has
been offered for a while, the simulator is left alone until something is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from cocotb.triggers import FallingEdge, First, RisingEdge, Timer

from scaledrop.driver import BusError

__all__ = ["PATIENCE", "Pace", "offer", "take"]

PATIENCE = 8
"""Cycles without an offer after which nobody looks at every cycle any more."""


class Pace:
    """How often a side is not ready.

    Args:
        clock: The clock's signal.
        chance: That a cycle is left out.
        seed: Of the choice of these cycles.
        limit: Cycles after which an answer is no longer expected.
        period: Of the clock, in ns.
    """

    def __init__(
        self,
        clock: Any,
        chance: float = 0.0,
        seed: int = 0,
        limit: int = 100_000,
        period: int = 2,
    ) -> None:
        self.clock, self.chance, self.limit, self.period = clock, chance, limit, period
        self._random = Random(seed)

    def rests(self) -> bool:
        """Whether to leave this cycle out."""
        return self._random.random() < self.chance


async def offer(valid: Any, ready: Any, payload: Mapping[Any, int], pace: Pace) -> None:
    """Offer a payload until it is taken.

    Raises:
        BusError: nobody takes it.
    """
    while pace.rests():
        await RisingEdge(pace.clock)
    for signal, value in payload.items():
        signal.value = value
    valid.value = 1
    for _ in range(pace.limit):
        await FallingEdge(pace.clock)
        taken = int(ready.value)
        await RisingEdge(pace.clock)
        if taken:
            valid.value = 0
            return
    raise BusError(f"{valid._name}: not taken in {pace.limit} cycles")


async def take(valid: Any, ready: Any, payload: Sequence[Any], pace: Pace) -> list[int]:
    """Wait for an offer and take it; returns its payload.

    Raises:
        BusError: nothing is offered.
    """
    quiet = 0
    while quiet <= PATIENCE:
        willing = not pace.rests()
        ready.value = int(willing)
        await FallingEdge(pace.clock)
        offered = bool(valid.value)
        values = [int(signal.value) for signal in payload] if willing and offered else None
        await RisingEdge(pace.clock)
        if values is not None:
            ready.value = 0
            return values
        quiet = 0 if offered or valid.value else quiet + 1
        if quiet == PATIENCE:
            await First(RisingEdge(valid), Timer(pace.limit * pace.period, "ns"))
            quiet = 0 if valid.value else quiet + 1
    ready.value = 0
    raise BusError(f"{valid._name}: nothing came in {pace.limit} cycles")
