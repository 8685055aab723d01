# SPDX-License-Identifier: Apache-2.0
"""Switching probability of an axisymmetric macrospin: the one-dimensional Fokker-Planck equation.

With z the magnetisation along the easy axis, time s in units of the relaxation time tau_D, the
reduced drive i = I / Ic0 and the barrier Delta = Eb / kT, the density rho(z) obeys

    d rho / ds = -d/dz { (1 - z^2) [ (z - i) rho - 1/(2 Delta) d rho / dz ] }

(Brown, Phys. Rev. 130, 1677, 1963, with a collinear spin torque). It is exact for a macrospin whose
anisotropy, field and spin polarisation share one axis, in every regime: thermal activation (i < 1),
fast reversal (i > 1) and the crossover, where no closed form holds. A field H along the axis acts
as a drive of -H / Hk.

Space: Legendre moments m_l = <P_l(z)>, l = 0 .. L. The equation couples m_l to m_(l-2) .. m_(l+2)
only, its truncation converges exponentially, and m_0, the mass, is constant by construction. Time:
TR-BDF2 (second order, L-stable) with steps in geometric progression, so that a pulse of 1e6 tau_D
costs what one of 10 does. The banded matrices of all points are solved as one long banded matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg.lapack import dgbtrf, dgbtrs
from scipy.special import eval_legendre, roots_legendre

from scaledrop.device.law import FloatArray
from scaledrop.errors import UserError

__all__ = [
    "MAX_DELTA",
    "MAX_DRIVE",
    "MAX_TIME",
    "Resolution",
    "density",
    "down_fraction",
    "evolve",
    "switching_probability",
    "well_moments",
]

MIN_DELTA, MAX_DELTA = 1e-3, 400.0
MAX_DRIVE = 100.0
MAX_TIME = 1e9
"""Rounding limits the slowest rate to some 1e-15 / tau_D; longer is a matter of retention."""
BAND = 2
Real = FloatArray | float
CHUNK = 128
"""Points solved together: their arrays stay in the cache."""
GAMMA = 2 - np.sqrt(2)
"""Part of a step taken by the trapezoidal rule; with it both stages share one matrix."""


@dataclass(frozen=True)
class Resolution:
    """How finely to solve; the defaults keep P within 5e-4 (docs/device.md).

    Attributes:
        modes: Largest l; 0 takes 4.5 sqrt(2 Delta (1 + abs(i))) + 16, for each few points anew.
        steps: Time steps of the pulse.
        relax_steps: Time steps of the free relaxation.
        first: First step in units of tau_D / (1 + abs(i)); later ones grow.
    """

    modes: int = 0
    steps: int = 96
    relax_steps: int = 32
    first: float = 0.04

    def modes_for(self, drive: FloatArray, delta: FloatArray) -> FloatArray:
        """Largest l: a density at rest in a well is 1 / sqrt(2 Delta (1 + abs(i))) wide."""
        least = 4.5 * np.sqrt(2 * delta * (1 + np.abs(drive))) + 16
        return np.where(self.modes, self.modes, np.ceil(least))


class _Generator:
    """Generator of all points: pentadiagonal, ``band[2 + row - column, column]``."""

    def __init__(self, drive: FloatArray, delta: FloatArray, modes: int) -> None:
        degree = np.arange(modes + 1.0)
        c = degree * (degree + 1) / (2 * degree + 1)
        keep1, keep2 = degree <= modes - 1, degree <= modes - 2
        alone = c * (degree / (2 * degree - 1) - (degree + 1) / (2 * degree + 3))
        i, noise = drive[:, None], 1 / (2 * delta[:, None])
        rows = np.zeros((2 * BAND + 1, len(delta), modes + 1))
        rows[0] = -c * (degree + 2) / (2 * degree + 3) * keep2
        rows[1] = i * c * keep1
        rows[2] = alone - degree * (degree + 1) * noise
        rows[3] = -i * c
        rows[4] = c * (degree - 1) / (2 * degree - 1)
        self.rows = rows.reshape(2 * BAND + 1, -1)
        self.modes = modes

    def apply(self, m: FloatArray) -> FloatArray:
        """Time derivative of the moments (points * (L + 1))."""
        rows = self.rows
        out: FloatArray = rows[2] * m
        out[:-1] += rows[1, :-1] * m[1:]
        out[:-2] += rows[0, :-2] * m[2:]
        out[1:] += rows[3, 1:] * m[:-1]
        out[2:] += rows[4, 2:] * m[:-2]
        return out

    def _factors(self, a: FloatArray) -> tuple[FloatArray, FloatArray]:
        scaled = -a * self.rows
        band = np.zeros((scaled.shape[1], 3 * BAND + 1)).T
        band[4] = 1 + scaled[2]
        band[3, 1:], band[2, 2:] = scaled[1, :-1], scaled[0, :-2]
        band[5, :-1], band[6, :-2] = scaled[3, 1:], scaled[4, 2:]
        lu, pivots, _ = dgbtrf(band, BAND, BAND, overwrite_ab=1)
        return lu, pivots

    def step(self, m: FloatArray, dt: FloatArray) -> FloatArray:
        """One step of TR-BDF2 with ``dt`` for each point."""
        a = np.repeat(dt * (GAMMA / 2), self.modes + 1)
        lu, pivots = self._factors(a)
        middle = dgbtrs(lu, BAND, BAND, m + a * self.apply(m), pivots, overwrite_b=1)[0]
        last = (middle - (1 - GAMMA) ** 2 * m) / (GAMMA * (2 - GAMMA))
        out: FloatArray = dgbtrs(lu, BAND, BAND, last, pivots, overwrite_b=1)[0]
        return out


def _steps(time: FloatArray, first: FloatArray, steps: int) -> tuple[FloatArray, FloatArray]:
    """First step and ratio >= 1 of ``steps`` steps in geometric progression that add to ``time``.

    The first is ``first``, or less if equal steps reach the end.
    """
    total = time / np.minimum(np.maximum(time, 1e-300) / steps, first)
    low, high = np.zeros_like(total), np.full_like(total, 100 / steps)
    for _ in range(50):
        log = (low + high) / 2
        short = np.expm1(log * steps) < total * np.expm1(log)
        low, high = np.where(short, log, low), np.where(short, high, log)
    log = np.where(total > steps * (1 + 1e-9), low, 0.0)
    sums = np.where(log > 0, np.expm1(log * steps) / np.expm1(np.where(log > 0, log, 1)), steps)
    return time / sums, np.exp(log)


def evolve(
    moments: FloatArray,
    drive: FloatArray,
    delta: FloatArray,
    time: FloatArray,
    steps: int,
    first: float = 0.04,
) -> FloatArray:
    """Moments (points, L + 1) after ``time`` (points,) in units of tau_D at constant drive."""
    generator = _Generator(drive, delta, moments.shape[1] - 1)
    dt, ratio = _steps(time, first / (1 + np.abs(drive)), steps)
    m = moments.ravel()
    for _ in range(steps):
        m = generator.step(m, dt)
        dt = dt * ratio
    return m.reshape(moments.shape)


@lru_cache(maxsize=8)
def _half_well(modes: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nodes of z = 0 .. 1, their weights, P_l there."""
    x, weights = roots_legendre(max(64, 2 * modes))
    z = (x + 1) / 2
    return z, weights, np.asarray(eval_legendre(np.arange(modes + 1)[None, :], z[:, None]))


