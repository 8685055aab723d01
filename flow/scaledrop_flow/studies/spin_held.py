# SPDX-License-Identifier: Apache-2.0
"""Devices under the calibrator: their drive codes follow their own bits, window by window.

The bits are those of :class:`scaledrop.calibration.LayerCalibration` taken one by one; between two
updates a layer's code changes only by its dither, so a window is worked out at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scaledrop.calibration import DITHER_BITS, Calibration
from scaledrop.calibration_bank import CalibrationBank
from scaledrop.device.chain import Bits, Words, spin_words
from scaledrop.device.conditions import Conditions
from scaledrop.device.defects import bit_probability
from scaledrop.device.devices import Devices
from scaledrop.device.unit import to_threshold
from scaledrop.device.wafer import code_drive, dac_bits
from scaledrop.errors import UserError

__all__ = ["HeldBits", "held_bits"]

WARM_BITS, WARM_SEED = 1 << 15, 2000
"""Bits of each layer between its search and the run, and the seed of the words until then."""


def held_bits(bank: CalibrationBank, after: Words, words: Words) -> Bits:
    """Bits of one device whose layers each have a calibrator.

    Args:
        bank: One entry for each of C layers; its state goes on.
        after: uint32 (2**dac_bits,): a word below the entry of a DAC code gives 1, whatever the bit
            before.
        words: uint32 (C, W), of each layer in the order of its writes.

    Returns:
        bool (C, W).
    """
    bits = np.zeros(words.shape, dtype=bool)
    at = np.zeros(len(words), dtype=np.int64)
    places = bank.config.width - bank.config.dac_bits
    while (at < words.shape[1]).any():
        start, part = bank.dither, (bank.code >> (places - DITHER_BITS)) % (1 << DITHER_BITS)
        window, ones = bank.window(), np.zeros_like(at)
        for layer in range(len(words)):
            length = int(window.length[layer])
            steps = (start[layer] + part[layer] * np.arange(length + 1)) >> DITHER_BITS
            ends = after[[window.low[layer], window.high[layer]]]
            # A layer may be past its last word while others are not: its window is then cut.
            some = words[layer, at[layer] : at[layer] + length]
            found = some < ends[np.diff(steps)[: len(some)]]
            bits[layer, at[layer] : at[layer] + length] = found
            ones[layer] = found.sum()
        bank.finish(window, ones)
        at += window.length
    return bits


class HeldBits:
    """N devices, each with a calibrator for each layer, which has locked before the run.

    Parameters:
        devices: N devices of one card.
        drop_codes: Programmed drop code of each layer; 0 is not calibrated.
        conditions: Temperature and supply, from the search on.

    Raises:
        UserError: bits of the card depend on the bit before.
    """

    def __init__(self, devices: Devices, drop_codes: Sequence[int], conditions: Conditions) -> None:
        card = devices.card
        if np.any(devices["reset_failure"]):
            raise UserError(f"card {card.name}: reset_failure: must be 0 here; set it to 0")
        self._config = Calibration(dac_bits=dac_bits(devices))
        self._targets = np.array(drop_codes, dtype=np.int64)
        every = np.arange(2**self._config.dac_bits)[None, :]
        drive = code_drive(devices, every, conditions)
        found = bit_probability(devices, drive, 0, conditions)
        self._after = to_threshold(np.broadcast_to(found, (len(devices), every.size)))

    def __len__(self) -> int:
        return len(self._after)

    def bits(self, device: int, words: Words) -> Bits:
        """The bits (W,) of uint32 words (W,): pass after pass, in it layer after layer."""
        layers, live = len(self._targets), np.flatnonzero(self._targets)
        mine: npt.NDArray[np.uint32] = words.reshape(-1, layers).T
        bits = mine < self._after[device, 0]
        if live.size:
            warm = self._config.search_bits + WARM_BITS
            before = spin_words(WARM_SEED + device, warm * live.size).reshape(live.size, warm)
            bank = CalibrationBank(self._config, self._targets[live])
            both = np.hstack([before, mine[live]])
            bits[live] = held_bits(bank, self._after[device], both)[:, warm:]
        return np.asarray(bits.T.ravel())
