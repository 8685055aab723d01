# SPDX-License-Identifier: Apache-2.0
"""The one error type that a person is meant to read."""

__all__ = ["UserError"]


class UserError(ValueError):
    """A mistake in what the user gave, not in the program.

    The message is one line and names the field, the value found and the remedy. Commands print it
    and exit with status 2, without a traceback.
    """
