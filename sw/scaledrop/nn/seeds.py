# SPDX-License-Identifier: Apache-2.0
"""Independent random streams of one seed."""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["stream"]


def stream(seed: int, index: int) -> torch.Generator:
    """Stream ``index`` of ``seed``, on the CPU: networks take 0 and 1, training those from 2."""
    state = np.random.SeedSequence([seed, index]).generate_state(2)
    return torch.Generator().manual_seed(int(state[0]) << 31 | int(state[1]) >> 1)
