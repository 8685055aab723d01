# SPDX-License-Identifier: Apache-2.0
"""What a run for a chip is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape

__all__ = ["CROSSBARS", "TOP", "AsicChoices"]

TOP = "scaledrop"
CROSSBARS = ("macro", "digital")
MEMORY_BITS = 1024
CLOCK_NS = 20.0


@dataclass(frozen=True)
class AsicChoices:
    """The accelerator, what of it is taken from elsewhere, and the clock.

    Attributes:
        array: Of the crossbar.
        datapath, convolution, max_passes: See :func:`scaledrop_flow.steps.generate.generate`.
        crossbar: ``macro``: a black box; ``digital``: cells, with the weights as a memory.
        memory_bits: Memories of more bits are black boxes, as are all with contents.
        clock_ns: Period that is asked for, in ns.
        dont_use: Patterns of cells that the mapper leaves alone.

    Raises:
        UserError: a value that is not known or out of range.
    """

    array: ArrayShape = field(default_factory=ArrayShape)
    datapath: str = "reference"
    convolution: str = "auto"
    max_passes: int = 255
    crossbar: str = "macro"
    memory_bits: int = MEMORY_BITS
    clock_ns: float = CLOCK_NS
    dont_use: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.crossbar not in CROSSBARS:
            raise UserError(f"crossbar: must be macro or digital, not {self.crossbar!r}")
        if self.memory_bits < 0:
            raise UserError(f"memory_bits: must be 0 or more, not {self.memory_bits}")
        if not 0 < self.clock_ns < 1e6:
            raise UserError(f"clock_ns: must be a period in ns above 0, not {self.clock_ns:g}")
        for pattern in self.dont_use:
            if not pattern or set(pattern) & set(" \t\n;#\"'"):
                raise UserError(f"dont_use: {pattern!r} is no cell's name; * stands for any part")
