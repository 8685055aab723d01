# SPDX-License-Identifier: Apache-2.0
"""The units that a device card may use, and what they are in SI."""

from __future__ import annotations

from enum import Enum

from scaledrop.errors import UserError

__all__ = ["Dimension", "to_si"]


class Dimension(Enum):
    """What a parameter measures; the value is what each unit is worth in the first one, SI."""

    VOLTAGE = {"V": 1.0, "mV": 1e-3, "uV": 1e-6}
    TIME = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "year": 31557600.0}
    RESISTANCE = {"Ohm": 1.0, "kOhm": 1e3, "MOhm": 1e6}
    LENGTH = {"m": 1.0, "um": 1e-6, "nm": 1e-9, "pm": 1e-12}
    TEMPERATURE = {"K": 1.0}
    ENERGY = {"J": 1.0, "pJ": 1e-12, "fJ": 1e-15}
    RATIO = {"1": 1.0, "%": 0.01, "ppm": 1e-6}
    COUNT = {"1": 1.0}
    BITS = {"bit": 1.0}
    WRITES = {"writes": 1.0}
    PER_VOLT = {"1/V": 1.0, "1/mV": 1e3}
    PER_KELVIN = {"1/K": 1.0, "%/K": 0.01, "ppm/K": 1e-6}
    VOLT_PER_KELVIN = {"V/K": 1.0, "mV/K": 1e-3, "uV/K": 1e-6}
    MAGNETISATION = {"A/m": 1.0, "kA/m": 1e3, "MA/m": 1e6}
    INDUCTION = {"T": 1.0, "mT": 1e-3}
    SURFACE_ENERGY = {"J/m2": 1.0, "mJ/m2": 1e-3}


def to_si(value: float, unit: str, dimension: Dimension, where: str) -> float:
    """``value`` in the SI unit of ``dimension``.

    Raises:
        UserError: ``unit`` does not measure that; the message begins with ``where``.
    """
    units = dimension.value
    if unit not in units:
        kind = dimension.name.lower().replace("_", " ")
        known = " or ".join(units)
        raise UserError(f"{where}: unit {unit!r} is no unit of {kind}; give the value in {known}")
    return value * float(units[unit])
