# SPDX-License-Identifier: Apache-2.0
"""What stands there whether or not it works: instances, their area, and what they leak.

The cells of the array hold their weights without a supply and do not leak; its drivers and
converters are off between uses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scaledrop.energy.band import Band
from scaledrop.energy.rules import DEVICES_PER_CELL
from scaledrop.energy.sizes import Sizes
from scaledrop.energy.table import TechnologyTable

__all__ = ["STANDING", "Standing", "area_of", "leakage_of"]


@dataclass(frozen=True)
class Standing:
    """``units(sizes, tiles)`` bits or devices of area row ``row``, and of the leakage row of that
    name unless it is off."""

    component: str
    row: str
    units: Callable[[Sizes, int], float]
    leaks: bool = True


def _memory(name: str) -> Callable[[Sizes, int], float]:
    return lambda z, _: 8 * getattr(z.memories, name)


STANDING = (
    Standing(
        "crossbar cells", "cell", lambda z, n: n * z.rows * z.columns * DEVICES_PER_CELL, False
    ),
    Standing(
        *(
            "row drivers",
            "row_driver",
            lambda z, n: n * z.rows * z.columns * DEVICES_PER_CELL,
            False,
        )
    ),
    # One tile is active at a time, so that the tiles share one row of converters.
    Standing("column converters", "adc", lambda z, _: z.columns, False),
    Standing("accumulator adders", "adder", lambda z, _: z.columns * z.sum_width),
    Standing("accumulator registers", "register", lambda z, _: 2 * z.columns * z.sum_width),
    Standing("scale memory", "sram", _memory("scales")),
    Standing(
        "scale multipliers",
        "multiplier",
        lambda z, _: 0 if z.folded else z.lanes * z.sum_width * z.scale_bits,
    ),
    Standing("threshold comparators", "comparator", lambda z, _: z.lanes * z.scaled_width),
    Standing("threshold memory", "sram", _memory("thresholds")),
    Standing("head multipliers", "multiplier", lambda z, _: z.gain_bits * z.scaled_width),
    Standing("head adders", "adder", lambda z, _: z.logit_width),
    Standing("head memory", "sram", _memory("head")),
    Standing("activation buffer", "sram", _memory("activations")),
    Standing("window buffers", "sram", _memory("windows")),
    Standing("stream buffer", "sram", _memory("streams")),
    Standing("stream gains", "sram", _memory("affine")),
    Standing("pool buffer", "sram", _memory("pools")),
    Standing("image buffer", "sram", _memory("images")),
    Standing("pass accumulator", "multiplier", lambda z, _: z.logit_width**2),
    Standing("pass accumulator", "adder", lambda z, _: z.total_width + z.squares_width),
    Standing("stage registers", "register", lambda z, _: z.stage_bits(z.columns)),
    Standing("window registers", "register", lambda z, _: 2 * z.window_bits),
    Standing("controller", "control", lambda z, _: z.control_bits),
    Standing("spin unit", "spin_unit", lambda _z, _: 1, False),
)
"""Every instance, in the order of the datapath."""


def area_of(one: Standing, sizes: Sizes, tiles: int, table: TechnologyTable) -> Band:
    """Square micrometres.

    Args:
        sizes: Of the widest layer.
        tiles: Crossbars.

    Raises:
        UserError: the table has no area of it.
    """
    row = table.area(one.row)
    return row.band * (one.units(sizes, tiles) / row.width)


def leakage_of(one: Standing, sizes: Sizes, tiles: int, table: TechnologyTable) -> Band:
    """Watts; see :func:`area_of`.

    Raises:
        UserError: the table has no leakage of it.
    """
    if not one.leaks:
        return Band(0.0, 0.0, 0.0)
    row = table.leak(one.row)
    return row.band * (one.units(sizes, tiles) / row.width)
