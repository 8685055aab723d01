# SPDX-License-Identifier: Apache-2.0
"""What a device says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scaledrop.monitors import MonitorFlag

__all__ = ["Status"]


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
