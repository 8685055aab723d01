# SPDX-License-Identifier: Apache-2.0
"""A frozen network as a design for a board: what was chosen, and what Amaranth makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError
from scaledrop.form import Form
from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import NetworkMapping
from scaledrop_flow.fpga.boards import Board
from scaledrop_flow.fpga.clock import find_pll
from scaledrop_flow.fpga.plan import Plan, make_plan
from scaledrop_flow.fpga.top import BoardTop
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.demonstrator import Demonstrator
from scaledrop_hw.system import System

__all__ = ["FpgaChoices", "clock_of", "demonstrator_of", "plan_of"]

DEPTHS = {Form.FULL: 16, Form.SMALL: 4}
"""Commands that the walk may be ahead of the crossbar."""


@dataclass(frozen=True)
class FpgaChoices:
    """What a design is built with.

    Attributes:
        array: Of the crossbar.
        datapath: ``reference`` or ``folded``.
        form: ``full``, or ``small``: inference and no more.
        convolution: As :class:`NetworkMapping` takes it.
        max_passes: Largest T of the hardware.
        source: ``lfsr`` or ``ring``: what stands in for the magnetic device.
        seed: Of the LFSR.
        clock_hz: Of the design.
        baud: Of the serial link, bit/s.
    """

    array: ArrayShape
    datapath: str
    form: str
    clock_hz: int
    baud: int
    convolution: str = "auto"
    max_passes: int = 255
    source: str = "lfsr"
    seed: int = 0


def clock_of(board: Board, mhz: float | None) -> int:
    """The clock of a design in Hz; ``mhz`` None takes the board's.

    Raises:
        UserError: the board cannot make it.
    """
    if mhz is None:
        return board.clock_hz
    hz = round(mhz * 1e6)
    if hz == board.oscillator_hz:
        return hz
    if board.family == "ice40":
        own = board.oscillator_hz / 1e6
        raise UserError(
            f"freq: {board.name} runs at the {own:g} MHz of its oscillator only, "
            f"not {mhz:g}; leave it out"
        )
    find_pll(board.oscillator_hz, hz)
    return hz


def demonstrator_of(network: FrozenNetwork, board: Board, choices: FpgaChoices) -> Any:
    """The demonstrator of a network; its ``system`` is the accelerator behind its buses.

    Raises:
        UserError: an impossible size.
    """
    form = Form.named(choices.form)
    accelerator = Accelerator(
        mapping=NetworkMapping(network, choices.array, choices.convolution),
        max_passes=choices.max_passes,
        depth=DEPTHS[form],
        datapath=choices.datapath,
        form=form,
    )
    pixel_bits = 8 if network.input_bits <= 8 else 16
    return Demonstrator(
        system=System(accelerator=accelerator, pixel_bits=pixel_bits),
        clock_hz=choices.clock_hz,
        baud=choices.baud,
        source=choices.source,
        seed=choices.seed,
        family=board.family,
    )


def plan_of(board: Board, demonstrator: Any, clock_hz: int, multipliers: bool = True) -> Plan:
    """The build of a demonstrator on a board; without ``multipliers`` these are made of tables.

    Raises:
        UserError: the package of boards is missing.
    """
    top = BoardTop(board, demonstrator, clock_hz)
    return make_plan(board, top, multipliers, loops=demonstrator.source == "ring")
