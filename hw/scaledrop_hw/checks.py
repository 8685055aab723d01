# SPDX-License-Identifier: Apache-2.0
"""Validation of component parameters: one wording for every component."""

from operator import index

from scaledrop.errors import UserError

__all__ = ["require_choice", "require_divides", "require_range", "require_words"]


def require_range(name, value, low, high):
    """Return ``value`` if it is an integer in ``low .. high``.

    Raises:
        UserError: names the parameter, the value and the range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UserError(f"{name} must be an integer from {low} to {high}, not {value!r}")
    return value


def require_choice(name, value, choices):
    """Return ``value`` if it is one of ``choices``, which are strings.

    Raises:
        UserError: names the parameter, the choices and the value.
    """
    if not isinstance(value, str) or value not in choices:
        raise UserError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def require_divides(name, value, of_name, of_value):
    """Return ``value`` if it divides ``of_value`` without a rest.

    Raises:
        UserError: names both.
    """
    require_range(name, value, 1, of_value)
    if of_value % value:
        raise UserError(f"{name} must divide {of_name} ({of_value}), not {value}")
    return value


def require_words(name, words, length, low, high):
    """Return memory contents as a list of lists of ``length`` integers in ``low .. high``.

    Raises:
        UserError: names the word and what is wrong with it.
    """
    words = [list(word) for word in words]
    for at, word in enumerate(words):
        if len(word) != length:
            raise UserError(f"{name}[{at}] must hold {length} values, not {len(word)}")
        for value in word:
            require_range(f"{name}[{at}]", _plain(value), low, high)
    return [[int(value) for value in word] for word in words]


def _plain(value):
    """A NumPy integer as a Python one; anything else as it is."""
    return value if isinstance(value, bool) or not hasattr(value, "__index__") else index(value)
