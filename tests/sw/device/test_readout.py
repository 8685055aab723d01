# SPDX-License-Identifier: Apache-2.0
"""Reading through a divider and a sense amplifier."""

from __future__ import annotations

import numpy as np
import pytest
from device_cards import card, plain
from scipy.special import ndtr

from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import draw, nominal
from scaledrop.device.readout import (
    junction_resistance,
    node_voltage,
    read_as_switched,
    reference_resistance,
)

AT = Conditions()


def test_the_divider_of_known_resistances() -> None:
    """10 and 20 kOhm against 14.142 kOhm at 0.3 V."""
    one = nominal(card())
    assert reference_resistance(one) == pytest.approx(14142.1356)
    assert node_voltage(one, False, AT) == pytest.approx(0.3 * 10 / 24.1421356)
    assert node_voltage(one, True, AT) == pytest.approx(0.3 * 20 / 34.1421356)
    at_supply = node_voltage(one, True, Conditions(supply=1.1))
    assert at_supply == pytest.approx(1.1 * 0.3 * 20 / 34.1421356)


def test_bias_and_temperature_lower_the_tmr() -> None:
    warm = {"tmr_tcr": plain(-0.1, "%/K"), "r_tcr": plain(200, "ppm/K")}
    one = nominal(card(tmr_half_voltage=plain(0.5, "V"), **warm))
    assert junction_resistance(one, True, 300.0, 0.5) == pytest.approx(15e3)
    assert junction_resistance(one, False, 350.0) == pytest.approx(10e3 * 1.01)
    assert junction_resistance(one, True, 350.0) == pytest.approx(10e3 * 1.01 * 1.95)
    node = node_voltage(one, True, AT)
    ohms = junction_resistance(one, True, 300.0, node)
    assert node == pytest.approx(0.3 * ohms / (ohms + reference_resistance(one)), rel=1e-12)


def test_offset_and_noise_give_the_error() -> None:
    swing = 0.3 * (20 / 34.1421356 - 10 / 24.1421356)
    noise = swing / 5
    amplifier = plain(0, "V", cycle=noise)
    reset, switched = read_as_switched(nominal(card(sense_offset=amplifier)), AT)
    assert reset == pytest.approx(ndtr(-2.5)) and switched == pytest.approx(ndtr(2.5))
    moved = plain(swing / 10, "V", cycle=noise)
    reset, switched = read_as_switched(nominal(card(sense_offset=moved)), AT)
    assert reset == pytest.approx(ndtr(-3)) and switched == pytest.approx(ndtr(2))
    reset, switched = read_as_switched(nominal(card({"reset_state": "AP"}, sense_offset=moved)), AT)
    assert reset == pytest.approx(ndtr(-2)) and switched == pytest.approx(ndtr(3))


def test_without_noise_a_read_is_certain() -> None:
    assert [float(one) for one in read_as_switched(nominal(card()), AT)] == [0.0, 1.0]
    wide = plain(50, "mV")
    assert [float(one) for one in read_as_switched(nominal(card(sense_offset=wide)), AT)] == [0, 0]


def test_devices_far_off_read_wrong() -> None:
    wafer = draw(card(sense_offset=plain(0, "mV", spread=9.2)), 4000, 1)
    reset, switched = read_as_switched(wafer, AT)
    half = 0.3 * (20 / 34.1421356 - 10 / 24.1421356) / 2
    wrong = np.asarray(wafer["sense_offset"]) > half
    assert wrong.any() and np.array_equal(switched == 0, wrong)
    assert np.array_equal(reset == 1, np.asarray(wafer["sense_offset"]) < -half)
