# SPDX-License-Identifier: Apache-2.0
"""The calibrator over many devices at once, window by window, for studies.

The drive code is the same over a window but for its dither, so a window needs only the numbers of
writes at its two DAC codes and how many ones they gave; the result is that of
:class:`scaledrop.calibration.LayerCalibration` on the single bits, whatever their order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.calibration import DITHER_BITS, GEAR, Calibration, band, bound
from scaledrop.numbers import DROP_BITS

__all__ = ["CalibrationBank", "Window"]

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Window:
    """A window of every device, int64 (N,) each.

    Attributes:
        low, high: The two DAC codes.
        writes_low, writes_high: Bits at each; their sum is the window's length.
    """

    low: Integers
    high: Integers
    writes_low: Integers
    writes_high: Integers

    @property
    def length(self) -> Integers:
        return self.writes_low + self.writes_high


class CalibrationBank:
    """N devices, each with its target.

    Attributes:
        code: int64 (N,), the registers.
        locked, searching: bool (N,).
    """

    def __init__(self, config: Calibration, targets: npt.ArrayLike) -> None:
        self.config = config
        self.targets: Integers = np.asarray(targets, dtype=np.int64)
        kinds, place = np.unique(self.targets, return_inverse=True)
        self._band = np.array([band(int(one)) for one in kinds])[place]
        self._bound = np.array(
            [
                [bound(int(one), config.length_bits(geared)) for geared in (False, True)]
                for one in kinds
            ]
        )[place]
        shape = self.targets.shape
        self.code: Integers = np.full(shape, 1 << (config.width - 1))
        self.step, self.dither, self.streak = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        self.locked: Flags = np.zeros(shape, dtype=bool)

    @property
    def searching(self) -> Flags:
        return np.asarray(self.step < self.config.steps)

    @property
    def geared(self) -> Flags:
        """The next window is a short one."""
        return np.asarray(~self.searching & ~self.locked)

    def window(self) -> Window:
        """The next window's writes; to be followed by :meth:`finish`."""
        length = 1 << (self.config.window_bits - GEAR * self.geared.astype(np.int64))
        places = self.config.width - self.config.dac_bits
        part = (self.code >> (places - DITHER_BITS)) % (1 << DITHER_BITS)
        total = self.dither + length * part
        self.dither = total % (1 << DITHER_BITS)
        low, raised = self.code >> places, total >> DITHER_BITS
        high = np.minimum(low + 1, (1 << self.config.dac_bits) - 1)
        return Window(low, high, length - raised, raised)

    def finish(self, window: Window, ones: Integers) -> Flags:
        """Take the ones of the window; returns which devices lose their lock by it."""
        error = window.length * self.targets - (ones << DROP_BITS)
        searching, geared = self.searching, self.geared
        half = 1 << np.maximum(self.config.width - 2 - self.step, 0)
        moved = self.code + (error << (self._band + GEAR * geared))
        cut = np.clip(moved, 0, (1 << self.config.width) - 1)
        self.code = np.where(searching, self.code + np.where(error >= 0, half, -half), cut)
        limit = np.where(geared, self._bound[:, 1], self._bound[:, 0])
        missed = error >> DROP_BITS
        inside = (moved == cut) & (-limit <= missed) & (missed < limit)
        streak = np.where(~searching & (inside != self.locked), self.streak + 1, 0)
        wanted = np.where(self.locked, self.config.lose_windows, self.config.lock_windows)
        flips = streak >= wanted
        lost = flips & self.locked
        self.streak, self.locked = np.where(flips, 0, streak), self.locked ^ flips
        self.step = self.step + searching
        return lost