def well_moments(delta: FloatArray, modes: int, up: Real = 1.0, drive: Real = 0.0) -> FloatArray:
    """Moments (points, L + 1) of the Boltzmann density, with the part ``up`` at z > 0.

    ``up`` = 1 is a device that was reset and left to settle; ``drive`` is that of a constant bias.
    """
    x, weights, basis = _half_well(modes)
    degree = np.arange(modes + 1)
    part, bias = (np.broadcast_to(one, delta.shape)[:, None] for one in (up, drive))

    def half(i: FloatArray) -> FloatArray:
        log = delta[:, None] * (x - i) ** 2
        rho = np.exp(log - log.max(axis=1, keepdims=True)) * weights
        return np.asarray((rho / rho.sum(axis=1, keepdims=True)) @ basis)

    return np.asarray(part * half(bias) + (1 - part) * (-1.0) ** degree * half(-bias))


def down_fraction(moments: FloatArray) -> FloatArray:
    """Probability (points,) of z < 0."""
    degree = np.arange(moments.shape[1])
    weights = (eval_legendre(degree + 1, 0.0) - eval_legendre(np.abs(degree - 1), 0.0)) / 2
    weights[0] = 0.5
    return np.asarray(moments @ weights)


def density(moments: FloatArray, z: FloatArray) -> FloatArray:
    """rho(z) (points, len(z)) from its moments."""
    degree = np.arange(moments.shape[1])
    basis = eval_legendre(degree[:, None], z[None, :])
    return np.asarray((moments * (degree + 0.5)) @ basis)


