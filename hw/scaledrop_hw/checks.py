# SPDX-License-Identifier: Apache-2.0
"""Validation of component parameters: one wording for every component."""

from scaledrop.errors import UserError

__all__ = ["require_range"]


def require_range(name, value, low, high):
    """Return ``value`` if it is an integer in ``low .. high``.

    Raises:
        UserError: names the parameter, the value and the range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UserError(f"{name} must be an integer from {low} to {high}, not {value!r}")
    return value
