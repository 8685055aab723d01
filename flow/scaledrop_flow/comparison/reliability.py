# SPDX-License-Identifier: Apache-2.0
"""Confidence against accuracy of every method, in bins, over all seeds: for the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scaledrop_flow.comparison.cells import unpacked
from scaledrop_flow.comparison.plan import Plan, Say
from scaledrop_flow.comparison.scores import bin_of
from scaledrop_flow.comparison.table import measured

__all__ = ["reliability_rows"]


def reliability_rows(plan: Plan, say: Say | None = None) -> Iterator[dict[str, Any]]:
    """One row for each set, method and bin of equal width that is not empty."""
    both: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
    for name, key, done in measured(plan, say):
        images = done.result["images"]
        pair = unpacked(images["confidence"]), unpacked(images["right"])
        both.setdefault((name, key), []).append(pair)
    for (name, key), pairs in both.items():
        confidence, right = (
            np.concatenate(side).astype(np.float64) for side in zip(*pairs, strict=True)
        )
        at = bin_of(confidence)
        for one in np.unique(at).tolist():
            inside = at == one
            yield {
                "set": name,
                "method": key,
                "bin": one,
                "count": int(inside.sum()),
                "confidence": float(confidence[inside].mean()),
                "accuracy": float(right[inside].mean()),
            }
