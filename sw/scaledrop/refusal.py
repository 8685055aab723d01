# SPDX-License-Identifier: Apache-2.0
"""Why the accelerator refuses a descriptor; it then waits for an abort."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Refusal"]


class Refusal(IntEnum):
    """Codes as the hardware reports them; the numbers never change."""

    NONE = 0
    SOURCE = 1
    """Inputs come from a buffer that is not there."""
    TARGET = 2
    """Results go to a buffer that is not there, or the last layer has no head, or another has."""
    BEATS = 3
    """The last column tile has no channel, or more than the array."""
    RANGE = 4
    """A tile, a row mask or a word lies outside of its memory."""
    STALLED = 5
    """Nothing moved for a long time: counts that do not fit each other."""
