# SPDX-License-Identifier: Apache-2.0
"""One line of ``build/bench.json``."""

from __future__ import annotations

from typing import Any

__all__ = ["Entry", "entry"]

Entry = dict[str, Any]


def entry(name: str, value: float, unit: str, note: str) -> Entry:
    """Ratios come first in a benchmark: machines differ, and are noisy."""
    return {"name": name, "value": value, "unit": unit, "note": note}
