# SPDX-License-Identifier: Apache-2.0
"""The core: converged, exact in equilibrium, mass kept, densities positive, two methods agree."""

import numpy as np
import pytest
from finite_volume import probability as by_volumes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import expm

from scaledrop.device import fokker_planck
from scaledrop.device.closed_forms import escape_time
from scaledrop.device.fokker_planck import (
    Resolution,
    density,
    down_fraction,
    evolve,
    switching_probability,
    well_moments,
)
from scaledrop.errors import UserError

POINTS = [
    (drive, delta, time)
    for delta in (5.0, 20.0, 100.0)
    for drive, time in [(0.0, 20.0), (0.7, 1e3), (0.8, 20.0), (1.0, 6.0), (1.2, 5.0), (1.5, 3.0)]
] + [
    (drive, delta, time)
    for delta in (5.0, 20.0, 100.0)
    for drive, time in [(2.0, 2.0), (3.0, 1.0), (6.0, 0.4), (20.0, 0.1), (40.0, 0.05), (-1.0, 3.0)]
]
DRIVE, DELTA, TIME = (np.array(column) for column in zip(*POINTS, strict=True))


def solve(**resolution):
    return switching_probability(DRIVE, DELTA, TIME, resolution=Resolution(**resolution))


def wells(drive, delta):
    """Boltzmann mass at z < 0, by quadrature."""
    top = max((1 - drive) ** 2, (1 + drive) ** 2)
    down, up = (
        quad(lambda z: np.exp(delta * ((z - drive) ** 2 - top)), *ends, epsabs=0)[0]
        for ends in ((-1, 0), (0, 1))
    )
    return down / (down + up)


def test_converged_in_time():
    fine = solve(steps=300, relax_steps=120, first=0.04)
    assert np.abs(solve() - fine).max() < 2.5e-4
    coarse = np.abs(solve(steps=48, relax_steps=16) - fine).max()
    assert 3 < coarse / np.abs(solve(steps=96, relax_steps=32) - fine).max() < 9


def test_converged_in_space():
    assert np.abs(solve() - solve(modes=320)).max() < 1e-6
    assert np.abs(solve(modes=40) - solve(modes=320)).max() > 1e-3


def test_an_overdriven_well_is_resolved():
    """The density at rest under a strong drive is far narrower than the one it came from."""
    p = switching_probability([5.0, 12.0, 60.0, 100.0], 60.0, [[1.5], [10.0], [1e4]])
    assert p[1:] == pytest.approx(1, abs=1e-5)
    few = switching_probability(60.0, 60.0, 10.0, resolution=Resolution(modes=70))
    assert few < 0.9


def test_against_the_exponential_of_the_matrix():
    """No time step at all: the generator's columns, exponentiated."""
    modes, drive, delta, time = 60, 1.4, 20.0, 2.5
    identity = np.eye(modes + 1)
    matrix = np.array(
        [
            fokker_planck._Generator(np.array([i]), np.array([delta]), modes).apply(row)
            for i in (drive, 0.0)
            for row in identity
        ]
    ).reshape(2, modes + 1, modes + 1)
    start = well_moments(np.array([delta]), modes)[0]
    end = expm(10 * matrix[1].T) @ expm(time * matrix[0].T) @ start
    found = switching_probability(drive, delta, time)
    assert found == pytest.approx(down_fraction(end[None])[0], abs=2e-4)


@pytest.mark.parametrize(
    ("drive", "delta", "time"),
    [(0.0, 4.0, 3.0), (0.9, 20.0, 8.0), (1.3, 40.0, 4.0), (2.5, 20.0, 1.0)],
)
def test_against_finite_volumes(drive, delta, time):
    masses, p = by_volumes(drive, delta, time, 5.0)
    assert masses.min() >= 0 and masses.sum() == pytest.approx(1, abs=1e-10)
    assert switching_probability(drive, delta, time, relax=5.0) == pytest.approx(p, abs=4e-3)


@pytest.mark.parametrize("drive", [-0.3, 0.0, 0.1, 0.5])
@pytest.mark.parametrize("delta", [1.0, 4.0, 8.0])
def test_equilibrium_is_boltzmann(drive, delta):
    """The stationary density, the masses of the wells, and their ratio under a bias."""
    i, d = np.array([drive]), np.array([delta])
    end = evolve(well_moments(d, 48), i, d, np.array([1e6]), 200)
    z = np.linspace(-1, 1, 201)
    boltzmann = np.exp(delta * (z - drive) ** 2)
    boltzmann /= quad(lambda z: np.exp(delta * (z - drive) ** 2), -1, 1)[0]
    assert density(end, z)[0] == pytest.approx(boltzmann, abs=1e-4 * boltzmann.max())
    assert down_fraction(end)[0] == pytest.approx(wells(drive, delta), abs=1e-6)


def test_equilibrium_does_not_move():
    d = np.array([2.0, 10.0, 60.0])
    start = well_moments(d, 80, 0.5)
    end = evolve(start, np.zeros(3), d, np.array([1.0, 10.0, 1e4]), 96)
    assert end == pytest.approx(start, abs=1e-9)


