# SPDX-License-Identifier: Apache-2.0
"""Temperature: one at the reference, Bloch's law, Julliere's TMR, a pulse that heats."""

import numpy as np
import pytest

from scaledrop.device.temperature import SelfHeating, TemperatureModel
from scaledrop.errors import UserError

MODEL = TemperatureModel(channel_per_k=1e-3, junction_per_k=-5e-4)


def test_everything_is_one_at_the_reference():
    for name in (
        "magnetisation",
        "interface_anisotropy",
        "anisotropy_field",
        "channel",
        "junction",
    ):
        assert getattr(MODEL, name)(300.0) == pytest.approx(1)
    assert MODEL.tmr(1.2, 300.0) == pytest.approx(1.2)


def test_bloch_and_its_powers():
    bloch = TemperatureModel(curie_k=1000.0)
    ratio = (1 - 0.4**1.5) / (1 - 0.3**1.5)
    assert bloch.magnetisation(400.0) == pytest.approx(ratio)
    assert bloch.interface_anisotropy(400.0) == pytest.approx(ratio**2.2)
    assert bloch.anisotropy_field(400.0) == pytest.approx(ratio**2)


def test_tmr_falls_with_polarisation():
    """Julliere with p(T): 120 % is p**2 = 0.375."""
    model = TemperatureModel(polarisation=3e-5)
    fall = (1 - 3e-5 * 400**1.5) / (1 - 3e-5 * 300**1.5)
    squared = 0.375 * fall**2
    assert model.tmr(1.2, 400.0) == pytest.approx(2 * squared / (1 - squared))
    assert np.all(np.diff(model.tmr(1.2, np.linspace(200, 420, 12))) < 0)


def test_resistances():
    low, high = MODEL.resistance(5000.0, 1.0, np.array([300.0, 340.0]))
    assert low == pytest.approx([5000.0, 5000 * 0.98])
    assert high[0] == pytest.approx(10000.0) and high[1] / low[1] < 2
    assert MODEL.channel(350.0) == pytest.approx(1.05)


def test_self_heating_of_short_and_long_pulses():
    heating = SelfHeating(kelvin_per_watt=5e4, time_s=2e-9)
    assert heating.mean_rise(1e-3, 1e-3) == pytest.approx(50, rel=1e-5)
    assert heating.mean_rise(1e-3, 2e-12) == pytest.approx(50 * 0.0005, rel=1e-3)
    x = np.linspace(0, 3, 30001)
    assert heating.mean_rise(1e-3, 6e-9) == pytest.approx(50 * (1 - np.exp(-x)).mean(), rel=1e-4)
    assert heating.mean_rise(1e-3, 0.0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: TemperatureModel(curie_k=200.0),
            "curie_k: must be above reference_k = 300, not 200",
        ),
        (
            lambda: MODEL.magnetisation(1100.0),
            "temperature_k: must be above 0 and below curie_k = 1100, not 1100",
        ),
        (
            lambda: MODEL.tmr(1.0, np.array([300.0, 0.0])),
            "temperature_k: must be above 0 and below curie_k = 1100, not 0",
        ),
        (
            lambda: TemperatureModel(channel_per_k=0.02).channel(200.0),
            "channel_per_k: 0.02 makes a resistance negative; give a smaller one",
        ),
        (lambda: SelfHeating(0.0, 1e-9), "kelvin_per_watt: must be above 0, not 0"),
    ],
)
def test_wrong_values(call, message):
    with pytest.raises(UserError) as caught:
        call()
    assert str(caught.value) == message
