# SPDX-License-Identifier: Apache-2.0
"""What a person sees at the end of a run."""

from __future__ import annotations

from pathlib import Path

from scaledrop_flow.asic.power import Power
from scaledrop_flow.asic.result import AsicResult, advice, block_table
from scaledrop_flow.asic.timing import Timing
from scaledrop_flow.console import console

__all__ = ["show_asic"]


def _timing_line(timing: Timing) -> str:
    if timing.path_ns is None:
        return f"not told; {timing.note}"
    return (
        f"{timing.path_ns:.2f} ns ({timing.fmax_mhz:.1f} MHz), slack {timing.slack_ns:.2f} ns at "
        f"{timing.clock_ns:g} ns, from {timing.start} to {timing.end}, by {timing.tool}"
    )


def _power_line(power: Power) -> str:
    return (
        f"{1e3 * power.total_w:.4g} mW at {power.clock_ns:g} ns over {power.images} images, of "
        f"which {1e6 * power.leakage_w:.3g} uW leak; black boxes excluded"
    )


def _checked_line(power: Power) -> str:
    return (
        f"{power.signals:,} outputs of the netlist and inputs of black boxes at {power.cycles:,} "
        "edges against the RTL, 0 mismatches"
    )


def show_asic(result: AsicResult, out: Path) -> None:
    """Print area by block, the worst path, power, black boxes, and what was not done."""
    lines = [
        block_table(result.rows),
        f"cells       {result.cells:,}, {result.flipflops:,} flip-flops, "
        f"{result.area_um2:,.0f} um2 on {result.library.name}",
        f"worst path  {_timing_line(result.timing)}",
    ]
    if result.power is not None:
        lines.append(f"power       {_power_line(result.power)}")
        lines.append(f"checked     {_checked_line(result.power)}")
    boxes = (f"{len(box['instances'])} x {box['module']}" for box in result.boxes)
    lines.append(f"black boxes {', '.join(boxes)}")
    if result.verified is not None:
        told = result.verified
        lines.append(
            f"verified    {told['compared']:,} values of {told['images']} images on the netlist, "
            f"{told['mismatches']} mismatches"
        )
    lines += [f"skipped     {why}" for why in result.skips]
    missed = advice(result.timing)
    if missed:
        lines.append(f"not met     {missed}")
    lines.append(f"hand-off    {out}")
    for line in lines:
        console.print(line, markup=False)
