# SPDX-License-Identifier: Apache-2.0
"""The write pulse: jitter folded into P, spreads of the channel, age and drift."""

from __future__ import annotations

import numpy as np
import pytest
from device_cards import card, plain
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import draw, nominal
from scaledrop.device.empirical import EmpiricalLaw
from scaledrop.device.writing import drive_jitter, law_of, write_probability
from scaledrop.errors import UserError

AT = Conditions()
DRIVES = np.array([[0.8, 0.88, 0.9, 0.95]])


def test_without_jitter_it_is_the_law() -> None:
    found = write_probability(nominal(card()), DRIVES, AT)
    assert found == pytest.approx(expit(40 * (DRIVES - 0.9)))
    assert isinstance(law_of(nominal(card())), EmpiricalLaw)


@pytest.mark.parametrize(("jitter_mv", "error"), [(2.0, 1e-9), (20.0, 1e-8), (100.0, 1e-4)])
def test_white_jitter_is_the_mean_over_the_jitter(jitter_mv: float, error: float) -> None:
    one = nominal(card(v_th_1ns=plain(900, "mV", cycle=jitter_mv)))
    found = write_probability(one, DRIVES, AT)[0]
    sigma = jitter_mv / 1e3
    for drive, p in zip(DRIVES[0], found, strict=True):
        mean, _ = quad(
            lambda v, at=drive: expit(40 * (v - 0.9)) * norm.pdf(v, at, sigma),
            drive - 9 * sigma, drive + 9 * sigma, points=[0.9], epsabs=1e-12,
        )  # fmt: skip
        assert p == pytest.approx(mean, abs=error)


def test_jitter_of_channel_and_dac_grows_with_the_drive() -> None:
    one = nominal(
        card(
            v_th_1ns=plain(0.9, "V", cycle=0.003),
            write_resistance=plain(800, "Ohm", cycle=8),
            dac_full_scale=plain(1.6, "V", cycle_relative=0.02),
        )
    )
    part = np.hypot(0.01, 0.02)
    assert drive_jitter(one, DRIVES) == pytest.approx(np.hypot(0.003, part * DRIVES))


def test_a_channel_of_more_ohms_needs_more_volts() -> None:
    """Under voltage drive 7 % of the resistance is 7 % of the threshold."""
    wafer = draw(card(write_resistance=plain(800, "Ohm", spread_relative=0.07)), 50, 3)
    ratio = np.asarray(wafer["write_resistance"]) / 800
    found = write_probability(wafer, 0.9 * ratio, AT)
    assert found == pytest.approx(np.full((50, 1), 0.5))
    moved = write_probability(wafer, np.array([[0.9]]), AT)[ratio[:, 0] > 1.1]
    assert moved.size and (moved < 0.05).all()


def test_age_and_drift_raise_the_threshold() -> None:
    one = nominal(card(ageing=plain(2, "mV")))
    found = write_probability(one, np.array([[0.9]]), Conditions(writes=1e6 - 1, drift_v=0.003))
    assert found.item() == pytest.approx(expit(-40 * (0.012 + 0.003)))
    drifts = write_probability(one, np.array([[0.9]]), Conditions(drift_v=np.array([[0, 0.01]])))
    assert drifts == pytest.approx(expit(-40 * np.array([[0, 0.01]])))


def test_temperature_and_pulse_reach_the_law() -> None:
    one = nominal(card(v_th_per_k=plain(-0.5, "mV/K"), v_th_log=plain(0.17, "V")))
    found = write_probability(one, np.array([[0.8]]), Conditions(310, pulse_s=2e-9))
    assert found.item() == pytest.approx(expit(40 * (0.8 - 0.9 + 0.005 + 0.17 * np.log(2))))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature_k": -3.0}, "temperature_k: must be 1 to 1000 K, not -3.0"),
        ({"supply": 5.0}, "supply: must be 0.5 to 2 of the nominal supply, not 5.0"),
        ({"writes": -1.0}, "writes: must be 0 to 1e+30 writes, not -1.0"),
        ({"pulse_s": 0.0}, "pulse_s: must be above 0 seconds, not 0.0"),
        ({"supply": float("nan")}, "supply: must be 0.5 to 2 of the nominal supply, not nan"),
    ],
)
def test_impossible_conditions_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(UserError) as caught:
        Conditions(**wrong)
    assert str(caught.value) == message
