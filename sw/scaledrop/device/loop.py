# SPDX-License-Identifier: Apache-2.0
"""A device in the place of the spin unit during a run: drive code and word in, mask bit out.

Everything that a simulation needs is integers: the drive code of each layer, trimmed when the
device was made, and the tables of thresholds that the device has while it runs, warm, aged or
drifted as it may be by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaledrop.calibration import Calibration, CalibrationTwin
from scaledrop.checks import check_integer
from scaledrop.device.card_file import load_card
from scaledrop.device.chain import Words
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import Devices, draw, nominal
from scaledrop.device.unit import SpinUnit
from scaledrop.device.wafer import trim
from scaledrop.errors import UserError
from scaledrop.numbers import DROP_BITS

__all__ = ["SpinLoop", "SpinStream", "spin_loop"]

ZERO_CELSIUS = 273.15
MAX_EPOCHS = 4096


@dataclass(frozen=True, eq=False)
class SpinLoop:
    """Device and drive codes of a run.

    Attributes:
        codes: 16-bit drive code of each layer.
        tables: uint32 (E, 2, 2**dac_bits): by epoch, bit before (1: switched) and DAC code; a word
            below the threshold reads as switched.
        epoch_writes: Writes of an epoch; the last epoch does not end.
        origin: Card, seed, temperature and supply, for the record.
        calibration: The calibrator that moves the codes with the bits; ``codes`` are then what it
            is to hold, probabilities in 2**-16. None leaves the codes where they are.
    """

    codes: tuple[int, ...]
    tables: Words
    epoch_writes: int
    origin: Mapping[str, Any]
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        size = self.tables.shape[-1]
        if self.tables.ndim != 3 or self.tables.shape[1] != 2 or size & (size - 1):
            raise UserError(f"tables: must be (epochs, 2, a power of two), not {self.tables.shape}")
        check_integer(self.epoch_writes, 1, 2**62, "epoch_writes")
        for code in self.codes:
            check_integer(code, 0, 2**DROP_BITS - 1, "codes")

    @property
    def search_bits(self) -> int:
        """Writes of the calibrator's search, before the first bit of the run."""
        if self.calibration is None:
            return 0
        return self.calibration.search_bits * sum(code != 0 for code in self.codes)

    @property
    def dac_bits(self) -> int:
        """The DAC takes so many of the highest bits of a drive code."""
        return int(self.tables.shape[2]).bit_length() - 1

    def stream(self, words: Words) -> SpinStream:
        """The device at its first write."""
        return SpinStream(self, words)


class SpinStream:
    """A device that is written word by word; it remembers its last bit.

    With a calibrator, the first words go to its search.

    Attributes:
        writes: So far.
        previous: The last bit, 1 if the device switched.
        calibrator: All layers of it; None without one.
    """

    def __init__(self, loop: SpinLoop, words: Words) -> None:
        self._loop, self._words = loop, words.tolist()
        self.writes, self.previous = 0, 0
        self.calibrator: CalibrationTwin | None = None
        if loop.calibration is not None:
            self._search(loop.calibration)

    def _search(self, calibration: Calibration) -> None:
        self.calibrator = CalibrationTwin(calibration, len(self._loop.codes))
        for layer, target in enumerate(self._loop.codes):
            self.calibrator.begin(layer)
            if target:
                self.draw(layer, calibration.search_bits)

    def draw(self, layer: int, count: int) -> tuple[int, ...]:
        """The next ``count`` mask bits of a layer; fewer when the words run out."""
        left = len(self._words) - self.writes
        return tuple([1 - self._bit(layer) for _ in range(min(count, left))])

    def _bit(self, layer: int) -> int:
        target = self._loop.codes[layer]
        if self.calibrator is None:
            return self._write(target)
        switched = self._write(self.calibrator.drive(layer, target))
        self.calibrator.bit(layer, target, switched)
        return switched

    def _write(self, code: int) -> int:
        tables, at = self._loop.tables, self.writes
        epoch = min(at // self._loop.epoch_writes, len(tables) - 1)
        threshold = tables[epoch, self.previous, code >> (DROP_BITS - self._loop.dac_bits)]
        self.previous = int(self._words[at] < threshold)
        self.writes += 1
        return self.previous


def _trimmed(unit: SpinUnit, device: Devices, drop_code: int) -> int:
    if drop_code == 0:
        return 0
    return unit.drive_code(int(trim(device, drop_code / 2**DROP_BITS)[0, 0]))


def spin_loop(
    card: str,
    drop_codes: Sequence[int],
    bits: int,
    seed: int | None = None,
    temperature_c: float = 26.85,
    supply: float = 1.0,
    calibrate: bool = False,
) -> SpinLoop:
    """A device of a card, trimmed for each layer at 300 K and nominal supply, then put to work.

    Args:
        card: Name of a card, or a file.
        drop_codes: Probability that each layer's scale is dropped, in 2**-16.
        bits: Writes of the run: so far the drift is laid out, in at most 4,096 epochs.
        seed: Of the device, by the spreads of its card, and of its drift; None is the nominal
            device.
        temperature_c: Degrees Celsius.
        supply: Actual over nominal supply.
        calibrate: A calibrator finds and holds the codes instead of the trim.

    Raises:
        UserError: an unknown card, or a condition out of range.
    """
    known = load_card(card)
    device = nominal(known) if seed is None else draw(known, 1, seed).one(0)
    conditions = Conditions(temperature_k=temperature_c + ZERO_CELSIUS, supply=supply)
    unit = SpinUnit(device, conditions, drift_seed=seed or 0)
    calibration = Calibration(dac_bits=unit.dac_bits) if calibrate else None
    if calibration is not None:
        bits += calibration.search_bits * sum(code != 0 for code in drop_codes)
    length = max(1, unit.epoch_writes or bits, -(-bits // MAX_EPOCHS))
    starts = range(0, max(1, bits), length)
    epochs = [start // unit.epoch_writes if unit.epoch_writes else 0 for start in starts]
    tables = np.array([[unit.thresholds(bit, epoch) for bit in (0, 1)] for epoch in epochs])
    origin = {
        "card": known.name,
        "device_seed": seed,
        "temperature_c": temperature_c,
        "supply": supply,
        "calibrated": calibrate,
    }
    if calibration is not None:
        return SpinLoop(tuple(drop_codes), tables, length, origin, calibration)
    codes = tuple(_trimmed(unit, device, code) for code in drop_codes)
    return SpinLoop(codes, tables, length, origin)
