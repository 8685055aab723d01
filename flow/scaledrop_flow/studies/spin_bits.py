# SPDX-License-Identifier: Apache-2.0
"""Many devices as sources of mask bits: only the thresholds that the layers' drive codes meet.

The bits are those of :class:`scaledrop.device.unit.SpinUnit` for the same device, codes and words;
what is left out is the rest of its tables, which is most of the time that they take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scaledrop.device.chain import Bits, Words, resolve
from scaledrop.device.conditions import Conditions
from scaledrop.device.defects import bit_probability
from scaledrop.device.devices import Devices
from scaledrop.device.drift import EPOCHS_PER_MEMORY, drift_path
from scaledrop.device.unit import to_threshold
from scaledrop.device.wafer import code_drive, trim
from scaledrop.numbers import DROP_BITS

__all__ = ["BitSource", "TableBits", "ideal_bits", "table_bits", "trimmed"]

Codes = npt.NDArray[np.int64]


class BitSource(Protocol):
    """N devices, each with its words."""

    def __len__(self) -> int: ...

    def bits(self, device: int, words: Words) -> Bits:
        """The bits (W,) of uint32 words (W,): pass after pass, in it layer after layer."""


@dataclass(frozen=True, eq=False)
class TableBits:
    """Devices with fixed drive codes.

    Attributes:
        after: uint32 (2, N, E, L): by previous bit, device, epoch and layer; a word below gives 1.
        epoch_writes: Writes of an epoch; the last one does not end.
    """

    after: Words
    epoch_writes: int

    def __len__(self) -> int:
        return int(self.after.shape[1])

    def bits(self, device: int, words: Words) -> Bits:
        tables = self.after[:, device]
        writes = np.arange(len(words))
        epoch = np.minimum(writes // self.epoch_writes, tables.shape[1] - 1)
        after_0, after_1 = tables[:, epoch, writes % tables.shape[2]]
        return resolve(words, after_0, after_1, 0)


def ideal_bits(drop_codes: Sequence[int], count: int) -> TableBits:
    """``count`` devices that drop with exactly the programmed probability, bit by bit."""
    row = np.array(drop_codes, dtype=np.uint32) << np.uint32(32 - DROP_BITS)
    return TableBits(np.broadcast_to(row, (2, count, 1, len(row))), 1)


def trimmed(
    devices: Devices, drop_codes: Sequence[int], conditions: Conditions | None = None
) -> Codes:
    """DAC codes (N, L) trimmed to the programmed probabilities; 0 where that is 0."""
    at = conditions or Conditions()
    found = {code: trim(devices, code / 2**DROP_BITS, at) for code in set(drop_codes) if code}
    none = np.zeros((len(devices), 1), dtype=np.int64)
    return np.hstack([found.get(code, none) for code in drop_codes])


def table_bits(
    devices: Devices,
    codes: Codes,
    conditions: Conditions,
    writes: int,
    drift_seeds: Sequence[int] = (),
) -> TableBits:
    """Devices under given conditions.

    Args:
        devices: N devices of one card.
        codes: DAC codes (N or 1, L).
        conditions: Temperature, supply, age.
        writes: Of the longest run: so far the drift is laid out.
        drift_seeds: Of each device's drift; used where the card has ``drift``.
    """
    sigma = devices.card.si("drift")
    length = max(1, round(devices.card.si("drift_writes") / EPOCHS_PER_MEMORY)) if sigma else writes
    epochs = -(-writes // length)
    layers = codes.shape[1]
    drive = np.tile(code_drive(devices, codes, conditions), (1, epochs))
    if sigma:
        paths = [drift_path(sigma, epochs, seed) for seed in drift_seeds]
        conditions = replace(conditions, drift_v=np.repeat(paths, layers, axis=1))
    found = [bit_probability(devices, drive, bit, conditions) for bit in (0, 1)]
    shape = (2, len(devices), epochs, layers)
    return TableBits(to_threshold(np.broadcast_to(found, (2, *drive.shape))).reshape(shape), length)
