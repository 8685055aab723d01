# SPDX-License-Identifier: Apache-2.0
"""The study of the calibrator on a few devices: what it counts, and what it refuses."""

import numpy as np
import pytest

from scaledrop.device.card_file import load_card
from scaledrop.errors import UserError
from scaledrop_flow.studies import calibration
from scaledrop_flow.studies.calibration_run import PROBABILITIES, Run

WAFER = "hikstor80, offset 3.9 mV"


@pytest.fixture(scope="module")
def devices():
    return calibration.wafer_of(WAFER, 6)


def test_the_amplifier_of_a_variant_is_the_card_s_scaled(devices):
    ratio = devices["sense_offset"] / calibration.wafer_of("hikstor80", 6)["sense_offset"]
    assert ratio == pytest.approx(3.9 / 9.2)


def test_cards_whose_bits_remember_are_refused(monkeypatch):
    card = load_card("hikstor80")
    failure = card.parameters["reset_failure"].model_copy(update={"value": 0.1})
    changed = card.model_copy(update={"parameters": {**card.parameters, "reset_failure": failure}})
    monkeypatch.setattr(calibration, "load_card", lambda _: changed)
    with pytest.raises(UserError, match="hikstor80: reset_failure: must be 0 here"):
        calibration.wafer_of("hikstor80", 2)


def test_only_windows_after_the_lock_count(devices):
    table = calibration._table(devices, 27, 1.0)
    run = Run(devices, 1).windows(table, 11)
    assert np.isnan(run.error).all() and np.isnan(run.mean(run.error, slice(None))).all()
    assert (run.bits == 1024).all()
    run.windows(table, 60)
    assert (run.lock_bits >= 11 * 1024 + 16 * 256).all()
    first = np.isnan(run.error).sum(axis=0)
    assert (run.bits[:, 0][: first[0]].sum() == run.lock_bits[0]) and set(run.bits[-1]) == {1024}
    by_hand = np.nansum(run.error * run.bits, axis=0) / [
        run.bits[n:, k].sum() for k, n in enumerate(first)
    ]
    assert run.mean(run.error, slice(None)) == pytest.approx(by_hand)


def test_few_devices_are_held_everywhere_and_none_by_a_code_that_stays(devices):
    rows = list(calibration._steady(WAFER, devices))
    assert len(rows) == 5 * len(PROBABILITIES)
    assert all(row["held_calibrated"] == row["within_reach"] == 1 for row in rows)
    assert min(row["held_own_code"] for row in rows) == 0
    assert all(row["lock_bits_median"] >= 15360 and row["search_bits"] == 11264 for row in rows)


def test_a_code_that_is_not_adapted_is_not_held(devices, monkeypatch):
    """The study would show a calibrator that stopped."""

    def stopped(self, window, ones):
        self.step = self.step + 1
        self.locked[:] = True
        return np.zeros(len(ones), dtype=bool)

    monkeypatch.setattr("scaledrop.calibration_bank.CalibrationBank.finish", stopped)
    assert all(row["held_calibrated"] < 1 for row in calibration._steady(WAFER, devices))


def test_a_jump_is_recovered_from(devices):
    rows = list(calibration._jumped(WAFER, devices))
    assert all(row["held_calibrated"] == 1 for row in rows)
    assert all(0 < row["recovery_bits_largest"] < 20_000 for row in rows)
