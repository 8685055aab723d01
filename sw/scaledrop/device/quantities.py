# SPDX-License-Identifier: Apache-2.0
"""Every parameter that a device card may have: what it measures, its range, who needs it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from scaledrop.device.units import Dimension as D

__all__ = ["CYCLE", "NO_SPREAD", "QUANTITIES", "LawKind", "Quantity"]

INF = math.inf
TINY = math.ulp(0.0)


class LawKind(StrEnum):
    """How the switching probability of a card is had."""

    EMPIRICAL = "empirical"
    """A measured curve: :class:`scaledrop.device.empirical.EmpiricalLaw`."""
    MACROSPIN = "macrospin"
    """One magnetic moment with thermal noise, from material parameters."""


@dataclass(frozen=True)
class Quantity:
    """A parameter of a card.

    Attributes:
        dimension: What its unit must measure.
        text: What it is, for ``device show`` and the documentation.
        low, high: Range of the value in SI, both ends allowed.
        neutral: Value where a card does not give it: the effect is off. None: must be given.
        law: The only law that has it; None where every law does.
    """

    dimension: D
    text: str
    low: float = 0.0
    high: float = INF
    neutral: float | None = None
    law: LawKind | None = None


E, M = LawKind.EMPIRICAL, LawKind.MACROSPIN

QUANTITIES: dict[str, Quantity] = {
    # Write path.
    "write_resistance": Quantity(D.RESISTANCE, "channel between the write terminals", TINY),
    "write_tcr": Quantity(D.PER_KELVIN, "its temperature coefficient", -0.01, 0.01, 0.0),
    "pulse": Quantity(D.TIME, "width of the write pulse", TINY),
    "settle": Quantity(D.TIME, "wait between reset and write", 0.0, INF, 0.0),
    "reset_voltage": Quantity(D.VOLTAGE, "height of the reset pulse", TINY),
    "reset_pulse": Quantity(D.TIME, "width of the reset pulse", TINY),
    "driver_factor": Quantity(D.COUNT, "joules from the supply per joule in it", 1.0, INF, 1.0),
    "dac_bits": Quantity(D.BITS, "bits of the write DAC", 1, 16),
    "dac_full_scale": Quantity(D.VOLTAGE, "drive at code 2**dac_bits", TINY),
    "reference_temperature": Quantity(D.TEMPERATURE, "where values hold", 1.0, 1000.0, 300.0),
    # Empirical law.
    "v_th_1ns": Quantity(D.VOLTAGE, "drive that switches half the writes at 1 ns", TINY, law=E),
    "v_th_log": Quantity(D.VOLTAGE, "its fall per factor e of pulse width", 0.0, INF, 0.0, E),
    "v_th_per_k": Quantity(D.VOLT_PER_KELVIN, "its rise per kelvin", -0.1, 0.1, 0.0, E),
    "slope": Quantity(D.PER_VOLT, "4 dP/dV at half height", TINY, law=E),
    "plateau_low": Quantity(D.RATIO, "P far below the threshold", 0.0, 0.5, 0.0, E),
    "plateau_high": Quantity(D.RATIO, "P far above the threshold", 0.5, 1.0, 1.0, E),
    "asymmetry": Quantity(D.COUNT, "1: logistic; below: long lower tail", 0.05, 20.0, 1.0, E),
    # Macrospin law.
    "ms": Quantity(D.MAGNETISATION, "saturation magnetisation", TINY, law=M),
    "mu0_hk": Quantity(D.INDUCTION, "effective anisotropy field", TINY, INF, math.nan, M),
    "k_i": Quantity(D.SURFACE_ENERGY, "interface anisotropy", TINY, INF, math.nan, M),
    "demagnetisation": Quantity(D.COUNT, "Nz - Nx, with k_i", 0.0, 1.0, 1.0, M),
    "curie": Quantity(D.TEMPERATURE, "Curie temperature", 1.0, INF, 1100.0, M),
    "t_f": Quantity(D.LENGTH, "thickness of the free layer", TINY, law=M),
    "diameter": Quantity(D.LENGTH, "diameter of the free layer", TINY, law=M),
    "alpha": Quantity(D.COUNT, "Gilbert damping", TINY, 1.0, law=M),
    "theta_sh": Quantity(D.COUNT, "spin Hall angle of the channel", TINY, law=M),
    "channel_width": Quantity(D.LENGTH, "width of the channel", TINY, law=M),
    "channel_thickness": Quantity(D.LENGTH, "thickness of the channel", TINY, law=M),
    # Read path.
    "r_parallel": Quantity(D.RESISTANCE, "junction in the parallel state", TINY),
    "r_tcr": Quantity(D.PER_KELVIN, "its temperature coefficient", -0.01, 0.01, 0.0),
    "tmr": Quantity(D.RATIO, "(R_AP - R_P) / R_P at zero bias", TINY),
    "tmr_tcr": Quantity(D.PER_KELVIN, "its temperature coefficient", -0.01, 0.01, 0.0),
    "tmr_half_voltage": Quantity(D.VOLTAGE, "bias that halves it", TINY, INF, INF),
    "read_voltage": Quantity(D.VOLTAGE, "across junction and reference resistor", TINY),
    "read_time": Quantity(D.TIME, "for which it is applied", TINY),
    "sense_offset": Quantity(D.VOLTAGE, "offset of the sense amplifier", -INF, INF, 0.0),
    "sense_energy": Quantity(D.ENERGY, "one decision of it", 0.0, INF, 0.0),
    # Defects.
    "reset_failure": Quantity(D.RATIO, "reset leaves a switched device", 0.0, 1.0, 0.0),
    "back_hop": Quantity(D.RATIO, "a switched device hops back in the pulse", 0.0, 1.0, 0.0),
    "back_hop_voltage": Quantity(D.VOLTAGE, "drive where half of that is reached", TINY, INF, INF),
    "retention": Quantity(D.TIME, "mean time in a state without drive", TINY, INF, INF),
    "attempt_time": Quantity(D.TIME, "attempt time of that", TINY, INF, 1e-9),
    "stuck_reset": Quantity(D.RATIO, "share of devices that never switch", 0.0, 1.0, 0.0),
    "stuck_switched": Quantity(D.RATIO, "share of devices that always read so", 0.0, 1.0, 0.0),
    "ageing": Quantity(D.VOLTAGE, "rise of the threshold per decade of writes", -INF, INF, 0.0),
    "endurance": Quantity(D.WRITES, "after which 63 % are broken", TINY, INF, INF),
    "endurance_shape": Quantity(D.COUNT, "Weibull shape of that", 0.1, 20.0, 1.0),
    "drift": Quantity(D.VOLTAGE, "slow drift of the threshold, rms", 0.0, INF, 0.0),
    "drift_writes": Quantity(D.WRITES, "over which it forgets", TINY, INF, 1e6),
}
"""By the name in the card. ``mu0_hk`` and ``k_i`` stand for one another; NaN is the absent one."""

NO_SPREAD = frozenset(
    {
        *("pulse", "settle", "reset_pulse", "read_time", "dac_bits", "reference_temperature"),
        *("curie", "drift_writes", "endurance", "endurance_shape", "stuck_reset", "stuck_switched"),
    }
)
"""Those that are the same for all devices of a wafer, or that are a distribution already."""

CYCLE = frozenset({"v_th_1ns", "write_resistance", "dac_full_scale", "sense_offset"})
"""Those whose jitter from write to write is modelled."""
