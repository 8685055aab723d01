# SPDX-License-Identifier: Apache-2.0
"""Incomplete reset, back-hopping, retention, wear, stuck states: what each does to P."""

from __future__ import annotations

import numpy as np
import pytest
from device_cards import card, plain
from scipy.special import expit

from scaledrop.device.conditions import Conditions
from scaledrop.device.defects import back_hop, bit_probability, flip_chance, stationary, stuck_after
from scaledrop.device.devices import draw, nominal

AT = Conditions()
DRIVES = np.array([[0.85, 0.9, 1.0]])
P = expit(40 * (DRIVES - 0.9))


def after(previous: int, conditions: Conditions = AT, **parameters: object) -> np.ndarray:
    return bit_probability(nominal(card(None, **parameters)), DRIVES, previous, conditions)


def test_a_sound_device_forgets() -> None:
    assert after(0) == pytest.approx(P) and after(1) == pytest.approx(P)


def test_incomplete_reset_depends_on_the_last_bit() -> None:
    failure = {"reset_failure": plain(10, "%")}
    assert after(0, **failure) == pytest.approx(P)
    assert after(1, **failure) == pytest.approx(0.9 * P + 0.1)


def test_back_hopping_is_a_plateau_above_its_voltage() -> None:
    hopping = {"back_hop": plain(28, "%"), "back_hop_voltage": plain(0.95, "V")}
    one = nominal(card(**hopping))
    assert back_hop(one, np.array([0.5, 0.95, 1.4])) == pytest.approx([0, 0.14, 0.28], abs=1e-9)
    assert after(0, **hopping) == pytest.approx(P * (1 - back_hop(one, DRIVES)))
    assert back_hop(nominal(card(back_hop=plain(28, "%"))), DRIVES) == pytest.approx(0)


def test_short_retention_pulls_to_one_half() -> None:
    """172 ns: after 1 ns (1 - exp(-2/172)) / 2 = 0.58 % are in their other state."""
    kept = {"retention": plain(172, "ns")}
    one = nominal(card(**kept))
    assert flip_chance(one, 1e-9, 300.0) == pytest.approx((1 - np.exp(-2 / 172)) / 2)
    assert flip_chance(one, 1.0, 300.0) == pytest.approx(0.5)
    flip = float(flip_chance(one, 1e-9, 300.0))
    assert after(0, **kept) == pytest.approx(P + flip * (1 - 2 * P))
    waits = after(0, **kept, settle=plain(1, "ns"))
    start = P + flip * (1 - P)
    assert waits == pytest.approx(start + flip * (1 - 2 * start))


def test_retention_falls_with_temperature_as_a_barrier() -> None:
    one = nominal(card(retention=plain(float(np.exp(12)), "ns")))
    for kelvin in (280.0, 350.0):
        rate = 1 / (1e-9 * np.exp(12 * 300 / kelvin))
        expected = -np.expm1(-2 * 1e-6 * rate) / 2
        assert flip_chance(one, 1e-6, kelvin) == pytest.approx(expected)
    assert flip_chance(nominal(card()), 1e9, 400.0) == 0


@pytest.mark.parametrize(("state", "reads"), [("P", 0.0), ("AP", 1.0)])
def test_a_broken_barrier_reads_as_parallel(state: str, reads: float) -> None:
    wafer = draw(card({"reset_state": state}, endurance=plain(1e6, "writes")), 200, 1)
    old = Conditions(writes=1e6)
    broken = wafer.lifetime[:, 0] <= 1e6
    found = bit_probability(wafer, np.array([[0.9]]), 0, old)[:, 0]
    assert 0.5 < broken.mean() < 0.75
    assert found[broken] == pytest.approx(reads) and found[~broken] == pytest.approx(0.5)
    assert (stuck_after(wafer, 0.0) == wafer.stuck).all()


def test_stuck_devices_only_show_read_errors() -> None:
    noisy = {"sense_offset": plain(0, "mV", cycle=15)}
    from_reset = bit_probability(nominal(card(**noisy)), np.array([[0.0]]), 0, AT).item()
    wafer = draw(card(stuck_reset=plain(50, "%"), stuck_switched=plain(50, "%"), **noisy), 50, 1)
    found = bit_probability(wafer, DRIVES, 0, AT)
    assert 0.01 < from_reset < 0.1
    low = wafer.stuck[:, 0] == 0
    assert found[low] == pytest.approx(from_reset)
    assert found[~low] == pytest.approx(1 - from_reset, abs=0.02) and low.any() and not low.all()


def test_the_long_run() -> None:
    assert stationary(np.array(0.2), np.array(0.2)) == pytest.approx(0.2)
    assert stationary(np.array(0.1), np.array(0.4)) == pytest.approx(1 / 7)
    assert stationary(np.array(0.0), np.array(1.0)) == 0.5
