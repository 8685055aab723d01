# SPDX-License-Identifier: Apache-2.0
"""Which event spends which energy, and how that energy grows with the widths of the datapath.

Scaling laws, all relative to the width a table row is given for: adders, registers, comparators
and memory words are linear in their width, multipliers go with the product of their operands'
widths, word lines with the devices on them. A memory takes the row of its capacity. A weight is a
differential pair, so a crossbar cell is two devices. Conversions take the row of the converter's
bits, which follow from the coding of the layer's input unless the array names them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scaledrop.energy.rows import Row
from scaledrop.energy.sizes import Sizes
from scaledrop.energy.table import TechnologyTable
from scaledrop.errors import UserError
from scaledrop.events import Event, GraphEvent

__all__ = [
    "DEVICES_PER_CELL",
    "EVENTS",
    "GRAPH_EVENTS",
    "RULES",
    "Rule",
    "adc_bits",
    "row_of",
]

DEVICES_PER_CELL = 2
"""A +-1 weight is two devices, one on each line of a differential pair."""

EVENTS = tuple(str(event) for event in Event)
"""Events a layer must report."""

GRAPH_EVENTS = tuple(str(event) for event in GraphEvent)
"""Events that layers of networks with streams or sum pools report as well."""


def adc_bits(rows: int, bit_planes: bool = False) -> int:
    """Bits of the converter that tells all sums of a column apart; 4 at least.

    There are ``rows + 1`` sums when every row is driven with +-1 and ``2 * rows + 1`` when rows may
    be undriven. Four bits are the least that the converter figures are valid for; fewer cost about
    as much.
    """
    highest = 2 * rows if bit_planes else rows
    return max(highest.bit_length(), 4)


def _converter(sizes: Sizes) -> int:
    return sizes.converter_bits or adc_bits(sizes.live_rows, sizes.bit_planes)


@dataclass(frozen=True)
class Rule:
    """One action of one component: at each ``event``, ``units(sizes)`` bits or devices of table row
    ``row``, in a memory of ``capacity(sizes)`` bytes."""

    component: str
    action: str
    event: str
    row: str
    units: Callable[[Sizes], float]
    capacity: Callable[[Sizes], int] | None = None

    @property
    def name(self) -> str:
        """``"activation buffer, reads"``."""
        return f"{self.component}, {self.action}" if self.action else self.component


def _devices(sizes: Sizes) -> float:
    return DEVICES_PER_CELL * sizes.live_columns


def _line(sizes: Sizes) -> int:
    return DEVICES_PER_CELL * sizes.columns


def _threshold_bits(sizes: Sizes) -> float:
    """Of a word of thresholds, a share for each channel in use."""
    return (sizes.scaled_width + 1) * sizes.columns / (sizes.columns_used or sizes.columns)


def _class_bits(sizes: Sizes) -> int:
    return sizes.total_width + sizes.squares_width


RULES = (
    Rule("crossbar cells", "", "row_drives", "cell_read", _devices),
    Rule("row drivers", "", "row_drives", "row_driver", _line),
    Rule("column converters", "", "conversions", "adc", _converter),
    Rule("accumulator adders", "", "additions", "adder", lambda z: z.sum_width),
    # Every partial sum is written; all but a sum's first find the one before it there.
    Rule("accumulator registers", "writes", "conversions", "register", lambda z: z.sum_width),
    Rule("accumulator registers", "reads", "additions", "register", lambda z: z.sum_width),
    Rule(
        *("scale memory", "", "scale_reads", "sram_read"),
        lambda z: z.lanes * z.scale_bits,
        lambda z: z.memories.scales,
    ),
    Rule(
        *("scale multipliers", "", "multiplies", "multiplier"), lambda z: z.sum_width * z.scale_bits
    ),
    Rule("threshold comparators", "", "comparisons", "comparator", lambda z: z.scaled_width),
    Rule(
        *("threshold memory", "", "comparisons", "sram_read", _threshold_bits),
        lambda z: z.memories.thresholds,
    ),
    Rule(
        *("head multipliers", "", "logit_macs", "multiplier"),
        lambda z: z.gain_bits * z.scaled_width,
    ),
    Rule("head adders", "", "logit_macs", "adder", lambda z: z.logit_width),
    # Every multiply-add takes its class's gain and offset.
    Rule(
        *("head memory", "", "logit_macs", "sram_read"),
        lambda z: z.gain_bits + z.logit_width,
        lambda z: z.memories.head,
    ),
    Rule(
        *("activation buffer", "reads", "buffer_reads", "sram_read"),
        lambda z: z.column_bits or z.rows,
        lambda z: z.source_bytes,
    ),
    Rule(
        *("activation buffer", "writes", "buffer_writes", "sram_write"),
        lambda z: z.lanes,
        lambda z: z.target_bytes,
    ),
    # A column more, and every cell of the window moves by one.
    Rule("window registers", "", "buffer_reads", "register", lambda z: z.window_bits),
    Rule(
        *("image buffer", "", "pixels", "sram_write"),
        lambda z: z.pixel_bits,
        lambda z: z.memories.images or z.source_bytes,
    ),
    Rule("pass accumulator", "adders", "logit_macs", "adder", _class_bits),
    Rule("pass accumulator", "squares", "logit_macs", "multiplier", lambda z: z.logit_width**2),
    Rule("pass accumulator", "registers", "logit_macs", "register", lambda z: 2 * _class_bits(z)),
    Rule("verdict", "", "results", "comparator", lambda z: z.total_width),
    Rule(
        *("stream multipliers", "", "stream_macs", "multiplier"),
        lambda z: z.gain_bits * z.scaled_width,
    ),
    Rule("stream adders", "offsets", "stream_macs", "adder", lambda z: z.stream_bits),
    Rule(
        *("stream gains", "", "stream_macs", "sram_read"),
        lambda z: z.gain_bits + z.stream_bits,
        lambda z: z.memories.affine,
    ),
    Rule("stream adders", "residual", "stream_additions", "adder", lambda z: z.stream_bits),
    Rule(
        *("stream buffer", "reads", "stream_reads", "sram_read"),
        lambda z: z.lanes * z.stream_bits,
        lambda z: z.memories.streams,
    ),
    Rule(
        *("stream buffer", "writes", "stream_writes", "sram_write"),
        lambda z: z.lanes * z.stream_bits,
        lambda z: z.memories.streams,
    ),
    Rule("stream comparators", "", "quantisations", "comparator", lambda z: z.stream_bits),
    Rule("sum pool adders", "", "pool_additions", "adder", lambda z: z.pixel_bits),
    Rule("spin unit", "reset", "spin_resets", "spin_reset", lambda _: 1),
    Rule("spin unit", "write", "spin_writes", "spin_write", lambda _: 1),
    Rule("spin unit", "read", "spin_reads", "spin_read", lambda _: 1),
    Rule("controller", "running", "cycles", "control", lambda z: z.control_bits),
    Rule("controller", "waiting", "waiting", "control", lambda z: z.control_bits),
    Rule(
        *("stage registers", "", "cycles", "register_clock"),
        lambda z: z.stage_bits(z.live_columns),
    ),
    Rule("interface", "images", "pixels", "interface", lambda z: z.pixel_bits),
    Rule("interface", "results", "results", "interface", lambda z: z.result_bits),
)
"""Every action of every component, in the order of the datapath."""


def row_of(rule: Rule, sizes: Sizes, table: TechnologyTable) -> Row:
    """The table row that prices ``rule``.

    Raises:
        UserError: the table lacks it, a memory of its capacity, or a converter wide enough for
            ``sizes.rows``.
    """
    if rule.row != "adc":
        return table.row(rule.row, rule.capacity(sizes) if rule.capacity else None)
    bits = _converter(sizes)
    name = f"adc_{bits}b"
    known = [row.component for row in table.rows if row.component.startswith("adc_")]
    if name not in known:
        kind = "a converter" if sizes.converter_bits else "a lossless converter"
        raise UserError(
            f"rows: {sizes.rows} rows need {kind} of {bits} bits and table "
            f"{table.name} has {', '.join(known) or 'none'}; use fewer rows or add {name}"
        )
    return table.row(name)