@pytest.mark.parametrize("time", [1.0, 1e3, 1e6])
def test_dwells_under_a_bias_have_the_ratio_of_the_wells(time):
    """Detailed balance: way there over way back is the ratio of the wells' masses, at any time."""
    delta, bias = 12.0, 0.08
    there, stay = switching_probability(
        bias, delta, time, up=np.array([1.0, 0.0]), rest_drive=bias, relax=0.0
    )
    p = wells(bias, delta)
    assert there / (1 - stay) == pytest.approx(p / (1 - p), rel=1e-4)


def test_dwell_times_are_the_mean_times_of_escape():
    delta, bias = 16.0, 0.08
    up, down = escape_time(np.array([bias, -bias]), delta)
    assert down / up == pytest.approx(wells(bias, delta) / (1 - wells(bias, delta)), rel=1e-2)
    found = switching_probability(bias, delta, 0.7 / (1 / up + 1 / down), rest_drive=bias)
    assert found == pytest.approx(wells(bias, delta) * -np.expm1(-0.7), rel=1e-2)


@settings(max_examples=20, deadline=None)
@given(drive=st.floats(-3, 30), delta=st.floats(8, 100), time=st.floats(0, 1e4), up=st.floats(0, 1))
def test_mass_and_positivity(drive, delta, time, up):
    i, d = np.array([drive]), np.array([delta])
    modes = int(Resolution().modes_for(i, d)[0])
    end = evolve(well_moments(d, modes, up), i, d, np.array([time]), 96)
    assert end[0, 0] == pytest.approx(1, abs=1e-10)
    rho = density(end, np.linspace(-1, 1, 400))[0]
    assert rho.min() > -2e-3 * rho.max()
    assert -1e-6 < down_fraction(end)[0] < 1 + 1e-6


@settings(max_examples=15, deadline=None)
@given(delta=st.floats(5, 80), time=st.floats(0.1, 1e3))
def test_more_drive_switches_more(delta, time):
    p = switching_probability(np.linspace(-1, 10, 34), delta, time)
    assert np.diff(p).min() > -2e-4


def test_a_rare_escape_at_a_long_pulse():
    """A pulse of 1e8 tau_D costs no more, and agrees with the exact mean time."""
    mean = escape_time(0.3, 40.0)
    assert mean > 1e8
    p = switching_probability(0.3, 40.0, mean * np.array([0.1, 0.5, 1.0, 3.0]))
    assert p == pytest.approx(-np.expm1(-np.array([0.1, 0.5, 1.0, 3.0])), abs=1.5e-3)


def test_incomplete_reset_is_a_mixture():
    """The equation is linear in the start; one that started below stays there."""
    p = switching_probability(1.5, 30.0, 2.0, up=np.array([0.0, 0.25, 1.0]))
    assert p[0] == pytest.approx(1, abs=1e-5)
    assert p[1] == pytest.approx(0.75 * p[0] + 0.25 * p[2], abs=1e-9)


def test_a_bias_at_rest_acts_during_the_pulse_too():
    """A field against the drive shifts it: drive minus field, and a warm start under the field."""
    plain = switching_probability(1.5, 20.0, 2.0)
    held = switching_probability(1.4, 20.0, 2.0, rest_drive=-0.1)
    assert held < switching_probability(1.4, 20.0, 2.0) < plain


def test_a_hot_pulse_switches_more_than_a_cold_one():
    cold, hot = switching_probability(0.9, [40.0, 34.0], 5.0, rest_delta=40.0)
    assert cold < hot < switching_probability(0.9, 34.0, 5.0)


def test_shapes_and_no_pulse():
    found = switching_probability(np.linspace(0, 2, 5)[:, None], 20.0, np.array([0.0, 1.0, 2.0]))
    assert found.shape == (5, 3) and found[:, 0] == pytest.approx(0, abs=1e-7)
    assert switching_probability(np.zeros(0), 20.0, 1.0).shape == (0,)
    assert switching_probability(1.0, 20.0, 1.0).shape == ()


def test_points_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(1)
    drive, delta, time = rng.uniform(0, 3, 300), rng.uniform(10, 60, 300), rng.uniform(0.1, 9, 300)
    together = switching_probability(drive, delta, time)
    for one in (0, 150, 299):
        alone = switching_probability(drive[one], delta[one], time[one])
        assert together[one] == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"drive": 101.0}, "drive: must be -100 to 100, not 101"),
        ({"delta": 0.0}, "delta: must be 0.001 to 400, not 0"),
        ({"time": [1.0, -1.0]}, "time: must be 0 to 1e+09, not -1"),
        ({"up": 1.5}, "up: must be 0 to 1, not 1.5"),
        ({"drive": np.nan}, "drive: must be -100 to 100, not nan"),
        ({"relax": -1.0}, "relax: must be 0 to 1e+09, not -1"),
    ],
)
def test_wrong_values(wrong, message):
    with pytest.raises(UserError) as caught:
        switching_probability(**{"drive": 1.0, "delta": 20.0, "time": 1.0, **wrong})
    assert str(caught.value) == message
