# SPDX-License-Identifier: Apache-2.0
"""Where a layer begins in every memory."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bases"]


@dataclass(frozen=True)
class Bases:
    """First word of a layer in each memory.

    Attributes:
        tile: crossbar tiles.
        mask: words of rows in use; none for an unrolled convolution, whose window knows.
        scale: words of ``lanes`` scales.
        level: words of ``lanes`` thresholds (of one outcome, in the folded datapath).
        source, target: activation vector, words read from and written to.
    """

    tile: int = 0
    mask: int = 0
    scale: int = 0
    level: int = 0
    source: int = 0
    target: int = 0
