# SPDX-License-Identifier: Apache-2.0
"""A wafer under calibrators, window by window.

A window's ones are binomial at the long-run probabilities of its two DAC codes: the same law as bit
by bit where bits do not depend on the bit before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.calibration import Calibration
from scaledrop.calibration_bank import CalibrationBank
from scaledrop.device.devices import Devices
from scaledrop.device.wafer import dac_bits
from scaledrop.numbers import DROP_BITS

__all__ = ["PROBABILITIES", "Run"]

Table = npt.NDArray[np.float64]
PROBABILITIES = (0.05, 0.1, 0.2, 0.3, 0.5)


class Run:
    """Every device of a wafer with every programmed probability, under one calibrator each.

    Attributes:
        lock_bits: (N,) bits until the first lock; -1 before.
        losses: (N,) locks lost so far.
        error: (windows, N) true mean of P over each window minus p; NaN before the first lock.
        bits: (windows, N) lengths.
    """

    def __init__(self, devices: Devices, seed: int, config: Calibration | None = None) -> None:
        count = len(devices)
        self.devices, self.p = devices, np.repeat(PROBABILITIES, count)
        self.index = np.tile(np.arange(count), len(PROBABILITIES))
        targets = np.rint(self.p * 2**DROP_BITS).astype(np.int64)
        self.bank = CalibrationBank(config or Calibration(dac_bits=dac_bits(devices)), targets)
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._used = np.zeros(len(self.p), dtype=np.int64)
        self.lock_bits = np.full(len(self.p), -1)
        self.losses = np.zeros(len(self.p), dtype=np.int64)
        self._errors: list[Table] = []
        self._bits: list[Table] = []

    @property
    def error(self) -> Table:
        return np.stack(self._errors)

    @property
    def bits(self) -> Table:
        return np.stack(self._bits)

    def windows(self, table: Table, count: int) -> Run:
        """Run ``count`` windows of each device at the probabilities ``table``."""
        for _ in range(count):
            window = self.bank.window()
            low, high = table[self.index, window.low], table[self.index, window.high]
            ones = self._random.binomial(window.writes_low, low)
            ones = ones + self._random.binomial(window.writes_high, high)
            mean = (low * window.writes_low + high * window.writes_high) / window.length
            self._errors.append(np.where(self.lock_bits < 0, np.nan, mean - self.p))
            self._bits.append(window.length.astype(np.float64))
            self._used += window.length
            self.losses += self.bank.finish(window, ones)
            first = self.bank.locked & (self.lock_bits < 0)
            self.lock_bits[first] = self._used[first]
        return self

    def mean(self, values: Table, windows: slice) -> Table:
        """(N,) mean over bits of ``values`` in the given windows after the lock; NaN without."""
        part = values[windows]
        counted = np.where(np.isnan(part), 0.0, self.bits[windows])
        total = counted.sum(axis=0)
        summed = (np.nan_to_num(part) * counted).sum(axis=0)
        return np.where(total > 0, summed / np.maximum(total, 1), np.nan)
