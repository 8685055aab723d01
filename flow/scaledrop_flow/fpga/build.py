# SPDX-License-Identifier: Apache-2.0
"""From a frozen network to a bitstream: every step, and what is left of it in a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop_flow.fpga.blocks import BlockUse, block_uses
from scaledrop_flow.fpga.plan import NAME, Plan
from scaledrop_flow.fpga.route import Routes, make_bitstream, pack, route_all, synthesize
from scaledrop_flow.fpga.usage import Usage, usage_of

__all__ = ["Listener", "Made", "Mapped", "implement", "map_plan"]


class Listener:
    """Told of the steps as they come; does nothing."""

    def step(self, text: str) -> None:
        """A step begins."""

    def done(self, text: str) -> None:
        """What a step found."""

    def mapped(self, mapped: Mapped) -> None:
        """The design is mapped and packed."""


@dataclass(frozen=True)
class Mapped:
    """A design after synthesis and packing.

    Attributes:
        plan: With the device's multipliers, if these suffice, else with tables.
        usage: Of the device.
        blocks: The largest first.
        cells: By type.
    """

    plan: Plan
    usage: Usage
    blocks: Sequence[BlockUse]
    cells: dict[str, int]


@dataclass(frozen=True)
class Made:
    """A finished build; ``bitstream`` is None if no seed closed timing."""

    mapped: Mapped
    routes: Routes
    bitstream: bytes | None


def _map(plan: Plan, folder: Path) -> Mapped:
    counts = synthesize(plan, folder)
    usage = usage_of(plan.board, pack(plan, folder), counts.flipflops)
    blocks = block_uses((folder / f"{NAME}.json").read_text(), NAME)
    return Mapped(plan, usage, blocks, dict(sorted(counts.cells.items())))


def map_plan(plan: Callable[[bool], Plan], folder: Path, listener: Listener) -> Mapped:
    """Map a design; once more without the device's multipliers if there are too few of these."""
    listener.step("synthesis")
    mapped = _map(plan(True), folder)
    multipliers = mapped.usage.of("multipliers")
    if not multipliers.fits:
        text = f"{multipliers.used} multipliers, {multipliers.available} there"
        listener.step(f"synthesis again, multipliers of tables ({text})")
        mapped = _map(plan(False), folder)
    listener.mapped(mapped)
    return mapped


def implement(
    mapped: Mapped, folder: Path, seeds: Sequence[int], target_mhz: float, listener: Listener
) -> Made:
    """Place and route a mapped design, and make the bitstream of the fastest seed."""
    plan = mapped.plan
    listener.step(f"place and route, seeds {', '.join(map(str, seeds))}")
    routes, configured = route_all(
        plan,
        folder,
        seeds,
        target_mhz,
        lambda one: listener.done(f"seed {one.seed}: {one.mhz:.2f} MHz"),
    )
    if not routes.closed:
        return Made(mapped, routes, None)
    listener.step("bitstream")
    return Made(mapped, routes, make_bitstream(plan, folder, configured))
