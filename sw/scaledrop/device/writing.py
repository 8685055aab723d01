# SPDX-License-Identifier: Apache-2.0
"""The write pulse of real devices: their laws, their resistances, and jitter from write to write.

White jitter of the drive is independent from write to write, so the bits stay independent and only
their probability changes: it is the mean of P over the jitter, here by Gauss-Hermite quadrature.
"""

from __future__ import annotations

import numpy as np

from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import Devices
from scaledrop.device.empirical import EmpiricalLaw
from scaledrop.device.law import FloatArray, SwitchingLaw
from scaledrop.device.quantities import LawKind

__all__ = ["drive_jitter", "law_of", "write_probability"]

NODES = 41
"""Of the quadrature: exact to 1e-8 in P up to slope x jitter = 0.8, and to 1e-4 up to 4."""


def law_of(devices: Devices) -> SwitchingLaw:
    """The law of the devices; drives of shape (N or 1, K) give probabilities (N, K)."""
    if devices.card.law is LawKind.MACROSPIN:
        from scaledrop.device.macrospin_card import macrospin_law

        return macrospin_law(devices)
    names = ("v_th_1ns", "slope", "v_th_log", "v_th_per_k", "plateau_low", "plateau_high")
    values = {name: devices[name] for name in (*names, "asymmetry")}
    return EmpiricalLaw(**values, reference_k=devices["reference_temperature"])


def drive_jitter(devices: Devices, drive: FloatArray) -> FloatArray:
    """Standard deviation of the drive from write to write, volts at the terminals.

    Jitter of the threshold, and of the channel and the DAC in proportion to the drive.
    """
    card = devices.card
    part = sum(
        (card.cycle_sigma(name) / card.si(name)) ** 2
        for name in ("write_resistance", "dac_full_scale")
    )
    fixed = card.cycle_sigma("v_th_1ns") if card.has("v_th_1ns") else 0.0
    return np.sqrt(fixed**2 + part * np.asarray(drive) ** 2)


def _channel_drive(devices: Devices, drive: FloatArray) -> FloatArray:
    """Volts that push the nominal device's current through each device's channel.

    A current switches, not a voltage: a channel of more ohms needs more volts. The measured
    temperature coefficient of a threshold contains that of the channel.
    """
    ratio = devices.card.si("write_resistance") / np.asarray(devices["write_resistance"])
    if devices.card.law is LawKind.MACROSPIN:
        ratio = np.asarray(1.0)  # the law divides by the resistance itself
    return np.asarray(drive * ratio)


def write_probability(devices: Devices, drive: FloatArray, conditions: Conditions) -> FloatArray:
    """Probability (N, K) that one pulse switches each freshly reset device, jitter included.

    Args:
        devices: N devices.
        drive: Volts at the write terminals, (N or 1, K).
        conditions: Ageing and drift raise the threshold, so they lower the drive.
    """
    worn = np.asarray(devices["ageing"]) * np.log10(1 + conditions.writes)
    volts = _channel_drive(devices, drive - worn - conditions.drift_v)
    pulse = devices.card.si("pulse") if conditions.pulse_s is None else conditions.pulse_s
    law, temperature = law_of(devices), conditions.temperature_k
    jitter = np.broadcast_to(drive_jitter(devices, volts), volts.shape)
    if not jitter.any():
        return law.probability(volts, pulse, temperature)
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    total = np.zeros(np.broadcast_shapes(volts.shape, (len(devices), 1)))
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        total += weight * law.probability(volts + node * jitter, pulse, temperature)
    return np.clip(total, 0.0, 1.0)
