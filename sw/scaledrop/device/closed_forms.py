# SPDX-License-Identifier: Apache-2.0
"""Closed forms of the axisymmetric macrospin: each with its range, and where it fails.

All take the reduced drive i = I / Ic0, the barrier Delta = Eb / kT and the time in units of tau_D,
and return float64 of the shape they broadcast to. They are for checks and for thought; what the
package computes with is :mod:`scaledrop.device.fokker_planck`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import dawsn, roots_legendre

from scaledrop.device.law import FloatArray
from scaledrop.errors import UserError

__all__ = [
    "ballistic",
    "brown_time",
    "butler",
    "escape_time",
    "fast_reversal",
    "half_drive",
    "neel_brown",
    "precessional_half_drive",
]

Real = FloatArray | float
NODES = 500


def _below_threshold(drive: FloatArray) -> None:
    wrong = drive[~((drive > -1) & (drive < 1))]
    if wrong.size:
        raise UserError(f"drive: thermal activation needs -1 < i < 1, not {wrong.flat[0]:g}")


def _above_threshold(drive: FloatArray) -> None:
    wrong = drive[~(drive > 1)]
    if wrong.size:
        raise UserError(f"drive: must be above 1, not {wrong.flat[0]:g}")


def neel_brown(
    drive: Real, delta: Real, time: Real, attempt: Real, exponent: int = 2
) -> FloatArray:
    """``P = 1 - exp(-t / tau)``, ``tau = tau0 exp(Delta (1 - i)**n)`` (Neel 1949, Brown 1963).

    Range: -1 < i < 1 with Delta (1 - i)**2 above some 4, and Gamma t of the way back small. n = 2
    is the barrier of the axisymmetric macrospin; n = 1 is the form usually fitted to measurements
    over a narrow range of i, and the barrier of nothing that is computed here. Fails: from
    Delta (1 - i)**2 = 4 on, where the barrier is lost; at i = 0 beyond t = tau, where the way back
    counts (the truth saturates at 1/2); n = 1 for this geometry, by exp(Delta i (1 - i)) in tau.

    Args:
        attempt: tau0 in units of tau_D; that of this geometry is in :func:`brown_time`.
        exponent: n, 1 or 2.

    Raises:
        UserError: i out of (-1, 1), or another exponent.
    """
    if exponent not in (1, 2):
        raise UserError(f"exponent: must be 1 or 2, not {exponent}")
    i = np.asarray(drive, dtype=np.float64)
    _below_threshold(i)
    tau = np.asarray(attempt) * np.exp(np.asarray(delta) * (1 - i) ** exponent)
    return np.asarray(-np.expm1(-np.asarray(time) / tau))


def brown_time(drive: Real, delta: Real) -> FloatArray:
    """Attempt time tau0 in units of tau_D of the axisymmetric macrospin (n = 2).

    ``tau0 = sqrt(pi / Delta) / ((1 - i**2) (1 - i))`` (Brown, Phys. Rev. 130, 1677, 1963, eq. 4.38
    with the drive as a field). Range: Delta (1 - i)**2 above 10 gives tau within some 10 %; fails
    towards i = 1, where it diverges and the truth does not.
    """
    i = np.asarray(drive, dtype=np.float64)
    _below_threshold(i)
    return np.asarray(np.sqrt(np.pi / np.asarray(delta)) / ((1 - i**2) * (1 - i)))


def escape_time(drive: Real, delta: Real) -> FloatArray:
    """Mean time, in units of tau_D, from the upper pole to beyond the barrier: by quadrature.

    Exact for the model at any barrier, so the yardstick of the others and the way to retention,
    which no time stepping reaches: ``T = 2 Delta int dz e**(-phi) / (1 - z**2) int_z^1 e**phi``,
    ``phi = Delta (z - i)**2`` (the mean first passage time of any textbook), from z = 1 to half way
    between the top of the barrier and the lower pole. Range: -1 < i < 1, Delta (1 - i)**2 below
    600. Where the barrier is below some 4 kT a mean time does not describe the switching.
    """
    i, d = np.broadcast_arrays(*[np.asarray(one, dtype=np.float64) for one in (drive, delta)])
    _below_threshold(i)
    x, weights = roots_legendre(NODES)
    target = (i - 1) / 2
    z = target[..., None] + (1 - target[..., None]) * (x + 1) / 2
    root = np.sqrt(d)[..., None]
    here, pole = root * (z - i[..., None]), root * (1 - i[..., None])
    inner = (np.exp(pole**2 - here**2) * dawsn(pole) - dawsn(here)) / root
    values = 2 * d[..., None] / (1 - z**2) * inner
    return np.asarray((values @ weights) * (1 - target) / 2)


def butler(drive: Real, delta: Real, time: Real) -> FloatArray:
    """``P = exp(-(pi**2 / 4) Delta (i - 1) / (i exp(2 (i - 1) t) - 1))`` for i > 1.

    Butler et al., IEEE Trans. Magn. 48, 4684 (2012); Khvalkovskiy et al., J. Phys. D 46, 074001
    (2013). The formula is cited from memory and was not checked against the papers: unverified.
    It is what :func:`fast_reversal` becomes if the angle grows linearly up to pi / 2. Range: i from
    2.5 to 5, there within 0.08 of the Fokker-Planck equation for Delta from 20 to 60. Fails: below
    i = 2, by 0.15 to 0.6; above 10 by up to 0.15; everywhere below threshold.

    Raises:
        UserError: i not above 1.
    """
    i = np.asarray(drive, dtype=np.float64)
    _above_threshold(i)
    with np.errstate(over="ignore"):
        grown = i * np.exp(2 * (i - 1) * np.asarray(time)) - 1
    return np.asarray(np.exp(-(np.pi**2 / 4) * np.asarray(delta) * (i - 1) / grown))


def fast_reversal(drive: Real, delta: Real, time: Real) -> FloatArray:
    """``P = exp(-2 Delta (i - 1) x / (i exp(2 (i - 1) t) - 1))``, for i > 1.

    With ``x = 2 ((i - 1) / (2 i))**(2 / (i + 1))``. Derived here: near the pole 1 - z is
    exponential, with a mean that noise and torque amplify as in the denominator; from there on the
    motion is that of no noise, solved up to z = 0, which is where x comes from. Range: i from 2 on,
    Delta from 20 on, there within 0.035 of the Fokker-Planck equation (0.02 from Delta = 40 on).
    Fails: below i = 1.5, by 0.1 to 0.6, for the noise then matters half way too.

    Raises:
        UserError: i not above 1.
    """
    i = np.asarray(drive, dtype=np.float64)
    _above_threshold(i)
    edge = 2 * ((i - 1) / (2 * i)) ** (2 / (i + 1))
    with np.errstate(over="ignore"):
        grown = i * np.exp(2 * (i - 1) * np.asarray(time)) - 1
    return np.asarray(np.exp(-2 * np.asarray(delta) * (i - 1) * edge / grown))


def ballistic(drive: Real, delta: Real, time: Real) -> FloatArray:
    """Precessional limit: the pulse is free of noise, chance lies in the thermal start alone.

    The start z0 is Boltzmann in the upper well; P is the part of the well from where the solved
    motion ``dz/ds = (1 - z**2)(z - i)`` reaches z = 0 within t. Range: i from 10 on (within 0.05
    for Delta from 10 on; 0.08 at i = 5). Fails: below i = 3, by 0.14 to 0.8, too low, for the noise
    during the pulse has its part in leaving the pole.

    Raises:
        UserError: i not above 1.
    """
    i, d, s = np.broadcast_arrays(
        *[np.asarray(one, dtype=np.float64) for one in (drive, delta, time)]
    )
    _above_threshold(i)
    low, high = np.zeros_like(s), np.full_like(s, 60.0)
    for _ in range(60):
        middle = (low + high) / 2
        late = _travel(middle, i) > s
        low, high = np.where(late, low, middle), np.where(late, middle, high)
    z = np.tanh(low)
    root = np.sqrt(d)
    inside = np.exp(d * (z**2 - 1)) * dawsn(root * z) / dawsn(root)
    return np.asarray(np.clip(inside, 0, 1))


def _travel(rapidity: FloatArray, i: FloatArray) -> FloatArray:
    """Time from z0 = tanh(rapidity) to 0: d(rapidity)/ds = -(i - tanh(rapidity)), solved.

    With r the rapidity, int_0^r dr / (i - tanh r) = (i r + ln(cosh r - sinh r / i)) / (i**2 - 1).
    """
    r = rapidity
    log = r + np.log((1 + np.exp(-2 * r)) / 2 - (1 - np.exp(-2 * r)) / (2 * i))
    return np.asarray((i * r + log) / (i**2 - 1))


def precessional_half_drive(delta: Real, time: Real) -> FloatArray:
    """Drive of P = 1/2 for short pulses: ``i = 1 + ln(4 Delta / ln 2) / (2 t)``.

    What :func:`fast_reversal` gives for i far above 1: the excess over threshold goes as 1 / t.
    Range: t up to 0.3, within 7 % for Delta from 20 to 60. Fails: from t = 2 on, by 20 % and more,
    where the truth bends towards i = 1 and, by thermal activation, below.
    """
    delta, time = np.asarray(delta, dtype=np.float64), np.asarray(time, dtype=np.float64)
    return np.asarray(1 + np.log(4 * delta / np.log(2)) / (2 * time))


def half_drive(delta: Real, time: Real, attempt: Real = 1.0) -> FloatArray:
    """Drive of P = 1/2 by thermal activation with n = 1: ``1 - ln(t / (tau0 ln 2)) / Delta``.

    The form in which threshold voltages over the pulse width are fitted. Only Delta over Ic0, and
    tau0 exp(Delta), can be told from such a fit. Fails where it gives more than 1, that is
    t < tau0 ln 2, and for this geometry (n = 2) outside a narrow range of t.
    """
    delta, time = np.asarray(delta, dtype=np.float64), np.asarray(time, dtype=np.float64)
    return np.asarray(1 - np.log(time / (np.asarray(attempt) * np.log(2))) / delta)
