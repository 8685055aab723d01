# SPDX-License-Identifier: Apache-2.0
"""Reading a junction: a resistance divider and a sense amplifier with offset and noise.

The read voltage lies across the junction in series with a reference resistor, the geometric mean of
the nominal junction's two resistances: that makes the two voltages at the node as different as they
can be. The amplifier compares the node with the mean of the nominal two. Its offset is the device's
draw of ``sense_offset``, its noise the cycle-to-cycle spread of it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import Devices, nominal
from scaledrop.device.law import FloatArray

__all__ = ["junction_resistance", "node_voltage", "read_as_switched", "reference_resistance"]

ROUNDS = 30
"""Of the iteration between bias and TMR; each gains more than a factor 4."""


def _tmr(devices: Devices, temperature_k: float, bias: FloatArray | float) -> FloatArray:
    """TMR at a bias: TMR0 / (1 + (V / V_half)^2)."""
    warmer = temperature_k - np.asarray(devices["reference_temperature"])
    zero = np.asarray(devices["tmr"]) * (1 + np.asarray(devices["tmr_tcr"]) * warmer)
    return np.asarray(zero / (1 + (bias / np.asarray(devices["tmr_half_voltage"])) ** 2))


def junction_resistance(
    devices: Devices, antiparallel: bool, temperature_k: float, bias: FloatArray | float = 0.0
) -> FloatArray:
    """Ohms of the junction in one of its states; ``bias`` in volts across it."""
    warmer = temperature_k - np.asarray(devices["reference_temperature"])
    parallel = np.asarray(devices["r_parallel"]) * (1 + np.asarray(devices["r_tcr"]) * warmer)
    return parallel * (1 + _tmr(devices, temperature_k, bias)) if antiparallel else parallel


def reference_resistance(devices: Devices) -> float:
    """Ohms of the reference resistor: sqrt(R_P R_AP) of the nominal device."""
    card = devices.card
    return float(card.si("r_parallel") * np.sqrt(1 + card.si("tmr")))


def node_voltage(devices: Devices, antiparallel: bool, conditions: Conditions) -> FloatArray:
    """Volts at the divider's node, (N, 1) or a scalar array."""
    reference = reference_resistance(devices)
    supply = np.asarray(devices["read_voltage"]) * conditions.supply
    node = supply / 2
    for _ in range(ROUNDS):
        ohms = junction_resistance(devices, antiparallel, conditions.temperature_k, node)
        node = supply * ohms / (ohms + reference)
    return np.asarray(node)


def read_as_switched(devices: Devices, conditions: Conditions) -> tuple[FloatArray, FloatArray]:
    """Probabilities that a reset and a switched device are read as switched.

    The first is the error of one state, 1 minus the second that of the other. The decision level
    scales with the supply and does not follow the temperature.
    """
    plain = nominal(devices.card)
    at = Conditions(plain.card.si("reference_temperature"), conditions.supply)
    level = (node_voltage(plain, False, at) + node_voltage(plain, True, at)) / 2
    noise = devices.card.cycle_sigma("sense_offset")
    reset_is_ap = devices.card.reset_state == "AP"
    found = []
    for switched in (False, True):
        antiparallel = switched != reset_is_ap
        margin = node_voltage(devices, antiparallel, conditions) - level - devices["sense_offset"]
        margin = -margin if reset_is_ap else margin
        # Without noise the decision is certain, and a tie reads as reset.
        certain = np.asarray(margin > 0, dtype=np.float64)
        found.append(np.asarray(ndtr(margin / noise)) if noise else certain)
    return found[0], found[1]
