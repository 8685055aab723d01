# SPDX-License-Identifier: Apache-2.0
"""One device as a source of bits, in exact integers: DAC code and 32-bit word in, bit out.

Real numbers end in two tables of thresholds, one for each previous bit; from there on every back
end compares integers and gets the same bits. A bit is 1, the device is read as switched and the
scale is dropped, when the word is below the threshold of the code. Threshold ``2**32 - 1`` is the
largest: a device that is stuck as switched reads 0 once in 2**32.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from scaledrop.checks import check_integer
from scaledrop.device.chain import Bits, Words, resolve
from scaledrop.device.conditions import Conditions
from scaledrop.device.defects import bit_probability
from scaledrop.device.devices import Devices
from scaledrop.device.drift import EPOCHS_PER_MEMORY, drift_path
from scaledrop.device.law import FloatArray
from scaledrop.device.wafer import NOMINAL, code_drive, dac_bits
from scaledrop.errors import UserError
from scaledrop.numbers import DROP_BITS

__all__ = ["SpinUnit", "to_threshold"]

WORD_BITS = 32


def to_threshold(probability: FloatArray) -> Words:
    """uint32 thresholds: ``probability * 2**32``, the nearest integer, at most ``2**32 - 1``."""
    scaled = np.rint(np.asarray(probability) * 2.0**WORD_BITS)
    return np.clip(scaled, 0, 2**WORD_BITS - 1).astype(np.uint32)


class SpinUnit:
    """One device under given conditions.

    Parameters:
        device: Exactly one device: ``nominal(card)``, or ``draw(card, n, seed).one(k)``.
        conditions: Temperature, supply, pulse width and age. ``drift_v`` is a fixed offset on top
            of the device's own drift.
        drift_seed: Seed of the slow drift; only a card with ``drift`` uses it.

    Attributes:
        dac_bits: Of a code of the RTL (16 bits), the so many highest bits go to the DAC.
        full_scale_v: Drive at the DAC code ``2**dac_bits``, of this device at this supply.
        epoch_writes: Writes between two tables; 0 where one table holds for ever.
    """

    def __init__(
        self, device: Devices, conditions: Conditions = NOMINAL, drift_seed: int = 0
    ) -> None:
        if len(device) != 1:
            raise UserError(f"device: must be one device, not {len(device)}; choose with .one(k)")
        self.device, self.conditions, self.drift_seed = device, conditions, drift_seed
        self.dac_bits = dac_bits(device)
        self._codes = np.arange(2**self.dac_bits)[None, :]
        self._drive = code_drive(device, self._codes, conditions)
        self.full_scale_v = float(self._drive[0, 1]) * 2**self.dac_bits
        memory = device.card.si("drift_writes")
        drifts = bool(np.any(device["drift"]))
        self.epoch_writes = max(1, round(memory / EPOCHS_PER_MEMORY)) if drifts else 0
        self._tables: dict[int, tuple[Words, Words]] = {}

    def dac_code(self, codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """DAC codes of 16-bit drive codes: their highest ``dac_bits`` bits."""
        return np.asarray(codes, dtype=np.int64) >> (DROP_BITS - self.dac_bits)

    def drive_code(self, dac_code: int) -> int:
        """The 16-bit drive code of a DAC code: the DAC's bits in the highest places."""
        check_integer(dac_code, 0, 2**self.dac_bits - 1, "DAC code")
        return dac_code << (DROP_BITS - self.dac_bits)

    def drift_v(self, epoch: int) -> float:
        """Slow rise of the threshold during ``epoch``, volts."""
        sigma = float(np.asarray(self.device["drift"]).item())
        return float(drift_path(sigma, epoch + 1, self.drift_seed)[-1]) if sigma else 0.0

    def thresholds(self, previous: int, epoch: int = 0) -> Words:
        """uint32 (2**dac_bits,): a word below the entry of a DAC code gives a 1.

        Args:
            previous: Bit before, 0 or 1.
            epoch: Number of the writes before, divided by ``epoch_writes``.
        """
        check_integer(previous, 0, 1, "previous bit")
        check_integer(epoch, 0, 2**31, "epoch")
        if not self.epoch_writes:
            epoch = 0
        if epoch not in self._tables:
            self._tables[epoch] = self._table(epoch)
        return self._tables[epoch][previous]

    def _table(self, epoch: int) -> tuple[Words, Words]:
        drift = self.conditions.drift_v + self.drift_v(epoch)
        conditions = replace(self.conditions, drift_v=drift)
        first, second = (
            to_threshold(bit_probability(self.device, self._drive, previous, conditions)[0])
            for previous in (0, 1)
        )
        first.flags.writeable = second.flags.writeable = False
        return first, second

    def bits(self, codes: npt.ArrayLike, words: Words, previous: int = 0, start: int = 0) -> Bits:
        """The bits of writes, one after the other.

        Args:
            codes: 16-bit drive codes (N,), or one for all.
            words: uint32 (N,), one consumed by each write.
            previous: Bit before the first.
            start: Writes before the first one; decides the epochs.

        Returns:
            bool (N,): True where the device is read as switched, mask bit m = 0.
        """
        dac = np.broadcast_to(self.dac_code(codes), words.shape)
        length = self.epoch_writes or max(1, start + len(words))
        parts, at = [], 0
        while at < len(words):
            epoch = (start + at) // length
            stop = min(len(words), (epoch + 1) * length - start)
            after_0, after_1 = (self.thresholds(bit, epoch)[dac[at:stop]] for bit in (0, 1))
            parts.append(resolve(words[at:stop], after_0, after_1, previous))
            previous, at = int(parts[-1][-1]), stop
        return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)
