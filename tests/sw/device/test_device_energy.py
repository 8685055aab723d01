# SPDX-License-Identifier: Apache-2.0
"""Joules and seconds of reset, write and read, against published figures."""

from __future__ import annotations

import numpy as np
import pytest
from device_cards import card, plain

from scaledrop.device.card_file import load_card
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import draw, nominal
from scaledrop.device.energy import bit_cost, channel_resistance

AT = Conditions()
SAME = {"rel": 1e-6, "abs": 0}
"""Without ``abs`` pytest takes 1e-12 for nothing, and so all femtojoules for the same."""


def test_the_published_write() -> None:
    """0.9 V, 0.75 ns, 776 ohms: 0.78 pJ in the device, 1.607 pJ from the supply."""
    found = bit_cost(nominal(load_card("hikstor80")), np.array([[0.9]]), AT)
    assert found.write_j.item() / 2.05 == pytest.approx(0.78e-12, rel=5e-3, abs=0)
    assert found.write_j.item() == pytest.approx(1.607e-12, rel=5e-3, abs=0)


def test_a_bit_of_that_device_is_within_the_published_band() -> None:
    """2 to 4 pJ and 3 to 12 ns a bit, by arithmetic on the same publication."""
    found = bit_cost(nominal(load_card("hikstor80")), np.array([[0.85]]), AT)
    assert 2e-12 < found.energy_j.item() < 4e-12
    assert 3e-9 <= found.time_s <= 12e-9


def test_every_part_by_hand() -> None:
    more = {
        "driver_factor": plain(2, "1"),
        "sense_energy": plain(48, "fJ"),
        "settle": plain(2, "ns"),
    }
    found = bit_cost(nominal(card(**more)), np.array([[0.8]]), AT, probability=0.25)
    assert found.reset_j.item() == pytest.approx(2 * 1.1**2 / 800 * 1e-9, **SAME)
    assert found.write_j.item() == pytest.approx(2 * 0.8**2 / 800 * 1e-9, **SAME)
    low, high = (0.09 / (ohms + 14142.1356) * 1e-9 for ohms in (10e3, 20e3))
    assert found.read_j.item() == pytest.approx(0.75 * low + 0.25 * high + 48e-15, **SAME)
    assert (found.reset_s, found.write_s, found.read_s) == pytest.approx(
        (3e-9, 1e-9, 1e-9), rel=1e-6
    )
    swapped = bit_cost(
        nominal(card({"reset_state": "AP"}, **more)), np.array([[0.8]]), AT, probability=0.25
    )
    assert swapped.read_j.item() == pytest.approx(
        0.25 * low + 0.75 * high + 48e-15, rel=1e-6, abs=0
    )


def test_supply_pulse_and_temperature() -> None:
    one = nominal(card(write_tcr=plain(0.1, "%/K")))
    plain_cost = bit_cost(one, np.array([[0.8]]), AT)
    found = bit_cost(one, np.array([[0.8]]), Conditions(400, 1.1, 3e-9))
    assert channel_resistance(one, 400.0) == pytest.approx(880, **SAME)
    assert found.write_j.item() == pytest.approx(
        3 / 1.1 * plain_cost.write_j.item(), rel=1e-6, abs=0
    )
    assert found.reset_j.item() == pytest.approx(
        1.21 / 1.1 * plain_cost.reset_j.item(), rel=1e-6, abs=0
    )


def test_shapes() -> None:
    wafer = draw(card(write_resistance=plain(800, "Ohm", spread_relative=0.05)), 7, 1)
    found = bit_cost(wafer, np.linspace(0.5, 1, 3)[None, :], AT)
    assert found.energy_j.shape == found.reset_j.shape == (7, 3)
