# SPDX-License-Identifier: Apache-2.0
"""Material and geometry to Ic0, Delta, tau_D and P, by hand and by limits."""

import dataclasses

import numpy as np
import pytest
from scipy.constants import Boltzmann, e, hbar, mu_0

from scaledrop.device.fokker_planck import switching_probability
from scaledrop.device.law import SwitchingLaw
from scaledrop.device.macrospin import FreeLayer, MacrospinLaw, WritePath
from scaledrop.device.temperature import SelfHeating, TemperatureModel
from scaledrop.errors import UserError

LAYER = FreeLayer(ms_a_m=1e6, thickness_m=1.3e-9, area_m2=1.2e-15, damping=0.02, anisotropy_t=0.2)
PATH = WritePath(resistance_ohm=800.0, cross_section_m2=1.8e-16, efficiency=0.3)
LAW = MacrospinLaw(LAYER, PATH)
TAU, VOLTS = float(LAW.relaxation_s(300.0)), float(LAW.critical_v(300.0))


def test_the_figures_by_hand():
    energy = 1e6 * 0.2 * 1.2e-15 * 1.3e-9 / 2
    assert LAW.barrier(300.0) == pytest.approx(energy / (Boltzmann * 300))
    assert LAW.relaxation_s(300.0) == pytest.approx(1.0004 / (0.02 * 1.7608596e11 * 0.2), rel=1e-6)
    density = 2 * e * 0.02 * 0.2 * 1e6 * 1.3e-9 / (hbar * 0.3)
    assert LAW.critical_a(300.0) == pytest.approx(density * 1.8e-16)
    assert LAW.critical_v(300.0) == pytest.approx(density * 1.8e-16 * 800)


def test_the_usual_form_of_the_critical_current():
    """Spin transfer: Ic0 = (4 e / hbar)(alpha / eta) Eb, for the junction's own area."""
    law = MacrospinLaw(LAYER, dataclasses.replace(PATH, cross_section_m2=LAYER.area_m2))
    barrier = float(law.barrier(300.0)) * Boltzmann * 300
    assert law.critical_a(300.0) == pytest.approx(4 * e / hbar * 0.02 / 0.3 * barrier)


def test_probability_is_that_of_the_core():
    volts, pulse = VOLTS * np.array([0.8, 1.2, 2.0])[:, None], TAU * np.array([1.0, 5.0])
    found = LAW.probability(volts, pulse, 300.0)
    reduced = switching_probability(volts / VOLTS, LAW.barrier(300.0), pulse / TAU)
    assert found == pytest.approx(reduced, abs=1e-9) and found.shape == (3, 2)
    assert isinstance(LAW, SwitchingLaw)


def test_field_from_interface_anisotropy():
    """Eb falls to nothing where the interface no longer beats the demagnetising field."""
    ki = 1.0056e-3
    layer = FreeLayer(1.2e6, 1.1e-9, 7.85e-15, 0.03, interface_j_m2=ki, demagnetisation=0.95)
    model = TemperatureModel()
    assert layer.field_t(300.0, model) == pytest.approx(
        2 * ki / (1.2e6 * 1.1e-9) - 0.95 * mu_0 * 1.2e6
    )
    assert layer.field_t(350.0, model) < layer.field_t(300.0, model)
    thin = dataclasses.replace(layer, interface_j_m2=0.9e-3, demagnetisation=1.0)
    with pytest.raises(UserError) as caught:
        thin.field_t(300.0, model)
    assert str(caught.value) == (
        "interface_j_m2: 0.0009 leaves mu0 Hk = -0.144 T; a perpendicular layer needs more, "
        "or a thinner film"
    )


def test_warmer_is_softer():
    kelvin = np.array([250.0, 300.0, 350.0])
    assert np.all(np.diff(LAW.barrier(kelvin)) < 0)
    assert np.all(np.diff(LAW.critical_v(kelvin)) < 0)
    assert np.all(np.diff(LAW.relaxation_s(kelvin)) > 0)
    assert np.all(np.diff(LAW.probability(1.05 * VOLTS, 5 * TAU, kelvin)) > 0)


def test_short_pulses_depend_less_on_temperature():
    """At p = 1/2 with a fixed current scale (Delta as 1 / T only), as measured on pMTJs."""
    shift = {}
    for time in (1.0, 20.0):
        drive = np.linspace(0.6, 5, 120)
        half = np.interp(0.5, switching_probability(drive, 40.0, time), drive)
        warm = switching_probability(half, 40.0 * 300 / 310, time)
        shift[time] = float(warm) - 0.5
    assert shift[1.0] == pytest.approx(0.011, abs=0.001)
    assert shift[20.0] == pytest.approx(0.022, abs=0.001)


def test_a_stray_field_that_holds():
    held = dataclasses.replace(LAW, bias_t=0.02)
    pushed = dataclasses.replace(LAW, bias_t=-0.02)
    at = (1.3 * VOLTS, 4 * TAU, 300.0)
    assert held.probability(*at) < LAW.probability(*at) - 0.03 < pushed.probability(*at) - 0.06
    same = switching_probability(1.2, LAW.barrier(300.0), 4.0, rest_drive=-0.1)
    assert held.probability(*at) == pytest.approx(same, abs=1e-6)


def test_a_pulse_that_heats():
    heating = SelfHeating(kelvin_per_watt=3e8, time_s=1e-9)
    hot = dataclasses.replace(LAW, heating=heating)
    at = (0.95 * VOLTS, 5 * TAU, 300.0)
    assert hot.warmed_k(*at) == pytest.approx(
        300 + float(heating.mean_rise((0.95 * VOLTS) ** 2 / 800, 5 * TAU))
    )
    assert 301 < hot.warmed_k(*at) < 400
    assert hot.probability(*at) > LAW.probability(*at) + 0.005
    assert LAW.warmed_k(*at) == 300


def test_the_other_direction_does_not_switch():
    assert LAW.probability(-2 * VOLTS, 10 * TAU, 300.0) < 1e-6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: FreeLayer(1e6, 1e-9, 1e-15, 0.02),
            "anisotropy_t, interface_j_m2: give one of them, not both or none",
        ),
        (
            lambda: FreeLayer(1e6, 1e-9, 0.0, 0.02, anisotropy_t=0.1),
            "area_m2: must be above 0, not 0",
        ),
        (lambda: WritePath(-1.0, 1e-16, 0.3), "resistance_ohm: must be above 0, not -1"),
        (
            lambda: LAW.probability(200 * VOLTS, 1e-9, 300.0),
            f"drive: {200 * VOLTS:g} V is beyond 100 times the critical one",
        ),
        (
            lambda: LAW.probability(0.1, -1e-9, 300.0),
            f"time: must be 0 to 1e+09, not {-1e-9 / TAU:g}",
        ),
    ],
)
def test_wrong_values(call, message):
    with pytest.raises(UserError) as caught:
        call()
    assert str(caught.value) == message
