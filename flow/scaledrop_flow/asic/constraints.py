# SPDX-License-Identifier: Apache-2.0
"""Constraints for layout: the clock, and what ports have outside of the chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["OUTSIDE", "UNCERTAINTY", "constraints"]

OUTSIDE = 0.2
"""Share of a period that inputs and outputs have outside."""

UNCERTAINTY = 0.02
"""Share of a period that the clock may be early or late."""

UNITS = {1e-9: "ns", 1e-12: "ps"}


def constraints(ports: Sequence[Mapping[str, Any]], clock_ns: float, time_unit_s: float) -> str:
    """The text of an SDC file.

    Args:
        ports: Of the accelerator, as its sidecar has them.
        time_unit_s: Of the library, in seconds, which is the unit of the numbers.
    """
    period = clock_ns * 1e-9 / time_unit_s
    unit = UNITS.get(time_unit_s, f"{time_unit_s:g} s")
    sides = {
        way: " ".join(one["name"] for one in ports if one["direction"] == way)
        for way in ("in", "out")
    }
    inputs = " ".join(name for name in sides["in"].split() if name != "clk")
    delay = f"{OUTSIDE * period:.6g}"
    return "\n".join(
        (
            f"# The unit of time is the library's: {unit}.",
            f"create_clock -name clk -period {period:.6g} [get_ports clk]",
            f"set_clock_uncertainty {UNCERTAINTY * period:.6g} [get_clocks clk]",
            "# The reset is synchronous and timed as an input: all registers leave it at once.",
            f"set_input_delay {delay} -clock clk [get_ports {{{inputs}}}]",
            f"set_output_delay {delay} -clock clk [get_ports {{{sides['out']}}}]",
            "",
        )
    )
