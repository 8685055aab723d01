# SPDX-License-Identifier: Apache-2.0
"""The measured law: its shape, its threshold, its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from scaledrop.device.empirical import EmpiricalLaw, asymmetric_logistic, asymmetric_logit
from scaledrop.device.law import SwitchingLaw

LAW = EmpiricalLaw(0.82, 40.0, v_th_log=0.17, v_th_per_k=-5e-4)


def test_it_is_a_switching_law() -> None:
    assert isinstance(LAW, SwitchingLaw)


@pytest.mark.parametrize(
    ("pulse_ns", "published_v"), [(0.75, 0.869), (1, 0.820), (2, 0.702), (5, 0.546)]
)
def test_the_published_thresholds(pulse_ns: float, published_v: float) -> None:
    """JinChengZ18/vgsot-sim, device A, AP to P: 0.82 - 0.17 ln(t / ns) and its four points."""
    found = LAW.threshold(pulse_ns * 1e-9, 300.0)
    assert found == pytest.approx(published_v, abs=5e-4)
    assert LAW.probability(found, pulse_ns * 1e-9, 300.0) == pytest.approx(0.5)


def test_without_asymmetry_it_is_the_logistic() -> None:
    x = np.linspace(-30, 30, 61)
    assert asymmetric_logistic(x, 1.0) == pytest.approx(expit(x), rel=1e-12)


@given(st.floats(0.05, 20))
def test_half_height_and_slope_do_not_depend_on_the_asymmetry(asymmetry: float) -> None:
    step = 1e-5
    low, middle, high = asymmetric_logistic(np.array([-step, 0.0, step]), asymmetry)
    assert middle == pytest.approx(0.5, rel=1e-12)
    assert (high - low) / (2 * step) == pytest.approx(0.25, rel=1e-5)


def test_asymmetry_lengthens_one_tail() -> None:
    below, above = asymmetric_logistic(-5.0, 0.3), asymmetric_logistic(-5.0, 3.0)
    assert below > 4 * expit(-5.0) > 4 * above
    assert 1 - asymmetric_logistic(5.0, 3.0) > expit(-5.0) > 1 - asymmetric_logistic(5.0, 0.3)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.05, 20))
def test_the_inverse(probability: float, asymmetry: float) -> None:
    x = asymmetric_logit(probability, asymmetry)
    assert asymmetric_logistic(x, asymmetry) == pytest.approx(probability, rel=1e-9, abs=1e-12)


def test_plateaux_and_the_drive_of_a_probability() -> None:
    law = EmpiricalLaw(0.9, 40.0, plateau_low=0.02, plateau_high=0.72)
    assert law.probability(np.array([-9.0, 0.9, 9.0]), 1e-9, 300.0) == pytest.approx(
        [0.02, 0.37, 0.72]
    )
    wanted = np.array([0.05, 0.37, 0.7])
    assert law.probability(law.drive(wanted, 2e-9, 310.0), 2e-9, 310.0) == pytest.approx(wanted)
    assert np.isnan(law.drive(np.array([0.02, 0.72, 0.9]), 1e-9, 300.0)).all()


def test_a_warmer_device_switches_at_less() -> None:
    assert LAW.threshold(1e-9, 310.0) == pytest.approx(0.82 - 0.005)
    assert LAW.probability(0.82, 1e-9, 310.0) == pytest.approx(expit(40 * 0.005))


def test_arrays_broadcast() -> None:
    law = EmpiricalLaw(np.array([[0.8], [0.9]]), 40.0)
    found = law.probability(np.linspace(0, 1, 5), 1e-9, 300.0)
    assert found.shape == (2, 5) and found.dtype == np.float64
    assert np.all(found[0, 1:] > found[1, 1:])
