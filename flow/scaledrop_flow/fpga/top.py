# SPDX-License-Identifier: Apache-2.0
"""The top of a design: the demonstrator at the pins of a board."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Elaboratable, Module

from scaledrop_flow.fpga.boards import Board
from scaledrop_flow.fpga.clock import Ecp5Clock, find_pll

__all__ = ["BoardTop"]


class BoardTop(Elaboratable):  # type: ignore[misc]
    """The demonstrator with the serial link, two lights and the clock of a board.

    Parameters
    ----------
    board : Board
    demonstrator : Elaboratable
        With members ``rx``, ``tx``, ``busy``, ``fault``.
    clock_hz : int
        Of the domain ``sync``, the whole design.

    Raises
    ------
    UserError
        The board cannot make that clock.
    """

    def __init__(self, board: Board, demonstrator: Any, clock_hz: int) -> None:
        self.board, self.demonstrator = board, demonstrator
        self.pll = None
        if clock_hz != board.oscillator_hz:
            self.pll = find_pll(board.oscillator_hz, clock_hz)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        board = self.board
        if board.family == "ecp5":
            m.submodules.clock = Ecp5Clock(self.pll, board.button)
        m.submodules.demonstrator = core = self.demonstrator
        uart = platform.request("uart", 0)
        m.d.comb += [core.rx.eq(uart.rx.i), uart.tx.o.eq(core.tx)]
        lights: dict[tuple[str, int], Any] = {}
        for led, shown in ((board.busy, core.busy), (board.fault, core.fault)):
            key = (led.resource, led.number)
            if key not in lights:
                lights[key] = platform.request(*key)
            light = getattr(lights[key], led.colour) if led.colour else lights[key]
            m.d.comb += light.o.eq(shown)
        return m
