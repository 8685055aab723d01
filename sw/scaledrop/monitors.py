# SPDX-License-Identifier: Apache-2.0
"""Monitors of the accelerator: their names, and their places in its status word."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["MONITOR_TEXTS", "MonitorFlag"]


class MonitorFlag(IntEnum):
    """Position of each monitor in the status word and among the counters; it never changes."""

    MASK_STALE = 0
    """A bit was used and the device had not been written since the bit before."""
    SPIN_OVERUSED = 1
    """The device was written again before the bit of its last write was used."""
    MASK_COUNT = 2
    """The bits drawn for a visit are not those of its command: reused, lost, or another layer's."""
    BITS_IN_EXACT = 3
    """A bit was drawn, or the device written, in mode ``exact``."""
    PASS_COUNT = 4
    """The weights of an image's leaves do not add up."""
    SCALE_CORRECTED = 5
    """A word of the scale memory had a wrong bit, which was put right."""
    SCALE_UNCORRECTED = 6
    """A word of the scale memory was used wrong."""
    DESCRIPTOR_REFUSED = 7
    """A layer's descriptor made no sense."""
    IMAGE_MISFRAMED = 8
    """An image did not end where it should."""
    RUN_KEPT = 9
    RUN_DROPPED = 10
    DROPS_LOW = 11
    DROPS_HIGH = 12
    EQUAL_LOW = 13
    EQUAL_HIGH = 14
    """The alarms of the bits, in the order of :class:`scaledrop.health.HealthLimits`."""


MONITOR_TEXTS = {
    MonitorFlag.MASK_STALE: "a bit was used twice: its device was not written in between",
    MonitorFlag.SPIN_OVERUSED: "a device was written again before its bit was used",
    MonitorFlag.MASK_COUNT: "a visit did not draw the bits of its command",
    MonitorFlag.BITS_IN_EXACT: "a bit was drawn in mode exact",
    MonitorFlag.PASS_COUNT: "the weights of an image's leaves did not add up",
    MonitorFlag.SCALE_CORRECTED: "a word of scales had a wrong bit, which was put right",
    MonitorFlag.SCALE_UNCORRECTED: "a word of scales was used wrong",
    MonitorFlag.DESCRIPTOR_REFUSED: "a descriptor made no sense: see REFUSAL",
    MonitorFlag.IMAGE_MISFRAMED: "TLAST stood elsewhere than on an image's last pixel",
    MonitorFlag.RUN_KEPT: "health of the bits: too many kept in a row",
    MonitorFlag.RUN_DROPPED: "health of the bits: too many dropped in a row",
    MonitorFlag.DROPS_LOW: "health of the bits: too few dropped in a window",
    MonitorFlag.DROPS_HIGH: "health of the bits: too many dropped in a window",
    MonitorFlag.EQUAL_LOW: "health of the bits: too few equal neighbours in a window",
    MonitorFlag.EQUAL_HIGH: "health of the bits: too many equal neighbours in a window",
}
"""What each tells a user."""
