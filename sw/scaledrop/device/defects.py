# SPDX-License-Identifier: Apache-2.0
"""What is wrong with real devices: incomplete reset, back-hopping, short retention, wear.

A device that was switched and is not reset remembers its last bit: the probability of a bit then
depends on the bit before it, and a bit source has a table for each. A read error is not remembered:
the state is taken to be what was read.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import FREE, STUCK_RESET, STUCK_SWITCHED, Devices
from scaledrop.device.law import FloatArray
from scaledrop.device.readout import read_as_switched
from scaledrop.device.writing import write_probability

__all__ = ["back_hop", "bit_probability", "flip_chance", "stationary", "stuck_after"]

HOP_WIDTH = 0.02
"""Width of the rise of back-hopping, as a part of its voltage. An assumed shape."""


def back_hop(devices: Devices, drive: FloatArray) -> FloatArray:
    """Probability that a device which switched hops back before the pulse ends."""
    centre = np.asarray(devices["back_hop_voltage"])
    with np.errstate(invalid="ignore"):  # without a voltage there is no hopping
        x = np.where(np.isinf(centre), -np.inf, (drive / centre - 1) / HOP_WIDTH)
    return np.asarray(devices["back_hop"] * np.exp(-np.logaddexp(0, -x)))


def flip_chance(devices: Devices, seconds: FloatArray | float, temperature_k: float) -> FloatArray:
    """Probability that a device left alone for ``seconds`` is found in its other state.

    Two states, each left at the rate 1 / retention: (1 - exp(-2 t / retention)) / 2. The retention
    is tau0 exp(Delta) with Delta in proportion to 1 / T.
    """
    kept, attempt = np.asarray(devices["retention"]), np.asarray(devices["attempt_time"])
    finite = np.isfinite(kept)
    barrier = np.log(np.where(finite, kept, 1.0) / attempt)
    scaled = barrier * (np.asarray(devices["reference_temperature"]) / temperature_k - 1)
    rate = np.where(finite, 1 / (kept * np.exp(np.where(finite, scaled, 0.0))), 0.0)
    return np.asarray(-np.expm1(-2 * np.asarray(seconds) * rate) / 2)


def stuck_after(devices: Devices, writes: float) -> npt.NDArray[np.int8]:
    """(N, 1) :attr:`Devices.stuck` after so many writes: a broken barrier reads as parallel."""
    broken = STUCK_RESET if devices.card.reset_state == "P" else STUCK_SWITCHED
    return np.where(writes >= devices.lifetime, broken, devices.stuck).astype(np.int8)


def bit_probability(
    devices: Devices, drive: FloatArray, previous: int, conditions: Conditions
) -> FloatArray:
    """Probability (N, K) that reset, write and read give a 1: that the device is read as switched.

    Args:
        devices: N devices.
        drive: Volts at the write terminals, (N or 1, K).
        previous: Bit read before, 0 or 1.
        conditions: Temperature, supply, pulse, age, drift.
    """
    early = flip_chance(devices, devices["settle"], conditions.temperature_k)
    late = flip_chance(devices, devices["read_time"], conditions.temperature_k)
    failure = np.asarray(devices["reset_failure"]) * previous
    not_reset = failure + early * (1 - 2 * failure)
    hop = back_hop(devices, drive)
    switched = write_probability(devices, drive, conditions) * (1 - hop)
    switched = (1 - not_reset) * switched + not_reset * (1 - hop)
    switched = switched + late * (1 - 2 * switched)
    stuck = stuck_after(devices, conditions.writes)
    switched = np.where(stuck == FREE, switched, stuck == STUCK_SWITCHED)
    from_reset, from_switched = read_as_switched(devices, conditions)
    return np.asarray(from_reset + switched * (from_switched - from_reset))


def stationary(after_0: FloatArray, after_1: FloatArray) -> FloatArray:
    """Long-run part of 1s where a 1 follows a 0 and a 1 with these probabilities.

    A device that repeats its bit for ever (0 and 1) is given its half.
    """
    leave = 1 - after_1 + after_0
    return np.where(leave > 0, after_0 / np.where(leave > 0, leave, 1), 0.5)
