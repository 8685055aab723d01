# SPDX-License-Identifier: Apache-2.0
"""Every closed form against the core: inside its range it holds, outside it fails as documented."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from scaledrop.device.closed_forms import (
    ballistic,
    brown_time,
    butler,
    escape_time,
    fast_reversal,
    half_drive,
    neel_brown,
    precessional_half_drive,
)
from scaledrop.device.fokker_planck import switching_probability
from scaledrop.errors import UserError

WIDTHS = np.linspace(0.02, 1, 12) * 6


def worst(form, drive, delta):
    """Largest difference from the core over the pulse widths where P goes from 0 to 1."""
    time = WIDTHS / (drive - 1)
    found = form(drive, delta, time) - switching_probability(drive, delta, time)
    return found[np.argmax(np.abs(found))]


def half_of_core(delta, time):
    def excess(log):
        return float(switching_probability(np.exp(log), delta, time)) - 0.5

    return np.exp(brentq(excess, np.log(0.5), np.log(40.0), xtol=1e-3))


@pytest.mark.parametrize(("drive", "delta"), [(0.5, 60.0), (0.3, 40.0), (0.5, 40.0)])
def test_neel_brown_with_brown_prefactor_holds_over_high_barriers(drive, delta):
    mean = escape_time(drive, delta)
    time = mean * np.array([0.1, 0.5, 1.0, 2.0])
    found = neel_brown(drive, delta, time, brown_time(drive, delta))
    assert found == pytest.approx(switching_probability(drive, delta, time), abs=0.04)


def test_neel_brown_fails_where_the_barrier_is_low():
    found = neel_brown(0.95, 20.0, 8.0, brown_time(0.95, 20.0))
    assert found < switching_probability(0.95, 20.0, 8.0) - 0.3


def test_neel_brown_forgets_the_way_back():
    time = 3 * escape_time(0.0, 8.0)
    assert neel_brown(0.0, 8.0, time, brown_time(0.0, 8.0)) > 0.9
    assert switching_probability(0.0, 8.0, time) == pytest.approx(0.5, abs=0.01)


def test_the_linear_exponent_is_not_that_of_this_geometry():
    time = escape_time(0.5, 40.0)
    found = neel_brown(0.5, 40.0, time, brown_time(0.5, 40.0), exponent=1)
    assert found < 1e-3 and switching_probability(0.5, 40.0, time) > 0.6


@pytest.mark.parametrize(("drive", "delta"), [(0.0, 5.0), (0.5, 20.0), (-0.2, 10.0)])
def test_escape_time_is_its_double_integral(drive, delta):
    def inner(z):
        return quad(lambda y: np.exp(delta * ((y - drive) ** 2 - (z - drive) ** 2)), z, 1)[0]

    whole = quad(lambda z: 2 * delta / (1 - z**2) * inner(z), (drive - 1) / 2, 1)[0]
    assert escape_time(drive, delta) == pytest.approx(whole, rel=1e-6)


def test_brown_time_tends_to_the_exact_one():
    barrier = np.array([10.0, 20.0, 40.0, 80.0])
    ratio = brown_time(0.0, barrier) * np.exp(barrier) / escape_time(0.0, barrier)
    assert np.all(np.diff(ratio) > 0) and ratio[0] > 0.9 and 0.98 < ratio[-1] < 1
    assert brown_time(0.95, 40.0) * np.exp(40.0 * 0.05**2) > 3 * escape_time(0.95, 40.0)


@pytest.mark.parametrize("drive", [2.0, 3.0, 6.0, 20.0])
def test_fast_reversal_in_its_range(drive):
    assert abs(worst(fast_reversal, drive, 20.0)) < 0.035
    assert abs(worst(fast_reversal, drive, 40.0)) < 0.02


def test_fast_reversal_fails_near_threshold():
    assert abs(worst(fast_reversal, 1.3, 20.0)) > 0.1
    assert abs(worst(fast_reversal, 1.05, 20.0)) > 0.3


def test_butler_in_and_out_of_its_range():
    assert max(abs(worst(butler, i, d)) for i in (2.5, 3.0, 5.0) for d in (20.0, 60.0)) < 0.08
    assert abs(worst(butler, 1.2, 20.0)) > 0.4 and abs(worst(butler, 20.0, 60.0)) > 0.12
    assert butler(1.5, 20.0, 10 / 2.57) < switching_probability(1.5, 20.0, 10 / 2.57) - 0.1


def test_ballistic_in_and_out_of_its_range():
    assert abs(worst(ballistic, 12.0, 20.0)) < 0.05
    assert worst(ballistic, 2.0, 20.0) < -0.15


def test_ballistic_is_the_motion_without_noise():
    """Where P says the separatrix lies, the integrated motion ends at z = 0."""
    drive, delta, time = 4.0, 30.0, 0.7
    p = float(ballistic(drive, delta, time))
    weight = quad(lambda z: np.exp(delta * (z**2 - 1)), 0, 1)[0]
    low, high = 0.0, 1.0
    for _ in range(60):
        z = (low + high) / 2
        below = quad(lambda x: np.exp(delta * (x**2 - 1)), 0, z)[0] / weight
        low, high = (z, high) if below < p else (low, z)
    travel = quad(lambda x: 1 / ((1 - x**2) * (drive - x)), 0, z)[0]
    assert travel == pytest.approx(time, rel=1e-3)


@pytest.mark.parametrize("delta", [20.0, 60.0])
def test_half_drive_of_short_and_long_pulses(delta):
    for time in (0.15, 0.3):
        assert precessional_half_drive(delta, time) == pytest.approx(
            half_of_core(delta, time), rel=0.07
        )
    assert precessional_half_drive(delta, 3.0) > 1.2 * half_of_core(delta, 3.0)
    assert half_drive(delta, np.array([1.0, 100.0])) == pytest.approx(
        1 - np.log(np.array([1.0, 100.0]) / np.log(2)) / delta
    )
    assert half_drive(delta, 1.0) < half_of_core(delta, 1.0) / 2


@pytest.mark.parametrize("form", [butler, ballistic, fast_reversal])
def test_rising_from_zero_to_one(form):
    p = form(3.0, 40.0, np.linspace(0, 50, 400))
    assert np.all(np.diff(p) >= 0) and p[0] < 1e-6 and p[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: butler(1.0, 20.0, 1.0), "drive: must be above 1, not 1"),
        (lambda: ballistic([2.0, 0.5], 20.0, 1.0), "drive: must be above 1, not 0.5"),
        (lambda: fast_reversal(0.0, 20.0, 1.0), "drive: must be above 1, not 0"),
        (
            lambda: neel_brown(1.5, 20.0, 1.0, 1.0),
            "drive: thermal activation needs -1 < i < 1, not 1.5",
        ),
        (lambda: neel_brown(0.5, 20.0, 1.0, 1.0, 3), "exponent: must be 1 or 2, not 3"),
    ],
)
def test_out_of_range(call, message):
    with pytest.raises(UserError) as caught:
        call()
    assert str(caught.value) == message
