# SPDX-License-Identifier: Apache-2.0
"""Names end up in files and in Verilog, so they are kept plain."""

from __future__ import annotations

import re
from typing import Any

from scaledrop.errors import UserError

__all__ = ["check_name"]


def check_name(value: Any, where: str) -> None:
    """1 to 64 ASCII letters, digits, '-' and '_'.

    Raises:
        UserError: anything else.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise UserError(f"{where}: {value!r} must be 1 to 64 letters, digits, '-' and '_' only")
