# SPDX-License-Identifier: Apache-2.0
"""result.json of a build: what was built, what it takes, how fast it is, with which tools."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop_flow.fpga.boards import Board
from scaledrop_flow.fpga.build import Mapped
from scaledrop_flow.fpga.design import FpgaChoices
from scaledrop_flow.fpga.plan import tools_of
from scaledrop_flow.fpga.route import Routes
from scaledrop_flow.synthesis.tools import tool_version

__all__ = ["STAND_IN", "as_text", "described", "timing_json", "usage_json"]

STAND_IN = {
    "lfsr": "a linear feedback shift register: pseudo-random bits, the same after every restart",
    "ring": "ring oscillators: jitter whose entropy was not measured",
}
"""What makes the bits in the place of the magnetic device, which no FPGA has."""


def described(network: FrozenNetwork, board: Board, choices: FpgaChoices) -> dict[str, Any]:
    """What was asked for."""
    array = choices.array
    return {
        "board": board.name,
        "device": board.device,
        "network": network.name,
        "model_sha256": digest(network),
        "parameters": {
            "rows": array.rows,
            "columns": array.columns,
            "lanes": array.lanes,
            "datapath": choices.datapath,
            "form": choices.form,
            "convolution": choices.convolution,
            "max_passes": choices.max_passes,
        },
        "bit_source": {
            "name": choices.source,
            "seed": choices.seed if choices.source == "lfsr" else None,
            "note": f"stands in for the magnetic device: {STAND_IN[choices.source]}",
        },
        "clock": {
            "oscillator_mhz": board.oscillator_hz / 1e6,
            "target_mhz": choices.clock_hz / 1e6,
            "pll": choices.clock_hz != board.oscillator_hz,
        },
        "baud": choices.baud,
    }


def usage_json(mapped: Mapped) -> dict[str, Any]:
    """Utilisation, by block and by type of cell."""
    return {
        "fits": not mapped.usage.over,
        "utilisation": {
            one.name: {
                "used": one.used,
                "available": one.available,
                "fraction": round(one.fraction, 4),
            }
            for one in mapped.usage.resources
        },
        "capacity_source": mapped.plan.board.capacity.source,
        "blocks": [
            {
                "name": use.name,
                "lut4": use.lut4,
                "flipflops": use.flipflops,
                "block_memories": use.block_memories,
                "multipliers": use.multipliers,
            }
            for use in mapped.blocks
        ],
        "cells": mapped.cells,
        "tools": [tool_version(tool) for tool in tools_of(mapped.plan.board)],
    }


def timing_json(routes: Routes) -> dict[str, Any]:
    """What every seed reached, and the slowest path of each, in ns."""
    return {
        "closed": routes.closed,
        "target_mhz": routes.target_mhz,
        "fmax_mhz": routes.best.mhz,
        "median_mhz": routes.median,
        "spread_mhz": round(routes.spread, 3),
        "best_seed": routes.best.seed,
        "seeds": [
            {"seed": one.seed, "mhz": one.mhz, "slowest_path": dataclasses.asdict(one.path)}
            for one in routes.seeds
        ],
    }


def bitstream_json(name: str, data: bytes) -> dict[str, Any]:
    return {"file": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def as_text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2) + "\n"
