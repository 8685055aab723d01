# SPDX-License-Identifier: Apache-2.0
"""Which event spends which energy, and how that energy grows with the widths of the datapath.

Scaling laws, all relative to the width a table row is given for: adders, registers, comparators
and memory words are linear in their width, multipliers go with the product of their operands'
widths, word lines with the devices on them. A weight is a differential pair, so a crossbar cell is
two devices. Conversions take the row of the lossless converter, whose bits follow from the coding
of the layer's input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from scaledrop.energy.table import Row, TechnologyTable
from scaledrop.errors import UserError
from scaledrop.events import Event, GraphEvent

__all__ = [
    "DEVICES_PER_CELL",
    "EVENTS",
    "GRAPH_EVENTS",
    "RULES",
    "Rule",
    "Sizes",
    "adc_bits",
    "row_of",
]

DEVICES_PER_CELL = 2
"""A +-1 weight is two devices, one on each line of a differential pair."""

EVENTS = tuple(str(event) for event in Event)
"""Events a layer must report. Cycles and activations carry no energy of their own."""

GRAPH_EVENTS = tuple(str(event) for event in GraphEvent)
"""Events that layers of networks with streams or sum pools report as well; they have no rule yet."""


@dataclass(frozen=True)
class Sizes:
    """Widths of the datapath, in bits unless said.

    Attributes:
        rows, columns: Cells of one array, counted.
        lanes: Channels that leave the array together, counted.
        scale_bits: One scale.
        sum_width: The accumulator.
        scaled_width: The scaled sum.
        logit_width: One logit.
        gain_bits: The head's gain.
        bit_planes: The input is applied bit by bit, so that rows may be undriven and a column sum
            takes any of ``2 * rows + 1`` values; otherwise every row in use is driven.

    Raises:
        UserError: a size is not an integer of 1 or more.
    """

    rows: int
    columns: int
    lanes: int
    scale_bits: int
    sum_width: int
    scaled_width: int
    logit_width: int
    gain_bits: int
    bit_planes: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name == "bit_planes":
                continue
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UserError(f"{field.name}: must be an integer of 1 or more, not {value!r}")


def adc_bits(rows: int, bit_planes: bool = False) -> int:
    """Bits of the converter that tells all sums of a column apart; 4 at least.

    There are ``rows + 1`` sums when every row is driven with +-1 and ``2 * rows + 1`` when rows may
    be undriven. Four bits are the least that the converter figures are valid for; fewer cost about
    as much.
    """
    highest = 2 * rows if bit_planes else rows
    return max(highest.bit_length(), 4)


@dataclass(frozen=True)
class Rule:
    """One component: at each ``event``, ``units(sizes)`` bits or devices of table row ``row``."""

    name: str
    event: str
    row: str
    units: Callable[[Sizes], int]


RULES = (
    Rule("crossbar cells", "row_drives", "cell_read", lambda z: DEVICES_PER_CELL * z.columns),
    Rule("row drivers", "row_drives", "row_driver", lambda z: DEVICES_PER_CELL * z.columns),
    Rule("column converters", "conversions", "adc", lambda z: adc_bits(z.rows, z.bit_planes)),
    Rule("accumulator adders", "additions", "adder", lambda z: z.sum_width),
    # Every partial sum is written; all but a sum's first find the one before it there.
    Rule("accumulator registers, writes", "conversions", "register", lambda z: z.sum_width),
    Rule("accumulator registers, reads", "additions", "register", lambda z: z.sum_width),
    Rule("scale memory", "scale_reads", "sram_read", lambda z: z.lanes * z.scale_bits),
    Rule("scale multipliers", "multiplies", "multiplier", lambda z: z.sum_width * z.scale_bits),
    Rule("threshold comparators", "comparisons", "comparator", lambda z: z.scaled_width),
    Rule(
        "threshold memory", "buffer_writes", "sram_read", lambda z: z.lanes * (z.scaled_width + 1)
    ),
    Rule("head multipliers", "logit_macs", "multiplier", lambda z: z.gain_bits * z.scaled_width),
    Rule("head adders", "logit_macs", "adder", lambda z: z.logit_width),
    # Every multiply-add takes its class's gain and offset.
    Rule("head memory", "logit_macs", "sram_read", lambda z: z.gain_bits + z.logit_width),
    Rule("activation buffer, reads", "buffer_reads", "sram_read", lambda z: z.rows),
    Rule("activation buffer, writes", "buffer_writes", "sram_write", lambda z: z.lanes),
    Rule("spin unit, reset", "spin_resets", "spin_reset", lambda _: 1),
    Rule("spin unit, write", "spin_writes", "spin_write", lambda _: 1),
    Rule("spin unit, read", "spin_reads", "spin_read", lambda _: 1),
)


def row_of(rule: Rule, sizes: Sizes, table: TechnologyTable) -> Row:
    """The table row that prices ``rule``.

    Raises:
        UserError: the table lacks it, or has no converter wide enough for ``sizes.rows``.
    """
    if rule.row != "adc":
        return table.row(rule.row)
    bits = adc_bits(sizes.rows, sizes.bit_planes)
    name = f"adc_{bits}b"
    known = [row.component for row in table.rows if row.component.startswith("adc_")]
    if name not in known:
        raise UserError(
            f"rows: {sizes.rows} rows need a lossless converter of {bits} bits and table "
            f"{table.name} has {', '.join(known) or 'none'}; use fewer rows or add {name}"
        )
    return table.row(name)
