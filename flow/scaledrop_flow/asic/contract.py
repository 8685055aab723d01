# SPDX-License-Identifier: Apache-2.0
"""What a crossbar macro must do at its ports: as data, and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scaledrop.mapping import NetworkMapping
from scaledrop_hw.black_box import CROSSBAR
from scaledrop_hw.crossbar import CrossbarTile

__all__ = ["contract", "contract_text"]

MEANINGS = {
    "clk": "Clock; everything happens at its rising edge.",
    "rst": "Synchronous reset, high. It may be ignored: no result depends on it.",
    "enable": "The pipeline advances. When low, nothing changes and the outputs hold.",
    "start": "An activation begins in this cycle. Without it no row is driven.",
    "tile": "Which array of weights.",
    "drive": "Row r takes part in this activation.",
    "sign": "Sign of row r: 1 is +1, 0 is -1.",
    "partials": "Sum of every column, two's complement, column 0 in the lowest bits.",
    "driven": "Number of driven rows.",
    "host__select": "The weights are the host's; no activation runs while it is high.",
    "host__write": "The host writes `host__data` to part `host__part` of tile `host__address`.",
    "host__read": "The host reads that part.",
    "host__address": "Tile.",
    "host__part": "Bits 32 p to 32 p + 31 of the tile's weights; bits above them read as 0.",
    "host__data": "Weights to write.",
    "host__word": "The part that was read, one cycle after `host__read`; holds.",
}


def contract(ports: Sequence[Mapping[str, Any]], mapping: NetworkMapping) -> dict[str, Any]:
    """Ports, sizes and timing of the crossbar.

    Args:
        ports: Name, direction and width of each, as :class:`scaledrop_hw.black_box.BlackBox` has
            them.
    """
    array = mapping.array
    return {
        "module": CROSSBAR,
        "rows": array.rows,
        "columns": array.columns,
        "tiles": mapping.end.tile,
        "partial_bits": array.rows.bit_length() + 1,
        "latency_enabled_cycles": CrossbarTile.LATENCY,
        "activations_per_enabled_cycle": 1,
        "weight_bit": "column * rows + row; 1 is +1, 0 is -1",
        "partial": "sum over driven rows r of +1 where sign[r] == weight[r, c], else -1",
        "ports": [{**port, "meaning": MEANINGS[port["name"]]} for port in ports],
    }


def contract_text(told: Mapping[str, Any]) -> str:
    """The same as a page of Markdown."""
    rows = [
        f"| `{port['name']}` | {port['direction']} | {port['width']} | {port['meaning']} |"
        for port in told["ports"]
    ]
    latency = told["latency_enabled_cycles"]
    return "\n".join(
        (
            f"# Port contract of `{told['module']}`",
            "",
            f"{told['tiles']} arrays of {told['rows']} rows x {told['columns']} columns of +-1",
            "cells behind one port. For every column c of the array `tile`:",
            "",
            "    partials[c] = sum over driven rows r of (sign[r] == weight[r, c] ? +1 : -1)",
            "",
            f"A partial is a signed number of {told['partial_bits']} bits, exact: a macro with",
            "converters that clip or round needs an array with the same converter in the frozen",
            "network's mapping, or results differ from the model.",
            "",
            "| port | direction | bits | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
            "## Timing",
            "",
            f"- `partials` and `driven` belong to the `start` of {latency} enabled cycles before:",
            "  an enabled cycle is a rising edge of `clk` at which `enable` is high.",
            "- One activation each enabled cycle, so that several are on their way at a time.",
            "- A cycle without `start` counts as one with no driven row.",
            "- While `enable` is low the outputs hold and nothing is lost, at any moment.",
            "- Nothing needs a reset: what is on its way at a reset is not looked at.",
            "- `host__select` is high only while the accelerator is idle. Read latency 1.",
            "",
            "## Body to simulate with",
            "",
            f"`behavioural/{told['module']}.v` is the digital tile under the same name, with the",
            "frozen network's weights as contents after power-up. A macro has none then: a host",
            "loads it through the `host__` ports.",
            "",
        )
    )
