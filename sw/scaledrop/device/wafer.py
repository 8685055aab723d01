# SPDX-License-Identifier: Apache-2.0
"""Many devices at once: a DAC code for each that gives a probability, and how many can hold it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.device.conditions import Conditions
from scaledrop.device.defects import bit_probability, stationary
from scaledrop.device.devices import Devices, nominal
from scaledrop.device.law import FloatArray
from scaledrop.errors import UserError

__all__ = ["NOMINAL", "Yield", "code_drive", "long_run", "measure_yield", "trim"]

NOMINAL = Conditions()


def code_drive(
    devices: Devices, codes: npt.NDArray[np.integer], conditions: Conditions = NOMINAL
) -> FloatArray:
    """Volts at the write terminals for DAC codes, (N or 1, K); code 0 is 0 V."""
    lsb = np.asarray(devices["dac_full_scale"]) * conditions.supply * 2.0 ** -dac_bits(devices)
    return np.asarray(codes * lsb)


def dac_bits(devices: Devices) -> int:
    """Bits of the write DAC."""
    return int(devices.card.si("dac_bits"))


def long_run(
    devices: Devices, codes: npt.NDArray[np.integer], conditions: Conditions = NOMINAL
) -> FloatArray:
    """Part of 1s (N, K) that each device gives in the long run when a code is repeated."""
    drive = code_drive(devices, codes, conditions)
    after = [bit_probability(devices, drive, previous, conditions) for previous in (0, 1)]
    return stationary(*after)


def trim(
    devices: Devices, probability: float, conditions: Conditions = NOMINAL
) -> npt.NDArray[np.int64]:
    """The DAC code (N, 1) whose long-run probability is nearest to ``probability``.

    By bisection, for a probability that rises with the code. Of two codes as near, the lower.

    Raises:
        UserError: ``probability`` is not in (0, 1).
    """
    _check_probability(probability)
    low = np.zeros((len(devices), 1), dtype=np.int64)
    high = np.full_like(low, 2 ** dac_bits(devices) - 1)
    while (wide := high - low > 1).any():
        middle = (low + high) // 2
        below = long_run(devices, middle, conditions) < probability
        low, high = np.where(wide & below, middle, low), np.where(wide & ~below, middle, high)
    miss = [np.abs(long_run(devices, end, conditions) - probability) for end in (low, high)]
    return np.where(miss[1] < miss[0], high, low)


def _check_probability(probability: float) -> None:
    if not 0 < probability < 1:
        raise UserError(f"probability: must be above 0 and below 1, not {probability!r}")


@dataclass(frozen=True)
class Yield:
    """How many devices hold a probability.

    Attributes:
        probability, tolerance: What they were asked to hold: ``|P - probability| <= tolerance``.
        untrimmed: Part of the devices that hold it in every condition at the nominal code.
        trimmed: At the code that was best for each under the first condition.
        retrimmed: At the code that is best for each under each condition.
        codes: int64 (N,): the codes of ``trimmed``.
        worst: float64 (N,): the largest error of ``trimmed`` over the conditions.
    """

    probability: float
    tolerance: float
    untrimmed: float
    trimmed: float
    retrimmed: float
    codes: npt.NDArray[np.int64]
    worst: FloatArray


def measure_yield(
    devices: Devices,
    probability: float,
    tolerance: float,
    conditions: Sequence[Conditions] = (NOMINAL,),
) -> Yield:
    """Part of the devices that hold ``probability`` within ``tolerance`` in all conditions.

    Raises:
        UserError: ``probability`` or ``tolerance`` is out of range, or there is no condition.
    """
    _check_probability(probability)
    if not 0 < tolerance < 1:
        raise UserError(f"tolerance: must be above 0 and below 1, not {tolerance!r}")
    if not conditions:
        raise UserError("conditions: give one or more")

    def worst(codes: Callable[[Conditions], npt.NDArray[np.int64]]) -> FloatArray:
        errors = [np.abs(long_run(devices, codes(one), one) - probability) for one in conditions]
        return np.asarray(np.max(errors, axis=0)[:, 0])

    default = trim(nominal(devices.card), probability, conditions[0])
    first = trim(devices, probability, conditions[0])
    errors = [
        worst(lambda _: default),
        worst(lambda _: first),
        worst(lambda one: trim(devices, probability, one)),
    ]
    untrimmed, trimmed, retrimmed = (float(np.mean(one <= tolerance)) for one in errors)
    return Yield(probability, tolerance, untrimmed, trimmed, retrimmed, first[:, 0], errors[1])
