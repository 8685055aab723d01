# SPDX-License-Identifier: Apache-2.0
"""Where the dropout bits of a transformer come from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from scaledrop.numbers import DROP_BITS

__all__ = ["BitSource"]


@dataclass(eq=False)
class BitSource:
    """One stream of bits for all modules of a network.

    Attributes:
        generator: on the CPU.
        on: whether anything is dropped; off, nothing is drawn.
    """

    generator: torch.Generator
    on: bool = False

    def keep(self, drop_code: int, *shape: int) -> Tensor:
        """Fresh bits of ``shape``, bool, 0 with probability ``drop_code / 2**16``."""
        words = torch.randint(0, 2**DROP_BITS, shape, generator=self.generator, dtype=torch.int32)
        return words >= drop_code
