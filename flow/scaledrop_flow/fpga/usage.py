# SPDX-License-Identifier: Apache-2.0
"""What a packed design takes of a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scaledrop_flow.fpga.boards import Board

__all__ = ["RESOURCES", "Resource", "Usage", "usage_of"]

BELS: Mapping[str, Mapping[str, str]] = {
    "ecp5": {
        "LUT4": "TRELLIS_COMB",
        "flip-flops": "TRELLIS_FF",
        "block memories": "DP16KD",
        "multipliers": "MULT18X18D",
    },
    "ice40": {
        "LUT4": "ICESTORM_LC",
        "block memories": "ICESTORM_RAM",
        "multipliers": "ICESTORM_DSP",
    },
}
"""Family to resource to nextpnr's name; a logic cell of iCE40 is a table and a flip-flop."""

RESOURCES = ("LUT4", "flip-flops", "block memories", "multipliers")


@dataclass(frozen=True)
class Resource:
    """What is needed of a resource and how much there is."""

    name: str
    used: int
    available: int

    @property
    def fraction(self) -> float:
        return self.used / self.available if self.available else float(self.used > 0)

    @property
    def fits(self) -> bool:
        return self.used <= self.available


@dataclass(frozen=True)
class Usage:
    """All resources of a design on a device."""

    resources: tuple[Resource, ...]

    @property
    def over(self) -> tuple[Resource, ...]:
        """Those that do not fit."""
        return tuple(one for one in self.resources if not one.fits)

    def of(self, name: str) -> Resource:
        return next(one for one in self.resources if one.name == name)


def usage_of(board: Board, utilization: Mapping[str, Mapping[str, int]], flipflops: int) -> Usage:
    """From nextpnr's counts after packing.

    Args:
        utilization: Of its report.
        flipflops: Of the netlist; in iCE40 each has its place in a logic cell.
    """
    capacity = board.capacity
    available = {
        "LUT4": capacity.lut4,
        "flip-flops": capacity.flipflops,
        "block memories": capacity.block_memories,
        "multipliers": capacity.multipliers,
    }
    bels = BELS[board.family]
    used = {name: utilization[bel]["used"] for name, bel in bels.items()}
    used.setdefault("flip-flops", flipflops)
    return Usage(tuple(Resource(name, used[name], available[name]) for name in RESOURCES))
