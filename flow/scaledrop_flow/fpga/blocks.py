# SPDX-License-Identifier: Apache-2.0
"""What each block of a mapped design takes: its cells, by the names that Yosys gave them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["BLOCKS", "Block", "BlockUse", "Scaling", "block_uses"]

DEMONSTRATOR = "demonstrator."
SYSTEM = f"{DEMONSTRATOR}system."

LOGIC: Mapping[str, int] = {"SB_LUT4": 1, "LUT4": 1, "CCU2C": 2}
TABLE_MEMORY: Mapping[str, int] = {"TRELLIS_DPR16X4": 4}
FLIPFLOPS = ("SB_DFF", "TRELLIS_FF")
BLOCK_MEMORIES = ("SB_RAM40_4K", "DP16KD")
MULTIPLIERS = ("SB_MAC16", "MULT18X18D")


class Scaling(NamedTuple):
    """How a block grows: in proportion to these sizes of the array."""

    rows: bool = False
    columns: bool = False
    lanes: bool = False


FIXED = Scaling()


class Block(NamedTuple):
    """Cells whose names begin with ``prefix``.

    Attributes:
        prefix: Path in the design.
        name: For people.
        scaling: With which sizes it grows.
        full_only: It is left out of the small form.
    """

    prefix: str
    name: str
    scaling: Scaling = FIXED
    full_only: bool = False


_CORE = f"{SYSTEM}accelerator.core."
CELLS = Scaling(rows=True, columns=True)

BLOCKS: Sequence[Block] = (
    Block(f"{_CORE}sums.crossbar.weights", "weight memory", CELLS),
    Block(f"{_CORE}sums.crossbar", "crossbar cells", CELLS),
    Block(f"{_CORE}sums.accumulator", "accumulators", Scaling(columns=True)),
    Block(f"{_CORE}sums.drain", "accumulators", Scaling(columns=True)),
    Block(f"{_CORE}sums.sources", "image and activations", Scaling(rows=True)),
    Block(f"{_CORE}sums", "sequencer"),
    Block(f"{_CORE}outputs.datapath", "scales and thresholds", Scaling(lanes=True)),
    Block(f"{_CORE}outputs.records", "records", full_only=True),
    Block(f"{_CORE}outputs", "head"),
    Block(f"{_CORE}accumulate", "sums over passes"),
    Block(f"{_CORE}walker", "walk over passes"),
    Block(f"{SYSTEM}accelerator.counters", "event counters", full_only=True),
    Block(f"{SYSTEM}accelerator.supervision", "monitors", full_only=True),
    Block(f"{SYSTEM}accelerator.memories", "loading", full_only=True),
    Block(f"{SYSTEM}accelerator", "rest of the accelerator"),
    Block(f"{SYSTEM}control_port", "registers"),
    Block(SYSTEM, "streams"),
    Block(DEMONSTRATOR, "serial link, source of bits"),
    Block("", "clock and pins"),
)
"""The first whose prefix fits has the cell."""


@dataclass
class BlockUse:
    """Cells of a block: LUT4 of logic, LUT4 used as memory, and the rest by kind."""

    name: str
    scaling: Scaling = FIXED
    full_only: bool = False
    logic: int = 0
    table_memory: int = 0
    flipflops: int = 0
    block_memories: int = 0
    multipliers: int = 0

    @property
    def lut4(self) -> int:
        return self.logic + self.table_memory

    def add(self, kind: str) -> None:
        """Count one cell."""
        self.logic += LOGIC.get(kind, 0)
        self.table_memory += TABLE_MEMORY.get(kind, 0)
        self.flipflops += kind.startswith(FLIPFLOPS)
        self.block_memories += kind in BLOCK_MEMORIES
        self.multipliers += kind in MULTIPLIERS


def block_uses(netlist: str, top: str) -> list[BlockUse]:
    """Cells by block of a flattened design, the largest first; blocks without any are left out.

    A cell without a register or memory of its own is counted where Yosys found its name: with the
    nearest named signal. At a border between blocks that may be the neighbour.

    Args:
        netlist: Yosys' JSON.
    """
    uses: dict[str, BlockUse] = {}
    for name, cell in json.loads(netlist)["modules"][top]["cells"].items():
        block = next(one for one in BLOCKS if name.startswith(one.prefix))
        default = BlockUse(block.name, block.scaling, block.full_only)
        uses.setdefault(block.name, default).add(cell["type"])
    found = [use for use in uses.values() if use.lut4 or use.flipflops or use.block_memories]
    return sorted(found, key=lambda use: (-use.lut4, -use.flipflops, use.name))
