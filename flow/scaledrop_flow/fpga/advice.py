# SPDX-License-Identifier: Apache-2.0
"""A design that does not fit: by how much of what, and what is expected to fit instead."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scaledrop.array_shape import ArrayShape
from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import NetworkMapping
from scaledrop_flow.fpga.blocks import BlockUse
from scaledrop_flow.fpga.boards import Board
from scaledrop_flow.fpga.usage import RESOURCES, Usage

__all__ = ["Built", "Estimate", "does_not_fit", "estimate", "suggest"]

MARGIN = 0.9
"""Of a device: what an estimate may take of it to be suggested."""

MEMORY_SHAPES = {"ecp5": (36, 512), "ice40": (16, 256)}
"""Widest word and its depth of a block memory."""

WEIGHTS = "weight memory"


@dataclass(frozen=True)
class Built:
    """What was mapped.

    Attributes:
        board, network, array: As built.
        small: In the small form.
        usage: After packing.
        blocks: Before.
    """

    board: Board
    network: FrozenNetwork
    array: ArrayShape
    small: bool
    usage: Usage
    blocks: Sequence[BlockUse]


@dataclass(frozen=True)
class Estimate:
    """What another array, or another form, is expected to take."""

    array: ArrayShape
    small: bool
    needs: Mapping[str, int]

    def fits(self, board: Board) -> bool:
        """Whether a device holds it, with a margin."""
        has = board.capacity
        limits = (has.lut4, has.flipflops, has.block_memories, has.multipliers)
        pairs = zip(RESOURCES, limits, strict=True)
        return all(self.needs[name] <= MARGIN * limit for name, limit in pairs)


def _ratio(block: BlockUse, built: ArrayShape, array: ArrayShape) -> float:
    scaling, ratio = block.scaling, 1.0
    if scaling.rows:
        ratio *= array.rows / built.rows
    if scaling.columns:
        ratio *= array.columns / built.columns
    return ratio * array.lanes / built.lanes if scaling.lanes else ratio


def _weight_memories(network: FrozenNetwork, array: ArrayShape, family: str) -> int:
    width, depth = MEMORY_SHAPES[family]
    tiles = NetworkMapping(network, array).end.tile
    return math.ceil(array.rows * array.columns / width) * math.ceil(tiles / depth)


def estimate(built: Built, array: ArrayShape, small: bool) -> Estimate:
    """Scale the blocks of a design to another array.

    Logic, flip-flops and multipliers of a block grow with the sizes that it depends on; tables used
    as memory hold the same bits whatever the array; block memories of the weights are counted from
    the width of a tile and their number.
    """
    blocks = [use for use in built.blocks if not (small and use.full_only)]
    logic = memory = flipflops = multipliers = 0.0
    memories = 0
    for use in blocks:
        ratio = _ratio(use, built.array, array)
        logic += use.logic * ratio
        memory += use.table_memory
        flipflops += use.flipflops * ratio
        multipliers += use.multipliers * ratio
        if use.name == WEIGHTS and use.block_memories:
            memories += _weight_memories(built.network, array, built.board.family)
        else:
            memories += math.ceil(use.block_memories * ratio)
    measured = sum(use.lut4 for use in built.blocks)
    packing = built.usage.of("LUT4").used / max(measured, 1)
    needs = ((logic + memory) * packing, flipflops, memories, multipliers)
    whole = {name: math.ceil(need) for name, need in zip(RESOURCES, needs, strict=True)}
    return Estimate(array, small, whole)


def _arrays(built: ArrayShape) -> Iterator[ArrayShape]:
    """Smaller arrays, the largest first; of equal ones that whose shape is most like ``built``."""
    rows = [built.rows >> by for by in range(built.rows.bit_length())]
    columns = [built.columns >> by for by in range(built.columns.bit_length())]
    shapes = {(row, column) for row in rows for column in columns} - {(built.rows, built.columns)}

    def order(one: tuple[int, int]) -> tuple[int, float]:
        stretched = abs(math.log2(one[0] * built.columns / (one[1] * built.rows)))
        return -one[0] * one[1], stretched

    for row, column in sorted(sorted(shapes), key=order):
        yield replace(built, rows=row, columns=column, lanes=0)


def suggest(built: Built) -> Estimate | None:
    """The largest array that is expected to fit, in the small form only if none does without."""
    forms = [built.small] if built.small else [False, True]
    for small in forms:
        candidates = [built.array, *_arrays(built.array)] if small != built.small else None
        for array in candidates or _arrays(built.array):
            found = estimate(built, array, small)
            if found.fits(built.board):
                return found
    return None


def _amount(name: str, value: int) -> str:
    return f"{value:,} {name}"


def _joined(parts: Sequence[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def _excess(built: Built) -> str:
    told = []
    for one in built.usage.over:
        times = f"{one.fraction:.1f} times" if one.fraction >= 2 else f"{one.fraction:.0%} of"
        told.append(f"{_amount(one.name, one.used)}, {times} the {one.available:,}")
    return f"{_joined(told)} of {built.board.name}"


def _largest(built: Built) -> str:
    total = max(sum(use.lut4 for use in built.blocks), 1)
    shares = [f"{use.name} {use.lut4 / total:.0%}" for use in built.blocks[:3]]
    return ", ".join(shares)


def _what(found: Estimate, built: Built) -> str:
    array = found.array
    options = f"--rows {array.rows} --columns {array.columns}"
    if found.small and not built.small:
        options += " --form small"
    form = " in the small form" if found.small and not built.small else ""
    names = ["LUT4"] + [one.name for one in built.usage.over if one.name != "LUT4"]
    needs = _joined([_amount(name, found.needs[name]) for name in names])
    return (
        f"an array of {array.rows} x {array.columns}{form} is expected to take about {needs} "
        f"(run with {options})"
    )


def does_not_fit(built: Built) -> str:
    """The message for a design that is too large; names the option to change."""
    array = built.array
    text = f"rows * columns: {array.rows} x {array.columns} takes {_excess(built)}"
    text += f" (LUT4: {_largest(built)}); "
    found = suggest(built)
    if found is not None:
        return text + _what(found, built)
    if not built.small:
        return text + (
            "no smaller array is expected to fit as it is: run with --form small, which leaves out "
            "event counters, monitors and records and narrows the rest"
        )
    return text + (
        "no smaller array is expected to fit: use a network with narrower layers, "
        "--datapath folded, or a larger board"
    )