def switching_probability(
    drive: Real,
    delta: Real,
    time: Real,
    *,
    relax: Real = 10.0,
    up: Real = 1.0,
    rest_delta: Real | None = None,
    rest_drive: Real = 0.0,
    resolution: Resolution | None = None,
) -> FloatArray:
    """Probability of being found at z < 0 after a pulse and a free relaxation.

    Args:
        drive: i = I / Ic0, -100 to 100; positive drives from z = +1 to z = -1.
        delta: Barrier at zero drive over kT, 0.001 to 400.
        time: Width of the pulse in units of tau_D, 0 to 1e9.
        relax: Time after the pulse in units of tau_D; 10 suffices to settle.
        up: Probability of having started in the upper well; below 1 if the reset is incomplete.
        rest_delta: Barrier before and after the pulse, if the pulse heats the device.
        rest_drive: Drive before and after the pulse: a constant field H along z is -H / Hk.
        resolution: How finely to solve.

    Returns:
        float64 in [0, 1]; all but ``resolution`` broadcast.

    Raises:
        UserError: a value is out of its range.
    """
    rest = delta if rest_delta is None else rest_delta
    given = {
        "drive": (drive, -MAX_DRIVE, MAX_DRIVE),
        "delta": (delta, MIN_DELTA, MAX_DELTA),
        "time": (time, 0, MAX_TIME),
        "up": (up, 0, 1),
        "rest_drive": (rest_drive, -MAX_DRIVE, MAX_DRIVE),
        "rest_delta": (rest, MIN_DELTA, MAX_DELTA),
        "relax": (relax, 0, MAX_TIME),
    }
    for name, (values, low, high) in given.items():
        _check(name, np.asarray(values), low, high)
    arrays = np.broadcast_arrays(*[one[0] for one in given.values()])
    flat = np.stack([np.ravel(one) for one in arrays]).astype(np.float64)
    fine, out = resolution or Resolution(), np.empty(flat.shape[1])
    modes = np.maximum(fine.modes_for(flat[0], flat[1]), fine.modes_for(flat[4], flat[5]))
    order = np.argsort(modes, kind="stable")
    for at in range(0, len(order), CHUNK):
        part = order[at : at + CHUNK]
        out[part] = _solve(flat[:, part], int(modes[part[-1]]), fine)
    return out.reshape(arrays[0].shape)


def _solve(points: FloatArray, modes: int, fine: Resolution) -> FloatArray:
    i, delta, time, up, bias, cold, relax = points
    moments = well_moments(cold, modes, up, bias)
    moments = evolve(moments, i, delta, time, fine.steps, fine.first)
    moments = evolve(moments, bias, cold, relax, fine.relax_steps, fine.first)
    return np.clip(down_fraction(moments), 0.0, 1.0)


def _check(name: str, values: FloatArray, low: float, high: float) -> None:
    wrong = values[~((values >= low) & (values <= high))]
    if wrong.size:
        raise UserError(f"{name}: must be {low:g} to {high:g}, not {wrong.flat[0]:g}")
