# SPDX-License-Identifier: Apache-2.0
"""Trajectories: motion known in closed form, equilibrium, and the core where both apply."""

import numpy as np
import pytest
from scipy.constants import Boltzmann

from scaledrop.device.fokker_planck import switching_probability
from scaledrop.device.llg import Spin, Trajectories, run
from scaledrop.device.macrospin import GYROMAGNETIC
from scaledrop.errors import UserError

FIELD, DAMPING = 0.5, 0.1
TAU = (1 + DAMPING**2) / (DAMPING * GYROMAGNETIC * FIELD)
UP, DOWN = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)


def perpendicular(delta, kelvin=300.0, **more):
    moment = 2 * delta * Boltzmann * kelvin / FIELD
    return Spin(moment, DAMPING, FIELD, UP, DOWN, **more)


def test_precession_and_damping_without_noise():
    """From x in a field along z: angle gamma B t / (1 + alpha^2), z = tanh of alpha times it."""
    free = Spin(1e-17, DAMPING, 1e-12, (1.0, 0.0, 0.0), DOWN, applied_t=(0.0, 0.0, 0.2))
    time = 0.2e-9
    m = run(free, np.zeros(1), np.zeros(1), 1e-9, Trajectories(1, 1e-13, time, 0.0))[:, 0, 0]
    angle = GYROMAGNETIC * 0.2 * time / (1 + DAMPING**2)
    z = np.tanh(DAMPING * angle)
    flat = np.sqrt(1 - z**2)
    assert m == pytest.approx([flat * np.cos(angle), flat * np.sin(angle), z], abs=1e-4)


def test_torque_without_noise():
    """Collinear, no field: z = -tanh(gamma B t / (1 + alpha^2)) from the equator."""
    free = Spin(1e-17, DAMPING, 1e-12, (1.0, 0.0, 0.0), DOWN)
    time, torque = 0.05e-9, 0.1
    how = Trajectories(1, 1e-13, 0.0, 0.0)
    m = run(free, np.array([torque]), np.array([time]), 1e-9, how)[:, 0, 0]
    assert m[2] == pytest.approx(
        -np.tanh(GYROMAGNETIC * torque * time / (1 + DAMPING**2)), abs=1e-4
    )


def test_equilibrium_is_boltzmann():
    """<1 - z^2> in one well: 1 / Delta to first order, from the quadrature of exp(Delta z^2)."""
    how = Trajectories(6000, 1e-12, 8 * TAU, 0.0, seed=3)
    z = run(perpendicular(12.0), np.zeros(1), np.zeros(1), 300.0, how)[2, 0]
    x = np.linspace(0, 1, 20001)
    weight = np.exp(12 * (x**2 - 1))
    mean = (weight * (1 - x**2)).sum() / weight.sum()
    spread = np.sqrt((weight * (1 - x**2) ** 2).sum() / weight.sum() - mean**2)
    assert abs((1 - z**2).mean() - mean) < 4 * spread / np.sqrt(6000)


def test_the_core_and_the_trajectories_agree():
    drive, time, count = np.array([0.9, 1.2, 2.0, 4.0]), np.array([6.0, 3.5, 1.6, 0.7]), 1500
    how = Trajectories(count, 1e-12, 6 * TAU, 4 * TAU, seed=1)
    spin = perpendicular(15.0)
    m = run(spin, drive * DAMPING * FIELD, time * TAU, 300.0, how)
    p = switching_probability(drive, 15.0, time, relax=4.0)
    z = ((m[2] < 0).mean(axis=-1) - p) / np.sqrt(p * (1 - p) / count)
    assert np.all(np.abs(z) < 4) and np.all((p > 0.05) & (p < 0.95))


def test_the_same_seed_gives_the_same_ends_and_another_does_not():
    args = (perpendicular(10.0), np.array([0.05]), np.array([2 * TAU]), 300.0)
    one, again, other = (
        run(*args, Trajectories(5, 1e-12, 1e-10, 0.0, seed=seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_a_pulse_ends_within_a_step():
    """Widths between whole steps are not rounded."""
    free = Spin(1e-17, DAMPING, 1e-12, (1.0, 0.0, 0.0), DOWN)
    widths = np.array([10.0, 10.4, 11.0]) * 1e-12
    how = Trajectories(1, 1e-12, 2e-12, 0.0)
    z = run(free, np.full(3, 0.1), widths, 1e-9, how)[2, :, 0]
    assert (z[1] - z[0]) / (z[2] - z[0]) == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Trajectories(count=0), "count: must be 1 or more, not 0"),
        (lambda: Trajectories(step_s=0.0), "step_s: must be above 0, not 0"),
        (
            lambda: run(perpendicular(9.0), np.ones(1), np.ones(1), 300.0, Trajectories(1)),
            "pulse_s: 1000000006000 steps of 1e-12 s; at most 2000000",
        ),
    ],
)
def test_wrong_values(call, message):
    with pytest.raises(UserError) as caught:
        call()
    assert str(caught.value) == message
