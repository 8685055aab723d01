# SPDX-License-Identifier: Apache-2.0
"""The device as exact integers: tables, codes, and the bits that they make."""

from __future__ import annotations

import numpy as np
import pytest
from device_cards import card, plain
from scipy.special import expit

from scaledrop.device.chain import spin_words
from scaledrop.device.conditions import Conditions
from scaledrop.device.defects import bit_probability
from scaledrop.device.devices import draw, nominal
from scaledrop.device.drift import drift_path
from scaledrop.device.unit import SpinUnit, to_threshold
from scaledrop.errors import UserError

MEMORY = {
    "reset_failure": plain(10, "%"),
    "sense_offset": plain(2, "mV", cycle=10),
    "dac_bits": plain(6, "bit"),
}
DRIFT = {**MEMORY, "drift": plain(10, "mV"), "drift_writes": plain(3200, "writes")}


def loop(unit: SpinUnit, codes: list[int], words: list[int], previous: int) -> list[bool]:
    """One write after the other, as a bench does it."""
    bits = []
    for index, (code, word) in enumerate(zip(codes, words, strict=True)):
        epoch = index // unit.epoch_writes if unit.epoch_writes else 0
        table = unit.thresholds(previous, epoch)
        previous = int(word < int(table[code >> (16 - unit.dac_bits)]))
        bits.append(bool(previous))
    return bits


def test_thresholds_round_and_stay_below_2_to_the_32() -> None:
    p = np.array([0.0, 2.0**-33, 0.6 * 2.0**-32, 0.5, 1 - 2.0**-33, 1.0])
    assert to_threshold(p).tolist() == [0, 0, 1, 2**31, 2**32 - 1, 2**32 - 1]
    assert to_threshold(p).dtype == np.uint32


def test_the_tables_are_the_probabilities_of_the_codes() -> None:
    unit = SpinUnit(nominal(card(**MEMORY)), Conditions(310, 1.02))
    drives = np.arange(64)[None, :] * 1.6 * 1.02 / 64
    assert unit.dac_bits == 6 and unit.full_scale_v == pytest.approx(1.6 * 1.02)
    for previous in (0, 1):
        p = bit_probability(unit.device, drives, previous, unit.conditions)[0]
        table = unit.thresholds(previous)
        assert table.dtype == np.uint32 and table.shape == (64,)
        assert np.abs(table / 2**32 - p).max() <= 0.5 / 2**32 + 1e-15
        assert unit.thresholds(previous, 5) is table
    assert (unit.thresholds(1)[:30] > unit.thresholds(0)[:30]).all()


def test_a_sound_device_is_its_law() -> None:
    unit = SpinUnit(nominal(card(dac_bits=plain(16, "bit"))))
    codes = np.array([1000, 36000, 38000, 65535])
    p = expit(40 * (codes * 1.6 / 65536 - 0.9))
    assert unit.thresholds(0)[codes] / 2**32 == pytest.approx(p, abs=1e-9)


def test_codes_go_to_the_dac_by_their_highest_bits() -> None:
    unit = SpinUnit(nominal(card(**MEMORY)))
    assert unit.dac_code([0, 1023, 1024, 65535]).tolist() == [0, 0, 1, 63]
    assert all(unit.dac_code(unit.drive_code(code)) == code for code in range(64))
    with pytest.raises(UserError, match="DAC code: must be 0 to 63, not 64"):
        unit.drive_code(64)


@pytest.mark.parametrize("parameters", [MEMORY, DRIFT])
@pytest.mark.parametrize("previous", [0, 1])
def test_vectorised_bits_are_those_of_a_loop(parameters: dict, previous: int) -> None:  # type: ignore[type-arg]
    unit = SpinUnit(draw(card(**parameters), 3, 2).one(1), drift_seed=4)
    codes = np.random.default_rng(1).integers(30000, 45000, 2000)
    words = spin_words(5, 2000)
    found = unit.bits(codes, words, previous)
    assert found.dtype == np.bool_ and 200 < found.sum() < 1800
    assert found.tolist() == loop(unit, codes.tolist(), words.tolist(), previous)
    split = np.concatenate(
        [unit.bits(codes[:777], words[:777], previous),
         unit.bits(codes[777:], words[777:], int(found[776]), start=777)]
    )  # fmt: skip
    assert np.array_equal(split, found)


def test_one_code_for_all_and_no_words() -> None:
    unit = SpinUnit(nominal(card(**MEMORY)))
    words = spin_words(5, 100)
    assert np.array_equal(unit.bits(36000, words), unit.bits(np.full(100, 36000), words))
    assert unit.bits(36000, words[:0]).shape == (0,)


def test_drift_is_a_new_table_every_epoch() -> None:
    unit = SpinUnit(nominal(card(**DRIFT)), drift_seed=4)
    assert unit.epoch_writes == 100
    path = drift_path(0.010, 5, 4)
    for epoch in range(5):
        still = SpinUnit(nominal(card(**MEMORY)), Conditions(drift_v=float(path[epoch])))
        for previous in (0, 1):
            same = unit.thresholds(previous, epoch) == still.thresholds(previous)
            assert same.all()
    assert SpinUnit(nominal(card(**MEMORY))).epoch_writes == 0


def test_stuck_devices() -> None:
    words = spin_words(1, 1000)
    wafer = draw(card(stuck_reset=plain(50, "%"), stuck_switched=plain(50, "%")), 20, 1)
    for index in range(20):
        bits = SpinUnit(wafer.one(index)).bits(36000, words)
        assert (bits == bool(wafer.stuck[index, 0])).all()


def test_what_is_not_one_device_is_refused() -> None:
    with pytest.raises(UserError, match="device: must be one device, not 3; choose with"):
        SpinUnit(draw(card(), 3, 1))
    with pytest.raises(UserError, match="previous bit: must be 0 to 1, not 2"):
        SpinUnit(nominal(card())).thresholds(2)
    with pytest.raises(ValueError, match="read-only"):
        SpinUnit(nominal(card())).thresholds(0)[0] = 1
