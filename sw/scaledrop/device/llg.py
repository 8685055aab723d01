# SPDX-License-Identifier: Apache-2.0
"""Stochastic Landau-Lifshitz-Gilbert equation of many macrospins at once: what has no reduction.

One spin with uniaxial anisotropy, a demagnetising field along z, an applied field, and a
damping-like (and field-like) torque of any polarisation p:

    dm/dt = -gamma m x H + alpha m x dm/dt - gamma H_DL m x (m x p),   H includes eta H_DL p,

with the thermal field of Brown (1963): ``<h h> = 2 alpha k T / (gamma Ms V)`` a component, in T2 s.
Heun's scheme, which converges to the Stratonovich solution, and back to unit length every step.
Fields are in tesla (mu0 H). All points see the same noise: what differs between them is the drive,
not luck, so differences and slopes of P are much less noisy than each P.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.constants import Boltzmann

from scaledrop.device.law import FloatArray
from scaledrop.device.macrospin import GYROMAGNETIC
from scaledrop.errors import UserError

__all__ = ["Spin", "Trajectories", "run"]

Vector = tuple[float, float, float]
MAX_STEPS = 2_000_000


@dataclass(frozen=True)
class Spin:
    """A macrospin at one temperature.

    Attributes:
        moment_am2: Ms V, A m2.
        damping: Gilbert alpha.
        anisotropy_t: mu0 Hk along ``easy``, tesla.
        demagnetising_t: mu0 Hd along z, tesla; for a perpendicular layer leave it in anisotropy_t.
        easy: Unit vector of the easy axis, where the spin starts.
        polarisation: Unit vector p.
        applied_t: Constant field, tesla.
        field_like: eta, ratio of field-like to damping-like torque.
    """

    moment_am2: float
    damping: float
    anisotropy_t: float
    easy: Vector
    polarisation: Vector
    demagnetising_t: float = 0.0
    applied_t: Vector = (0.0, 0.0, 0.0)
    field_like: float = 0.0


@dataclass(frozen=True)
class Trajectories:
    """How many, how fine, how long.

    Attributes:
        count: Trajectories of each point; P has a standard error of sqrt(P (1 - P) / count).
        step_s: Time step, seconds; some 1/50 of a precession period is enough.
        settle_s: Time before the pulse, from the easy axis to thermal equilibrium.
        relax_s: Time after the pulse.
        seed: Of the PCG64 generator of the noise.
    """

    count: int = 1000
    step_s: float = 1e-12
    settle_s: float = 3e-9
    relax_s: float = 3e-9
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UserError(f"count: must be 1 or more, not {self.count}")
        if not self.step_s > 0:
            raise UserError(f"step_s: must be above 0, not {self.step_s:g}")


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.stack(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )


def _column(vector: Vector) -> FloatArray:
    return np.asarray(vector, dtype=np.float64).reshape(3, 1, 1)


class _Motion:
    """dm/dt of one spin, (3, points, count)."""

    def __init__(self, spin: Spin) -> None:
        self.spin = spin
        self.easy, self.p = _column(spin.easy), _column(spin.polarisation)
        self.applied = _column(spin.applied_t)
        self.scale = -GYROMAGNETIC / (1 + spin.damping**2)

    def __call__(self, m: FloatArray, noise: FloatArray, torque: FloatArray) -> FloatArray:
        spin = self.spin
        field = spin.anisotropy_t * (m * self.easy).sum(axis=0) * self.easy + self.applied + noise
        field[2] -= spin.demagnetising_t * m[2]
        field += spin.field_like * torque * self.p
        turn = field - spin.damping * torque * self.p
        push = spin.damping * field + torque * self.p
        return np.asarray(self.scale * _cross(m, turn + _cross(m, push)))


def run(
    spin: Spin,
    torque_t: FloatArray,
    pulse_s: FloatArray,
    temperature_k: float,
    how: Trajectories,
) -> FloatArray:
    """End points m (3, points, count) after settling, a pulse of each point, and relaxing.

    Args:
        torque_t: mu0 H_DL of each point during its pulse, tesla; (points,).
        pulse_s: Width of each pulse, seconds; (points,).
        temperature_k: Kelvin.

    Raises:
        UserError: more than two million steps.
    """
    total = how.settle_s + float(np.max(pulse_s, initial=0.0)) + how.relax_s
    steps = round(total / how.step_s)
    if steps > MAX_STEPS:
        raise UserError(f"pulse_s: {steps} steps of {how.step_s:g} s; at most {MAX_STEPS}")
    motion, random = _Motion(spin), np.random.Generator(np.random.PCG64(how.seed))
    power = 2 * spin.damping * Boltzmann * temperature_k / (GYROMAGNETIC * spin.moment_am2)
    spread = np.sqrt(power / how.step_s)
    m = np.broadcast_to(_column(spin.easy), (3, len(torque_t), how.count)).copy()
    for step in range(steps):
        noise = spread * random.standard_normal((3, 1, how.count))
        # A pulse may end within a step: its torque then counts for that part of it.
        part = np.clip(((step + 1) * how.step_s - how.settle_s) / how.step_s, 0, 1)
        left = (how.settle_s + pulse_s - step * how.step_s) / how.step_s
        torque = (torque_t * np.minimum(part, np.clip(left, 0, 1)))[:, None]
        first = motion(m, noise, torque)
        second = motion(m + how.step_s * first, noise, torque)
        m += how.step_s / 2 * (first + second)
        m /= np.sqrt((m**2).sum(axis=0))
    return m
