# SPDX-License-Identifier: Apache-2.0
"""The boards by name: their device, what it holds, its clock, its serial link."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError

__all__ = ["BOARDS", "Board", "Capacity", "Led", "named_board"]


@dataclass(frozen=True)
class Capacity:
    """What a device holds.

    Attributes:
        lut4: Tables of four inputs; in iCE40 logic cells, each a table and a flip-flop.
        flipflops: Flip-flops.
        block_memories: Of 18 Kbit (ECP5) or 4 Kbit (iCE40).
        multipliers: Of 18 x 18 bits (ECP5) or 16 x 16 (iCE40).
        source: Where the figures are from.
    """

    lut4: int
    flipflops: int
    block_memories: int
    multipliers: int
    source: str


@dataclass(frozen=True)
class Led:
    """A light: its resource, number, what people call it, its member if it has several colours."""

    resource: str
    number: int
    text: str
    colour: str = ""


DEFAULT_ARRAY = ArrayShape(64, 16)


@dataclass(frozen=True)
class Board:
    """A board and what it is built with if nothing else is said.

    Attributes:
        name: As ``--board`` takes it.
        title: As people call it.
        module, platform: Of amaranth_boards.
        family: ``ecp5`` or ``ice40``.
        device: Part number.
        capacity: Of the device.
        oscillator_hz: On the board.
        clock_hz: Of the design, if not said.
        serial: How a host reaches the serial link.
        uart: (rx, tx) on (connector, number), where the board has no serial chip.
        baud: Of the link, in bit/s.
        busy, fault: Lights.
        button: Resource that restarts the design; empty for none.
        array, datapath, form, max_passes: Of the accelerator that fits.
        store: Command that stores a bitstream in the flash.
        load: Command that loads one until power goes; empty where there is none.
    """

    name: str
    title: str
    module: str
    platform: str
    family: str
    device: str
    capacity: Capacity
    oscillator_hz: int
    clock_hz: int
    serial: str
    baud: int
    busy: Led
    fault: Led
    store: str
    load: str = ""
    uart: tuple[str, str, tuple[str, int]] | None = None
    button: str = ""
    array: ArrayShape = DEFAULT_ARRAY
    datapath: str = "folded"
    form: str = "full"
    max_passes: int = 255

    def make_platform(self) -> Any:
        """A fresh platform of Amaranth with the resource ``uart`` 0.

        Raises:
            UserError: the package of boards is missing.
        """
        try:
            module = importlib.import_module(f"amaranth_boards.{self.module}")
        except ImportError:
            raise UserError("amaranth-boards: not found; pip install amaranth-boards") from None
        platform = getattr(module, self.platform)()
        if self.uart is not None:
            from amaranth.build import Attrs
            from amaranth_boards.resources import UARTResource

            rx, tx, connector = self.uart
            level = Attrs(IO_TYPE="LVCMOS33")
            platform.add_resources([UARTResource(0, rx=rx, tx=tx, conn=connector, attrs=level)])
        return platform


ECP5 = "Lattice ECP5 family data sheet, FPGA-DS-02012, table 1.1; tables as nextpnr counts them"
UP5K = "Lattice iCE40 UltraPlus family data sheet, FPGA-DS-02008, table 1.1"

ECP5_25F = Capacity(24_288, 24_288, 56, 28, ECP5)
ECP5_85F = Capacity(83_640, 83_640, 208, 156, ECP5)
ICE40_UP5K = Capacity(5_280, 5_280, 30, 8, UP5K)

_ALL = (
    Board(
        name="ulx3s",
        title="ULX3S 85F",
        module="ulx3s",
        platform="ULX3S_85F_Platform",
        family="ecp5",
        device="LFE5U-85F-6BG381C",
        capacity=ECP5_85F,
        oscillator_hz=25_000_000,
        clock_hz=25_000_000,
        serial="the USB connector US1 (FT231X)",
        baud=1_000_000,
        busy=Led("led", 0, "light 0"),
        fault=Led("led", 1, "light 1"),
        button="button_fire",
        load="openFPGALoader -b ulx3s {file}",
        store="openFPGALoader -b ulx3s -f {file}",
    ),
    Board(
        name="orangecrab",
        title="OrangeCrab r0.2, 25F",
        module="orangecrab_r0_2",
        platform="OrangeCrabR0_2_25FPlatform",
        family="ecp5",
        device="LFE5U-25F-8MG285C",
        capacity=ECP5_25F,
        oscillator_hz=48_000_000,
        clock_hz=24_000_000,
        serial="a 3.3 V USB-serial adapter at the header: its TX on pin 0, its RX on pin 1, ground",
        baud=1_000_000,
        busy=Led("rgb_led", 0, "the green light", "g"),
        fault=Led("rgb_led", 0, "the red light", "r"),
        button="button",
        array=ArrayShape(32, 8),
        uart=("0", "1", ("io", 0)),
        store=(
            "dfu-suffix -v 1209 -p 5af0 -a {file} && dfu-util -a 0 -D {file}, "
            "the button held while the board is plugged in"
        ),
    ),
    Board(
        name="icebreaker",
        title="iCEBreaker",
        module="icebreaker",
        platform="ICEBreakerPlatform",
        family="ice40",
        device="iCE40UP5K-SG48",
        capacity=ICE40_UP5K,
        oscillator_hz=12_000_000,
        clock_hz=12_000_000,
        serial="the USB connector (FT2232H, second channel)",
        baud=1_000_000,
        busy=Led("led_g", 0, "the green light"),
        fault=Led("led_r", 0, "the red light"),
        array=ArrayShape(16, 2, lanes=1),
        form="small",
        max_passes=31,
        store="openFPGALoader -b ice40_generic {file}, or iceprog {file}",
    ),
)

BOARDS: Mapping[str, Board] = MappingProxyType({board.name: board for board in _ALL})
"""Every board, by name."""


def named_board(name: str) -> Board:
    """A board of :data:`BOARDS`.

    Raises:
        UserError: the name is unknown.
    """
    if name not in BOARDS:
        close = difflib.get_close_matches(name, BOARDS, 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise UserError(f"board: {name!r} is not known; choose one of {', '.join(BOARDS)}{hint}")
    return BOARDS[name]
