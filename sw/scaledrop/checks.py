# SPDX-License-Identifier: Apache-2.0
"""Whole numbers within a range, refused by name."""

from __future__ import annotations

from typing import Any

from scaledrop.errors import UserError

__all__ = ["check_integer"]


def check_integer(value: Any, low: int, high: int, where: str, hint: str = "") -> None:
    """Refuse what is not a whole number of [low, high].

    Raises:
        UserError: names ``where``, the value and, if given, the remedy ``hint``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        remedy = f"; {hint}" if hint else ""
        raise UserError(f"{where}: must be {low} to {high}, not {value!r}{remedy}")
