# SPDX-License-Identifier: Apache-2.0
"""A plain card that the device tests change one parameter at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scaledrop.device.card import Card
from scaledrop.device.card_file import parse_card

UNITS = {
    "v_th_1ns": (0.9, "V"),
    "slope": (40.0, "1/V"),
    "write_resistance": (800.0, "Ohm"),
    "pulse": (1.0, "ns"),
    "reset_voltage": (1.1, "V"),
    "reset_pulse": (1.0, "ns"),
    "dac_bits": (10, "bit"),
    "dac_full_scale": (1.6, "V"),
    "r_parallel": (10.0, "kOhm"),
    "tmr": (100.0, "%"),
    "read_voltage": (0.3, "V"),
    "read_time": (1.0, "ns"),
}


def plain(value: float, unit: str, **more: Any) -> dict[str, Any]:
    """One parameter as it stands in a file."""
    return {"value": value, "unit": unit, "source": "a test", "label": "CALC", **more}


def document(top: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    """A sound card as a mapping; ``parameters`` replace or add, None removes."""
    found = {name: plain(*one) for name, one in UNITS.items()} | parameters
    kept = {name: one for name, one in found.items() if one is not None}
    return {"name": "mine", "title": "t", "law": "empirical", "parameters": kept, **(top or {})}


def card(top: dict[str, Any] | None = None, **parameters: Any) -> Card:
    """The card of :func:`document`."""
    return parse_card(yaml.safe_dump(document(top, **parameters)), "mine.yaml")


def write(folder: Path, content: Any) -> Path:
    """``mine.yaml`` in ``folder``, from a mapping or from text."""
    path = folder / "mine.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path
