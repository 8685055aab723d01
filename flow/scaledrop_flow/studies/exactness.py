# SPDX-License-Identifier: Apache-2.0
"""Float64 PyTorch against the integer engine, logit by logit, on whole test sets and many masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from scaledrop.fast_engine import FastEngine
from scaledrop.freezing import freeze
from scaledrop.nn import ScaleDropNet, TorchEvaluator
from scaledrop.sharing import shared_plan

__all__ = ["Agreement", "compare", "every_mask"]

CHUNK = 64


@dataclass(frozen=True)
class Agreement:
    """How many logits were compared with ``==``, and how many differ."""

    images: int
    masks: int
    logits: int
    differing: int


def every_mask(layers: int) -> npt.NDArray[np.uint8]:
    """All 2**L masks, (2**L, L)."""
    return np.array(list(np.ndindex(*[2] * layers)), dtype=np.uint8)


def compare(
    net: ScaleDropNet,
    images: npt.NDArray[Any],
    masks: npt.NDArray[np.uint8],
    progress: Callable[[int], None] = lambda done: None,
) -> Agreement:
    """Every image under every mask.

    Args:
        images: (N, *shape) uint8.
        masks: (M, L) bits.
        progress: called with the images done.
    """
    network = freeze(net, {})
    engine, floats = FastEngine(network), TorchEvaluator(net, torch.float64)
    unit = 2.0**network.logit_frac_bits
    logits = differing = 0
    pixels = engine.images(images)
    size = max(1, CHUNK // max(1, len(masks) * floats.prefix_bytes // 2**28))
    for at in range(0, len(pixels), size):
        part = pixels[at : at + size]
        plan = shared_plan(np.broadcast_to(masks, (len(part), *masks.shape)))
        expected = engine.leaf_logits(part, plan)
        found = floats.leaf_logits(images[at : at + size], plan) * unit
        logits += expected.size
        differing += int((found != expected).sum())
        progress(min(at + size, len(pixels)))
    return Agreement(len(pixels), len(masks), logits, differing)
