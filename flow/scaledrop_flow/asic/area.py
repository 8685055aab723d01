# SPDX-License-Identifier: Apache-2.0
"""Area by block: the cells of every block, by the areas that the library gives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scaledrop_flow.asic.flat import Flat

__all__ = ["BlockRow", "area_rows", "cell_areas"]

_CELL = re.compile(r'^\s*cell\s*\(\s*"?([\w.]+)"?\s*\)', re.M)
_AREA = re.compile(r"^\s*area\s*:\s*\"?([0-9.eE+-]+)", re.M)


@dataclass(frozen=True)
class BlockRow:
    """One block.

    Attributes:
        block: Path in the accelerator; "" is the top module itself.
        cells, flipflops: Of its own, without those of blocks in it.
        area_um2: Of these cells.
        share: Of the whole area.
        power_w: Average over the recording, with leakage; None where none was recorded.
        leakage_w: The part of it that leaks.
    """

    block: str
    cells: int
    flipflops: int
    area_um2: float
    share: float
    power_w: float | None = None
    leakage_w: float | None = None

    def values(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "area_um2": round(self.area_um2, 4), "share": round(self.share, 6)}


def cell_areas(files: Sequence[Path]) -> dict[str, float]:
    """Cell to its area in um2, of Liberty files; 0 where none is given."""
    found: dict[str, float] = {}
    for file in files:
        text = file.read_text()
        cells = list(_CELL.finditer(text))
        for at, cell in enumerate(cells):
            stop = cells[at + 1].start() if at + 1 < len(cells) else len(text)
            area = _AREA.search(text, cell.end(), stop)
            found[cell[1]] = float(area[1]) if area else 0.0
    return found


def area_rows(flat: Flat, files: Sequence[Path]) -> list[BlockRow]:
    """A row a block, the largest first."""
    areas = cell_areas(files)
    cells = Counter(flat.blocks.values())
    held: Counter[str] = Counter()
    area: dict[str, float] = dict.fromkeys(cells, 0.0)
    for name, cell in flat.mapped.cells.items():
        area[flat.blocks[name]] += areas[cell.kind]
        held[flat.blocks[name]] += cell.sequential
    whole = sum(area.values()) or 1.0
    rows = [
        BlockRow(block, count, held[block], area[block], area[block] / whole)
        for block, count in cells.items()
    ]
    return sorted(rows, key=lambda row: (-row.area_um2, row.block))
