# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a build: the steps, what the design takes, how fast it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.status import Status
from rich.table import Table

from scaledrop_flow.console import console
from scaledrop_flow.fpga.build import Listener, Mapped

__all__ = ["BuildPrinter", "show_build"]


class BuildPrinter(Listener):
    """Prints each step as it begins, with a spinner on a terminal.

    Used as a context manager.
    """

    def __init__(self) -> None:
        self.status = Status("", console=console)

    def __enter__(self) -> BuildPrinter:
        self.status.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.status.stop()

    def step(self, text: str) -> None:
        self.status.update(f"{text} ...")
        console.print(f"  {text} ...", markup=False)

    def done(self, text: str) -> None:
        console.print(f"    {text}", markup=False)

    def mapped(self, mapped: Mapped) -> None:
        for one in mapped.usage.resources:
            self.done(f"{one.name}: {one.used:,} of {one.available:,} ({one.fraction:.0%})")
        table = Table("block", "LUT4", "flip-flops", "block memories", "multipliers")
        for use in mapped.blocks:
            counts = (use.lut4, use.flipflops, use.block_memories, use.multipliers)
            table.add_row(use.name, *(f"{count:,}" for count in counts))
        console.print(table)


def show_build(result: Mapping[str, Any], out: Path) -> None:
    """Clock and bitstream of a finished build."""
    timing, stream = result["timing"], result["bitstream"]
    console.print(
        f"clock       {timing['fmax_mhz']:.2f} MHz reached, {timing['target_mhz']:g} MHz asked; "
        f"median {timing['median_mhz']:.2f}, best less worst {timing['spread_mhz']:.2f}"
    )
    best = next(one for one in timing["seeds"] if one["seed"] == timing["best_seed"])
    path = best["slowest_path"]
    console.print(f"slowest     from {path['start']} to {path['end']}", markup=False)
    console.print(f"bits        {result['bit_source']['note']}", markup=False)
    console.print(f"wrote {out / stream['file']} and {out / 'README.txt'}", markup=False)
