# SPDX-License-Identifier: Apache-2.0
"""What a device says about itself: its state, and what it has counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scaledrop.driver.access import RegisterAccess
from scaledrop.form import Form
from scaledrop.monitors import MonitorFlag

__all__ = ["Status", "read_counters", "read_status"]


@dataclass(frozen=True)
class Status:
    """State of a device.

    Attributes:
        busy: An image is held.
        errors: Names of the accesses that were refused since the last clear.
        monitors: Monitors that fired since the last clear, and how often.
        refusal: Code and layer of the descriptor that was refused last; None if none was.
    """

    busy: bool
    errors: tuple[str, ...]
    monitors: Mapping[MonitorFlag, int]
    refusal: tuple[int, int] | None

    @property
    def ok(self) -> bool:
        """Nothing was refused and no monitor fired."""
        return not self.errors and not self.monitors


def _monitors(access: RegisterAccess) -> dict[MonitorFlag, int]:
    """Those that fired, and how often."""
    fired = access.read("MONITORS")
    return {
        flag: access.read("MONITOR_COUNT", flag)["value"]
        for flag in MonitorFlag
        if fired[flag.name.lower()]
    }


def read_status(access: RegisterAccess) -> Status:
    """Ask a device; one of the small form has no monitors to ask."""
    errors = access.read("ERRORS")
    monitors = _monitors(access) if access.sizes.form is Form.FULL else {}
    refusal = None
    if MonitorFlag.DESCRIPTOR_REFUSED in monitors:
        found = access.read("REFUSAL")
        refusal = found["code"], found["layer"]
    return Status(
        busy=bool(access.read("STATUS")["busy"]),
        errors=tuple(name for name, bit in errors.items() if bit),
        monitors=monitors,
        refusal=refusal,
    )


def read_counters(access: RegisterAccess, events: Sequence[str]) -> list[dict[str, int]]:
    """The counter of every event, by layer."""
    layers = access.sizes.layers
    counts: list[dict[str, int]] = [{} for _ in range(layers)]
    for at, event in enumerate(events):
        for layer, of_layer in enumerate(counts):
            access.write("COUNTER_SELECT", value=at * layers + layer)
            low = access.read("COUNTER_LOW")["value"]
            of_layer[event] = low | access.read("COUNTER_HIGH")["value"] << 32
    return counts
