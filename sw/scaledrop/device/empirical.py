# SPDX-License-Identifier: Apache-2.0
"""The switching law of a measured device: a logistic with plateaux and asymmetry.

::

    P(V, t, T) = lo + (hi - lo) F(slope (V - V_th)),    V_th = a - b ln(t / 1 ns) + c (T - T_ref)
    F(x) = (1 + (2^(1/v) - 1) exp(-x / (2 v (1 - 2^(-1/v)))))^-v

F is the generalised logistic (Richards 1959) written so that F(0) = 1/2 and F'(0) = 1/4 for every
asymmetry v; v = 1 is the logistic. V_th(t) is the form measured on three-terminal devices
(HIKSTOR: R^2 > 0.995 from 0.75 to 5 ns), and that of thermal activation, where
b = V_c0 / Delta. The plateau below 1 is what back-hopping leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaledrop.device.law import FloatArray

__all__ = ["EmpiricalLaw", "asymmetric_logistic", "asymmetric_logit"]

Values = FloatArray | float


def _steepness(asymmetry: Values) -> FloatArray:
    v = np.asarray(asymmetry, dtype=np.float64)
    return np.asarray(2 * v * -np.expm1(-np.log(2) / v))


def asymmetric_logistic(x: Values, asymmetry: Values) -> FloatArray:
    """F(x): 1/2 with slope 1/4 at x = 0, whatever the asymmetry.

    Below 1 the lower tail is the longer one, above 1 the upper one.
    """
    v = np.asarray(asymmetry, dtype=np.float64)
    tail = np.log(np.expm1(np.log(2) / v)) - np.asarray(x) / _steepness(v)
    return np.asarray(np.exp(-v * np.logaddexp(0.0, tail)))


def asymmetric_logit(probability: Values, asymmetry: Values) -> FloatArray:
    """The x of a probability: the inverse of :func:`asymmetric_logistic`."""
    v = np.asarray(asymmetry, dtype=np.float64)
    tail = np.log(np.expm1(-np.log(probability) / v)) - np.log(np.expm1(np.log(2) / v))
    return np.asarray(-tail * _steepness(v))


@dataclass(frozen=True)
class EmpiricalLaw:
    """A measured switching curve; every attribute is a number or an array that broadcasts.

    Attributes:
        v_th_1ns: Threshold at 1 ns and the reference temperature, volts (a).
        slope: 4 dP/dV halfway between the plateaux, for plateaux 0 and 1, per volt.
        v_th_log: Fall of the threshold for each factor e of the pulse width, volts (b).
        v_th_per_k: Rise of the threshold, volts per kelvin (c); negative for most devices.
        plateau_low, plateau_high: P far below and far above the threshold.
        asymmetry: v; 1 is the logistic.
        reference_k: T_ref in kelvin.
    """

    v_th_1ns: Values
    slope: Values
    v_th_log: Values = 0.0
    v_th_per_k: Values = 0.0
    plateau_low: Values = 0.0
    plateau_high: Values = 1.0
    asymmetry: Values = 1.0
    reference_k: Values = 300.0

    def threshold(self, pulse_s: Values, temperature_k: Values) -> FloatArray:
        """V_th in volts: the drive halfway between the plateaux."""
        warmer = np.asarray(temperature_k) - self.reference_k
        fall = self.v_th_log * np.log(np.asarray(pulse_s) / 1e-9)
        return np.asarray(self.v_th_1ns - fall + self.v_th_per_k * warmer)

    def probability(self, drive: Values, pulse_s: Values, temperature_k: Values) -> FloatArray:
        """P in [plateau_low, plateau_high]; see :class:`scaledrop.device.law.SwitchingLaw`."""
        x = self.slope * (np.asarray(drive) - self.threshold(pulse_s, temperature_k))
        rise = asymmetric_logistic(x, self.asymmetry)
        return np.asarray(self.plateau_low + (self.plateau_high - self.plateau_low) * rise)

    def drive(self, probability: Values, pulse_s: Values, temperature_k: Values) -> FloatArray:
        """Volts that switch with ``probability``; NaN outside the plateaux."""
        rise = (probability - np.asarray(self.plateau_low)) / (
            np.asarray(self.plateau_high) - self.plateau_low
        )
        inside = np.where((rise > 0) & (rise < 1), rise, np.nan)
        x = asymmetric_logit(inside, self.asymmetry)
        return np.asarray(self.threshold(pulse_s, temperature_k) + x / self.slope)
