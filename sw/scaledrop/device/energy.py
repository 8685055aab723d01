# SPDX-License-Identifier: Apache-2.0
"""Energy and time of the three operations of a spin unit: reset, write, read.

Joules are V^2 t / R of the path, times the driver factor for what the supply delivers on top: a
0.9 V write of 0.75 ns into 776 ohms takes 0.78 pJ in the device and 1.6 pJ from the supply at the
factor of 2.05 that was simulated for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import Devices
from scaledrop.device.law import FloatArray
from scaledrop.device.readout import junction_resistance, node_voltage, reference_resistance

__all__ = ["BitCost", "bit_cost", "channel_resistance"]


@dataclass(frozen=True)
class BitCost:
    """Joules and seconds of one bit, part by part; joules (N, K), from the supply."""

    reset_j: FloatArray
    write_j: FloatArray
    read_j: FloatArray
    reset_s: float
    write_s: float
    read_s: float

    @property
    def energy_j(self) -> FloatArray:
        return np.asarray(self.reset_j + self.write_j + self.read_j)

    @property
    def time_s(self) -> float:
        return self.reset_s + self.write_s + self.read_s


def channel_resistance(devices: Devices, temperature_k: float) -> FloatArray:
    """Ohms between the write terminals."""
    warmer = temperature_k - np.asarray(devices["reference_temperature"])
    return np.asarray(devices["write_resistance"] * (1 + np.asarray(devices["write_tcr"]) * warmer))


def bit_cost(
    devices: Devices,
    drive: FloatArray,
    conditions: Conditions,
    probability: FloatArray | float = 0.5,
) -> BitCost:
    """Cost of one bit: reset, write at ``drive``, read.

    Args:
        devices: N devices.
        drive: Volts at the write terminals, (N or 1, K).
        conditions: Temperature, supply and pulse.
        probability: Part of the reads that find the device switched.
    """
    card, temperature = devices.card, conditions.temperature_k
    pulse = card.si("pulse") if conditions.pulse_s is None else conditions.pulse_s
    per_volt = np.asarray(devices["driver_factor"]) / channel_resistance(devices, temperature)
    reset_volts = np.asarray(devices["reset_voltage"]) * conditions.supply
    supply = np.asarray(devices["read_voltage"]) * conditions.supply
    read = []
    for antiparallel in (False, True):
        node = node_voltage(devices, antiparallel, conditions)
        ohms = junction_resistance(devices, antiparallel, temperature, node)
        read.append(supply**2 / (ohms + reference_resistance(devices)) * card.si("read_time"))
    first, second = read if card.reset_state == "P" else read[::-1]
    shape = np.broadcast_shapes(np.shape(drive), (len(devices), 1))
    parts = (
        reset_volts**2 * per_volt * card.si("reset_pulse"),
        np.asarray(drive) ** 2 * per_volt * pulse,
        (1 - probability) * first + probability * second + np.asarray(devices["sense_energy"]),
    )
    reset_j, write_j, read_j = (np.broadcast_to(part, shape) for part in parts)
    times = card.si("reset_pulse") + card.si("settle"), pulse, card.si("read_time")
    return BitCost(reset_j, write_j, read_j, *times)
