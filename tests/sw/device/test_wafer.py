# SPDX-License-Identifier: Apache-2.0
"""Trimming many devices, and how many of them hold a probability."""

from __future__ import annotations

import numpy as np
import pytest
from device_cards import card, plain
from scipy.special import expit

from scaledrop.device.card_file import load_card
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import draw, nominal
from scaledrop.device.wafer import code_drive, long_run, measure_yield, trim
from scaledrop.errors import UserError

SPREAD = {
    "v_th_1ns": plain(0.9, "V", spread_relative=0.05),
    "v_th_per_k": plain(-0.5, "mV/K"),
    "reset_failure": plain(5, "%"),
    "dac_bits": plain(9, "bit"),
}


def test_codes_are_volts_of_the_supply() -> None:
    one = nominal(card())
    codes = np.array([[0, 1, 512, 1023]])
    assert code_drive(one, codes) == pytest.approx(codes * 1.6 / 1024)
    at_supply = code_drive(one, codes, Conditions(supply=1.1))
    assert at_supply == pytest.approx(1.1 * codes * 1.6 / 1024)


def test_the_long_run_counts_the_memory() -> None:
    """P = p0 / (1 - p1 + p0) with p1 = p0 + f (1 - p0)."""
    one = nominal(card(reset_failure=plain(5, "%")))
    p = expit(40 * (550 * 1.6 / 1024 - 0.9))
    assert long_run(one, np.array([[550]])) == pytest.approx(p / (1 - 0.05 * (1 - p)))


@pytest.mark.parametrize("probability", [0.02, 0.1, 0.5, 0.9])
def test_the_trimmed_code_is_the_best_of_all(probability: float) -> None:
    wafer = draw(card(**SPREAD), 40, 5)
    codes = trim(wafer, probability)
    every = np.abs(long_run(wafer, np.arange(512)[None, :]) - probability)
    assert np.array_equal(codes[:, 0], np.argmin(every, axis=1))


def test_what_is_out_of_reach_gets_the_end() -> None:
    weak = nominal(card(dac_full_scale=plain(0.5, "V")))
    assert trim(weak, 0.5).item() == 1023
    assert trim(nominal(card(plateau_low=plain(0.3, "1"))), 0.2).item() == 0


def test_the_yield_by_hand() -> None:
    wafer = draw(card(**SPREAD), 500, 1)
    corners = [Conditions(), Conditions(310), Conditions(supply=1.01)]
    found = measure_yield(wafer, 0.1, 0.03, corners)
    assert np.array_equal(found.codes, trim(wafer, 0.1)[:, 0])
    errors = [np.abs(long_run(wafer, found.codes[:, None], one) - 0.1)[:, 0] for one in corners]
    assert found.worst == pytest.approx(np.max(errors, axis=0))
    assert found.trimmed == np.mean(found.worst <= 0.03)
    for part, codes in (
        (found.untrimmed, lambda _: trim(nominal(wafer.card), 0.1)),
        (found.retrimmed, lambda one: trim(wafer, 0.1, one)),
    ):
        errors = [np.abs(long_run(wafer, codes(one), one) - 0.1)[:, 0] for one in corners]
        assert part == np.mean(np.max(errors, axis=0) <= 0.03)


def test_trim_is_needed_and_calibration_too() -> None:
    """The published sensitivities: 1 mV is 1 % of P, 1 % of the supply 0.1 of it."""
    wafer = draw(load_card("hikstor80"), 1000, 1)
    still = measure_yield(wafer, 0.5, 0.03)
    assert still.untrimmed < 0.1 and still.trimmed > 0.95
    moving = measure_yield(wafer, 0.5, 0.03, [Conditions(), Conditions(310)])
    assert moving.trimmed < 0.1 and moving.retrimmed > 0.95
    codes = trim(wafer, 0.5)
    shift = long_run(wafer, codes, Conditions(supply=1.01)) - long_run(wafer, codes)
    assert np.median(shift) == pytest.approx(0.09, abs=0.02)


def test_impossible_questions_are_refused() -> None:
    one = nominal(card())
    with pytest.raises(UserError, match=r"probability: must be above 0 and below 1, not 1\.0"):
        trim(one, 1.0)
    with pytest.raises(UserError, match="tolerance: must be above 0 and below 1, not 0"):
        measure_yield(one, 0.1, 0)
    with pytest.raises(UserError, match="conditions: give one or more"):
        measure_yield(one, 0.1, 0.1, [])
