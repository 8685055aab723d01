# SPDX-License-Identifier: Apache-2.0
"""The whole flow in one call, and what is said when a design is too large or too slow."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork
from scaledrop_flow.fpga.advice import Built, does_not_fit
from scaledrop_flow.fpga.boards import Board
from scaledrop_flow.fpga.build import Listener, implement, map_plan
from scaledrop_flow.fpga.clock import slower
from scaledrop_flow.fpga.design import FpgaChoices, demonstrator_of, plan_of
from scaledrop_flow.fpga.folder import bitstream_name, clear, readme, write_sources
from scaledrop_flow.fpga.plan import tools_of
from scaledrop_flow.fpga.result import as_text, bitstream_json, described, timing_json, usage_json
from scaledrop_flow.fpga.route import Routes
from scaledrop_flow.synthesis.tools import command_of

__all__ = ["make_fpga", "not_closed"]


def make_fpga(
    network: FrozenNetwork,
    board: Board,
    choices: FpgaChoices,
    seeds: Sequence[int],
    out: Path,
    listener: Listener,
) -> dict[str, Any]:
    """Make the bitstream of a network for a board; returns what ``result.json`` holds.

    Raises:
        UserError: a tool is missing; the design does not fit the device, or no seed closes timing.
            In both cases ``result.json`` is written before, and no bitstream is.
    """
    if not seeds:
        raise UserError("seeds: must be one or more, such as 1,2,3")
    for tool in tools_of(board):
        command_of(tool)
    began = time.monotonic()
    listener.step(f"{network.name} for {board.title}")
    demonstrator = demonstrator_of(network, board, choices)
    plan = plan_of(board, demonstrator, choices.clock_hz)
    clear(out, board, plan)
    write_sources(out, board, plan, demonstrator)
    result = described(network, board, choices)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        mapped = map_plan(
            lambda there: plan if there else plan_of(board, demonstrator, choices.clock_hz, False),
            folder,
            listener,
        )
        result |= usage_json(mapped)
        if mapped.usage.over:
            small = choices.form == "small"
            built = Built(board, network, choices.array, small, mapped.usage, mapped.blocks)
            raise _failed(out, result, does_not_fit(built))
        made = implement(mapped, folder, seeds, choices.clock_hz / 1e6, listener)
    result["timing"] = timing_json(made.routes)
    if made.bitstream is None:
        raise _failed(out, result, not_closed(board, made.routes, choices))
    name = bitstream_name(board, plan)
    result["bitstream"] = bitstream_json(name, made.bitstream)
    write_atomically(out / name, made.bitstream)
    write_atomically(out / "README.txt", readme(board, plan, network.name, choices).encode())
    return _written(out, {"ok": True, **result, "wall_s": round(time.monotonic() - began, 1)})


def _written(out: Path, result: dict[str, Any]) -> dict[str, Any]:
    write_atomically(out / "result.json", as_text(result).encode())
    return result


def _failed(out: Path, result: dict[str, Any], message: str) -> UserError:
    _written(out, {"ok": False, "message": message, **result})
    return UserError(message)


def not_closed(board: Board, routes: Routes, choices: FpgaChoices) -> str:
    """The message for a design that is too slow; names the ends of its slowest path."""
    best = routes.best
    seeds = ", ".join(str(one.seed) for one in routes.seeds)
    text = (
        f"freq: {routes.target_mhz:g} MHz not reached, {best.mhz:.2f} MHz at best (seeds {seeds}); "
        f"the slowest path takes {best.path.delay_ns:.1f} ns through {best.path.cells} cells, "
        f"from {best.path.start} to {best.path.end}; "
    )
    options = []
    slow = slower(board.oscillator_hz, best.mhz * 1e6) if board.family == "ecp5" else None
    if slow is not None:
        options.append(f"--freq {slow // 1_000_000}")
    if choices.datapath != "folded":
        options.append("--datapath folded")
    if choices.array.lanes > 1:
        options.append(f"--lanes {choices.array.lanes // 2}")
    if choices.array.columns > 1:
        options.append(f"--columns {choices.array.columns // 2}")
    return text + f"run with {' or '.join(options)}"
