# SPDX-License-Identifier: Apache-2.0
"""Types y and z: thresholds, the law of excess drive, the coin that amplitude does not load."""

import numpy as np
import pytest

from scaledrop.device.law import SwitchingLaw
from scaledrop.device.llg import Trajectories, run
from scaledrop.device.macrospin import FreeLayer, WritePath
from scaledrop.device.variants import AssistedPerpendicularLaw, InPlaneLaw

PATH = WritePath(800.0, 1.8e-16, 0.3)
IN_PLANE = InPlaneLaw(
    FreeLayer(1e6, 1.3e-9, 2.5e-15, 0.02, anisotropy_t=0.064),
    PATH,
    how=Trajectories(150, 2e-12, 2e-9, 2e-9, seed=1),
)
ASSISTED = AssistedPerpendicularLaw(
    FreeLayer(1e6, 1.3e-9, 1e-15, 0.03, anisotropy_t=0.25),
    PATH,
    how=Trajectories(200, 1e-12, 2e-9, 2e-9, seed=1),
)


def test_both_are_laws():
    assert isinstance(IN_PLANE, SwitchingLaw) and isinstance(ASSISTED, SwitchingLaw)


def test_threshold_in_plane():
    """Cold and long: below alpha (Hk + Hd / 2) nothing moves, above it does."""
    how = Trajectories(2, 2e-12, 0.5e-9, 2e-9)
    drive = np.array([0.9, 1.3]) * IN_PLANE.critical_t(300.0)
    m = run(IN_PLANE.spin(300.0), drive, np.full(2, 25e-9), 1e-2, how)
    assert np.all(m[1, 0] > 0.99) and np.all(m[1, 1] < -0.99)
    assert IN_PLANE.critical_t(300.0) == pytest.approx(0.02 * (0.064 + 0.5))


def test_in_plane_half_drive_falls_with_the_width():
    """Near 1.9, 1.2 and 0.96 of the threshold at 1, 3 and 10 ns (Delta 25, alpha 0.02)."""
    ratio = np.linspace(0.7, 2.3, 9)
    half = {}
    for width in (1e-9, 3e-9, 10e-9):
        p = IN_PLANE.probability(ratio * IN_PLANE.critical_v(300.0), width, 300.0)
        half[width] = np.interp(0.5, p, ratio)
    assert half[1e-9] == pytest.approx(1.9, abs=0.15)
    assert half[3e-9] == pytest.approx(1.2, abs=0.1)
    assert half[10e-9] == pytest.approx(0.96, abs=0.06)


def test_assisted_perpendicular_is_a_coin_beyond_threshold():
    """P stays near 1/2 whatever the amplitude and the sign; below threshold it vanishes."""
    ratio = np.array([-2.0, -1.5, -0.7, 0.5, 1.2, 2.0, 3.0])
    p = ASSISTED.probability(ratio * ASSISTED.critical_v(300.0), 1e-9, 300.0)
    assert np.all(np.abs(p[[0, 1, 4, 5, 6]] - 0.5) < 0.15)
    assert np.all(p[[2, 3]] < 0.02)


def test_assist_field_lowers_the_threshold():
    weak = AssistedPerpendicularLaw(ASSISTED.layer, PATH, assist_t=0.005)
    assert ASSISTED.critical_t(300.0) == pytest.approx(0.125 - 0.02 / np.sqrt(2))
    assert ASSISTED.critical_t(300.0) < weak.critical_t(300.0)


def test_temperatures_and_shapes():
    law = ASSISTED.repeated(7)
    p = law.probability([[0.0], [1.2 * law.critical_v(300.0)]], 1e-9, [250.0, 350.0])
    assert p.shape == (2, 2) and np.all(p[0] == 0) and np.all(p[1] > 0.3)
    assert law.how.seed == 7 and law.barrier(350.0) < law.barrier(250.0)
