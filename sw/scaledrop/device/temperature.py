# SPDX-License-Identifier: Apache-2.0
"""What warms: magnetisation, anisotropy, resistances, and the pulse that heats its own device.

Everything is a ratio to its value at ``reference_k``. The magnetisation follows Bloch's law,
``Ms = Ms0 (1 - (T / Tc)**(3/2))``, the interface anisotropy a power of it (Callen and Callen). The
default exponents and the Curie temperature are customary for CoFeB on MgO, from memory: unverified.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaledrop.device.law import FloatArray
from scaledrop.errors import UserError

__all__ = ["SelfHeating", "TemperatureModel"]

Real = FloatArray | float


@dataclass(frozen=True)
class TemperatureModel:
    """How a device's parameters follow temperature.

    Attributes:
        reference_k: Where the parameters of the device were given, kelvin.
        curie_k: Curie temperature, kelvin.
        bloch: Exponent of Bloch's law.
        interface: Ki goes as Ms to this power.
        field: Hk goes as Ms to this power, for devices given by their effective field.
        polarisation: Spin polarisation falls as ``1 - polarisation T**1.5``, per K**1.5; it makes
            TMR fall (Julliere).
        channel_per_k: Relative change of the write path's resistance per kelvin.
        junction_per_k: Relative change of R_P per kelvin.
    """

    reference_k: float = 300.0
    curie_k: float = 1100.0
    bloch: float = 1.5
    interface: float = 2.2
    field: float = 2.0
    polarisation: float = 2e-5
    channel_per_k: float = 0.0
    junction_per_k: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.reference_k < self.curie_k:
            raise UserError(
                f"curie_k: must be above reference_k = {self.reference_k:g}, not {self.curie_k:g}"
            )

    def check(self, temperature_k: Real) -> FloatArray:
        """The temperatures as an array.

        Raises:
            UserError: one is not above 0 and below the Curie temperature.
        """
        t = np.asarray(temperature_k, dtype=np.float64)
        wrong = t[~((t > 0) & (t < self.curie_k))]
        if wrong.size:
            raise UserError(
                f"temperature_k: must be above 0 and below curie_k = {self.curie_k:g}, "
                f"not {wrong.flat[0]:g}"
            )
        return t

    def magnetisation(self, temperature_k: Real) -> FloatArray:
        """Ms(T) / Ms(reference)."""
        t = self.check(temperature_k)
        cold = 1 - (self.reference_k / self.curie_k) ** self.bloch
        return np.asarray((1 - (t / self.curie_k) ** self.bloch) / cold)

    def interface_anisotropy(self, temperature_k: Real) -> FloatArray:
        """Ki(T) / Ki(reference)."""
        return np.asarray(self.magnetisation(temperature_k) ** self.interface)

    def anisotropy_field(self, temperature_k: Real) -> FloatArray:
        """Hk(T) / Hk(reference), where no Ki is given."""
        return np.asarray(self.magnetisation(temperature_k) ** self.field)

    def channel(self, temperature_k: Real) -> FloatArray:
        """Resistance of the write path over that at the reference."""
        return self._linear(self.channel_per_k, "channel_per_k", temperature_k)

    def junction(self, temperature_k: Real) -> FloatArray:
        """R_P(T) / R_P(reference)."""
        return self._linear(self.junction_per_k, "junction_per_k", temperature_k)

    def tmr(self, reference_tmr: float, temperature_k: Real) -> FloatArray:
        """TMR(T) = 2 p**2 / (1 - p**2) with p(T), from its value at the reference (1 is 100 %)."""
        t = self.check(temperature_k)
        squared = reference_tmr / (2 + reference_tmr)
        fall = 1 - self.polarisation * self.reference_k**1.5
        squared = squared * ((1 - self.polarisation * t**1.5) / fall) ** 2
        return np.asarray(2 * squared / (1 - squared))

    def resistance(
        self, parallel_ohm: float, reference_tmr: float, temperature_k: Real
    ) -> tuple[FloatArray, FloatArray]:
        """R_P and R_AP in ohm at ``temperature_k``, from R_P and TMR at the reference."""
        low = parallel_ohm * self.junction(temperature_k)
        return low, low * (1 + self.tmr(reference_tmr, temperature_k))

    def _linear(self, per_k: float, name: str, temperature_k: Real) -> FloatArray:
        ratio = np.asarray(1 + per_k * (self.check(temperature_k) - self.reference_k))
        if np.any(ratio <= 0):
            raise UserError(f"{name}: {per_k:g} makes a resistance negative; give a smaller one")
        return ratio


@dataclass(frozen=True)
class SelfHeating:
    """One thermal resistance and time constant; the mean rise of a pulse stands for its course.

    Attributes:
        kelvin_per_watt: Steady rise over the power in the write path.
        time_s: Time constant of the rise, seconds.
    """

    kelvin_per_watt: float
    time_s: float

    def __post_init__(self) -> None:
        for name in ("kelvin_per_watt", "time_s"):
            if not getattr(self, name) > 0:
                raise UserError(f"{name}: must be above 0, not {getattr(self, name):g}")

    def mean_rise(self, power_w: Real, pulse_s: Real) -> FloatArray:
        """Rise in kelvin, averaged over the pulse: P R (1 - (tau / t)(1 - exp(-t / tau)))."""
        x = np.maximum(np.asarray(pulse_s, dtype=np.float64) / self.time_s, 1e-12)
        return np.asarray(power_w) * self.kelvin_per_watt * (1 + np.expm1(-x) / x)
