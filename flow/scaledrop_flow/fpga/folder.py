# SPDX-License-Identifier: Apache-2.0
"""The folder of a build: Verilog, constraints, descriptions, how to load and talk to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scaledrop.atomic import write_atomically
from scaledrop.frozen_file import save
from scaledrop_flow.fpga.boards import Board
from scaledrop_flow.fpga.design import FpgaChoices
from scaledrop_flow.fpga.plan import Plan
from scaledrop_flow.fpga.result import STAND_IN
from scaledrop_hw.demonstrator_export import demonstrator_sidecar
from scaledrop_hw.export import as_text, verilog_text
from scaledrop_hw.system_export import memory_contents

__all__ = ["DEMONSTRATOR", "bitstream_name", "clear", "readme", "write_sources"]

DEMONSTRATOR = "scaledrop_demonstrator"
FROZEN = "network.sdnet"

_README = """\
{title}: {network} behind a serial line

{bitstream} was made from the files beside it; result.json says how, with which tools, how fast
and how full the device ({device}) is.

{load}Store in the flash:     {store}

Serial line: {serial}; {baud} baud, 8 data bits, no parity, 1 stop bit.
Talk to it:  scaledrop board --port /dev/ttyUSB0 --sidecar {demonstrator}.json --model {frozen}
             (of several ports take the one that the serial chip made)

While an image is held {busy} is on, when something is wrong {fault}.
{button}
The random bits are NOT those of a magnetic device, which no FPGA has. In its place stands
{stand_in}.

{files}
"""


def bitstream_name(board: Board, plan: Plan) -> str:
    return board.name + Path(plan.bitstream).suffix


def _constraints_name(board: Board, plan: Plan) -> str:
    return board.name + Path(plan.constraints).suffix


def clear(folder: Path, board: Board, plan: Plan) -> None:
    """Remove what an earlier build left: a result that is no longer true."""
    for name in (bitstream_name(board, plan), "result.json", "README.txt"):
        (folder / name).unlink(missing_ok=True)


def write_sources(folder: Path, board: Board, plan: Plan, demonstrator: Any) -> None:
    """Leave what a build is made from; the same choices give the same bytes.

    Raises:
        UserError: the folder cannot be written.
    """
    text = verilog_text(demonstrator, DEMONSTRATOR)
    files = {
        f"{board.name}.v": plan.verilog,
        _constraints_name(board, plan): plan.files[plan.constraints],
        f"{DEMONSTRATOR}.v": text,
        f"{DEMONSTRATOR}.json": as_text(demonstrator_sidecar(demonstrator, DEMONSTRATOR, text)),
    }
    if demonstrator.system.sizes.memories:
        contents = memory_contents(demonstrator.system.accelerator).as_json()
        loaded = json.dumps(contents, separators=(",", ":")) + "\n"
        files[f"{DEMONSTRATOR}_contents.json"] = loaded
    for name, content in files.items():
        write_atomically(folder / name, content.encode())
    save(demonstrator.system.accelerator.mapping.network, folder / FROZEN)


def readme(board: Board, plan: Plan, network: str, choices: FpgaChoices) -> str:
    """README.txt of a build with a bitstream."""
    name = bitstream_name(board, plan)
    load = f"Load until power goes:  {board.load}\n" if board.load else ""
    files = {
        f"{board.name}.v": "the whole design with the pins of the board",
        _constraints_name(board, plan): "pins and clocks",
        f"{DEMONSTRATOR}.v": "the design without pins",
        f"{DEMONSTRATOR}.json": "what a host has to know of it",
        FROZEN: "the frozen network",
    }
    button = f"The button ({board.button}) restarts the design.\n" if board.button else ""
    return _README.format(
        title=board.title,
        network=network,
        bitstream=name,
        device=board.device,
        load=load.format(file=name),
        store=board.store.format(file=name),
        serial=board.serial,
        baud=f"{choices.baud:,}",
        demonstrator=DEMONSTRATOR,
        frozen=FROZEN,
        busy=board.busy.text,
        fault=board.fault.text,
        button=button,
        stand_in=STAND_IN[choices.source],
        files="\n".join(f"{file:<28}  {text}" for file, text in files.items()),
    )
