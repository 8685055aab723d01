# SPDX-License-Identifier: Apache-2.0
"""Draws of a wafer: spreads as in the card, each device the same for ever."""

from __future__ import annotations

import numpy as np
import pytest
from device_cards import card, plain

from scaledrop.device.devices import FREE, STUCK_RESET, STUCK_SWITCHED, draw, nominal, normal_draws
from scaledrop.errors import UserError

FIRST_DRAWS = [0.680292124154281, 1.5059071434314921, -0.2598202256405098]
SPREAD = card(
    v_th_1ns=plain(0.9, "V", spread=0.02),
    write_resistance=plain(800, "Ohm", spread_relative=0.07),
    stuck_reset=plain(5, "%"),
    stuck_switched=plain(10, "%"),
    endurance=plain(1e6, "writes"),
    endurance_shape=plain(2, "1"),
)


def test_the_nominal_device_is_the_card() -> None:
    one = nominal(SPREAD)
    assert len(one) == 1 and one["v_th_1ns"] == 0.9 and one["back_hop"] == 0.0
    assert one.stuck.item() == FREE and one.lifetime.item() == np.inf


def test_spreads_are_those_of_the_card() -> None:
    """Standard error of a deviation over n normal draws: sigma / sqrt(2 n); six of them."""
    n = 20_000
    wafer = draw(SPREAD, n, 1)
    for name, mean, sigma in (("v_th_1ns", 0.9, 0.02), ("write_resistance", 800, 56)):
        values = wafer[name]
        assert values.shape == (n, 1)
        assert abs(values.mean() - mean) < 6 * sigma / np.sqrt(n)
        assert abs(values.std() - sigma) < 6 * sigma / np.sqrt(2 * n)
    correlation = np.corrcoef(wafer["v_th_1ns"][:, 0], wafer["write_resistance"][:, 0])[0, 1]
    assert abs(correlation) < 6 / np.sqrt(n)
    assert wafer["slope"] == 40.0


def test_stuck_devices_and_lifetimes() -> None:
    n = 20_000
    wafer = draw(SPREAD, n, 2)
    for state, part in ((STUCK_RESET, 0.05), (STUCK_SWITCHED, 0.10)):
        assert abs(np.mean(wafer.stuck == state) - part) < 6 * np.sqrt(part / n)
    broken = np.mean(wafer.lifetime < 1e6)
    assert abs(broken - (1 - np.exp(-1))) < 6 * 0.5 / np.sqrt(n)
    broken = np.mean(wafer.lifetime < 0.5e6)
    assert abs(broken - (1 - np.exp(-0.25))) < 6 * 0.5 / np.sqrt(n)


def test_a_device_does_not_depend_on_how_many_or_on_other_parameters() -> None:
    few, many = draw(SPREAD, 5, 7), draw(SPREAD, 500, 7)
    assert np.array_equal(few["v_th_1ns"], many["v_th_1ns"][:5])
    assert np.array_equal(few.lifetime, many.lifetime[:5])
    other = draw(card(v_th_1ns=plain(0.9, "V", spread=0.02)), 5, 7)
    assert np.array_equal(few["v_th_1ns"], other["v_th_1ns"])
    assert not np.array_equal(few["v_th_1ns"], draw(SPREAD, 5, 8)["v_th_1ns"])
    assert np.array_equal(many.one(3)["v_th_1ns"], many["v_th_1ns"][3:4])


def test_the_draws_of_a_seed_never_change() -> None:
    assert normal_draws(1, "slope", 3) == pytest.approx(FIRST_DRAWS, abs=1e-12)
    assert np.abs(normal_draws(1, "slope", 200_000)).max() == 4.0


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(UserError, match="devices: must be 1 to 10000000, not 0"):
        draw(SPREAD, 0, 1)
    with pytest.raises(UserError, match="seed: must be 0 to 9223372036854775807, not -1"):
        draw(SPREAD, 1, -1)
    with pytest.raises(UserError, match="device index: must be 0 to 2, not 3"):
        draw(SPREAD, 3, 1).one(3)
