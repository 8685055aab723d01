# SPDX-License-Identifier: Apache-2.0
"""The calibrator's loop: exact bookkeeping, search, lock, and a probability that is held."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaledrop.calibration import (
    Calibration,
    CalibrationTwin,
    LayerCalibration,
    band,
    bound,
    outside_chance,
)
from scaledrop.calibration_bank import CalibrationBank
from scaledrop.errors import UserError

SMALL = Calibration(dac_bits=6, window_bits=5, fraction_bits=12, lock_windows=3, lose_windows=1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dac_bits": 3}, "dac_bits: must be 4 to 16, not 3"),
        ({"dac_bits": 17}, "dac_bits: must be 4 to 16, not 17"),
        ({"window_bits": 3}, "window_bits: must be 4 to 12, not 3"),
        ({"fraction_bits": 21}, "fraction_bits: must be 8 to 20, not 21"),
        ({"lock_windows": 0}, "lock_windows: must be 1 to 255, not 0"),
        ({"lose_windows": 2.0}, "lose_windows: must be 1 to 255, not 2.0"),
    ],
)
def test_wrong_parameters(wrong, message):
    with pytest.raises(UserError) as caught:
        Calibration(**wrong)
    assert str(caught.value) == message


def test_the_search_of_ten_bits_takes_twelve_windows():
    assert (Calibration().steps, Calibration().search_bits) == (12, 12288)


@pytest.mark.parametrize(
    ("p", "shift", "long", "short"),
    [(0.5, 0, 65, 33), (0.3, 0, 65, 33), (0.2, 1, 56, 28), (0.1, 2, 43, 22), (0.05, 3, 31, 16)],
)
def test_the_programmed_probability_sets_shift_and_bound(p, shift, long, short):
    for target in (round(p * 65536), 65535 - round(p * 65536)):
        assert (band(target), bound(target, 10), bound(target, 8)) == (shift, long, short)


@given(st.integers(1, 65535), st.integers(2, 12))
def test_the_bound_is_four_standard_deviations_at_the_top_of_the_octave(target, bits):
    q = Fraction(min(target, 65535 - target), 65536)
    top = next((Fraction(1, 2**j) for j in range(16, 0, -1) if q < Fraction(1, 2**j)), None)
    variance = 2**bits * top * (1 - top)
    found = bound(target, bits)
    assert (found - 1) ** 2 <= 16 * variance < found**2


@pytest.mark.parametrize("target", [655, 3277, 13107, 32768, 60000])
def test_the_chance_of_an_outside_window_is_the_sum_over_the_binomial(target):
    limit, p = bound(target, 6), Fraction(target, 65536)
    outside = sum(
        comb(64, k) * p**k * (1 - p) ** (64 - k)
        for k in range(65)
        if not -limit * 65536 <= 64 * target - 65536 * k < limit * 65536
    )
    assert outside_chance(target, 6) == pytest.approx(float(outside), rel=1e-9)


def test_a_fault_free_window_is_outside_once_in_ten_thousand_at_most():
    """The rates of the design note, for p from 0.03 to 0.97."""
    worst = {bits: max(outside_chance(t, bits) for t in range(1967, 63570, 97)) for bits in (8, 10)}
    assert worst[10] < 1e-4 and worst[8] < 2e-4


def run(layer, target, probability, count, rng):
    """Give ``count`` bits; returns them."""
    bits = []
    for word in rng.random(count):
        bits.append(int(word < probability(layer.drive)))
        layer.bit(target, bits[-1])
    return bits


def sigmoid(middle, steepness):
    """P of a 16-bit drive code."""
    return lambda drive: 1 / (1 + np.exp(-(drive - middle) * steepness))


@pytest.mark.parametrize("middle", [130, 9000, 41111, 65400])
@pytest.mark.parametrize("dac_bits", [6, 16])
def test_the_search_finds_a_step(middle, dac_bits):
    """A device that switches from a drive on: the code ends within half of the last step."""
    config = Calibration(dac_bits=dac_bits, window_bits=5, fraction_bits=12)
    layer = LayerCalibration(config)
    while layer.searching:
        layer.bit(20000, int(layer.code >> 12 >= middle))
    assert abs(layer.code / 4096 - middle) <= max(2 ** (16 - config.steps), 2**-3)


@given(code=st.integers(0, 2**28 - 1), dac_bits=st.sampled_from([4, 10, 16]))
def test_the_dither_gives_the_mean_of_the_code(code, dac_bits):
    layer = LayerCalibration(Calibration(dac_bits=dac_bits, fraction_bits=12, window_bits=12))
    layer.code = code
    layer.bit(1, 0)
    drives = []
    for _ in range(256):
        drives.append(layer.drive)
        layer.bit(1, 0)
    places = 28 - dac_bits
    exact = code >> (places - 8)
    dac = [drive >> (16 - dac_bits) for drive in drives]
    if code >> places < 2**dac_bits - 1:
        assert sum(dac) == exact
    assert max(dac) - min(dac) <= 1 and not any(drive % 2 ** (16 - dac_bits) for drive in drives)


@settings(max_examples=30)
@given(target=st.integers(300, 65200), middle=st.integers(20000, 45000), seed=st.integers(0, 2**32))
def test_the_code_keeps_exact_account_of_the_ones(target, middle, seed):
    """Locked, ``2**16 ones = bits target - (rise of code >> band)`` over whole windows."""
    rng, layer = np.random.default_rng(seed), LayerCalibration(SMALL)
    layer.step, layer.locked = SMALL.steps, True
    windows, ones, before, change = 0, 0, layer.code, rng.normal(0, 3000)
    while layer.locked and windows < 40:
        ones += sum(run(layer, target, sigmoid(middle + change, 5e-4), 32, rng))
        windows += 1
    assert 0 < layer.code < 2**28 - 1
    assert 65536 * ones == 32 * windows * target - ((layer.code - before) >> band(target))


@pytest.mark.parametrize("p", [0.05, 0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("steepness", [2.5e-4, 1.3e-3])
def test_the_mean_is_held_while_the_device_drifts(p, steepness):
    """Slopes of the flattest and the steepest card; the threshold moves by 600 codes."""
    target, rng = round(p * 65536), np.random.default_rng(int(100 * p))
    layer, config = LayerCalibration(Calibration()), Calibration()
    run(layer, target, sigmoid(30000, steepness), config.search_bits, rng)
    assert not layer.searching
    run(layer, target, sigmoid(30000, steepness), 16 * 256, rng)
    assert layer.locked
    device = [sigmoid(middle, steepness) for middle in np.linspace(30000, 30600, 60)]
    held = []
    for one in device:
        for _ in range(2048):
            held.append(one(layer.drive))
            layer.bit(target, int(rng.random() < held[-1]))
    assert abs(np.mean(held) - p) < 0.01 and layer.locked
    assert abs(device[-1](30000) - p) > 0.01


def test_a_jump_loses_the_lock_and_is_made_up_for():
    rng, layer, config = np.random.default_rng(5), LayerCalibration(Calibration()), Calibration()
    run(layer, 20000, sigmoid(30000, 1e-3), config.search_bits + 16 * 256, rng)
    assert layer.locked
    lost = []
    while not lost or not layer.locked:
        bit = int(rng.random() < sigmoid(36000, 1e-3)(layer.drive))
        lost += [len(lost)] * layer.bit(20000, bit)
        assert len(lost) <= 1
    run(layer, 20000, sigmoid(36000, 1e-3), 4096, rng)
    assert abs(sigmoid(36000, 1e-3)(layer.value) - 20000 / 65536) < 0.03


@pytest.mark.parametrize("target", [660, 3277, 32768, 65000])
@pytest.mark.parametrize("stuck", [0, 1])
def test_a_stuck_device_never_locks(target, stuck):
    layer = LayerCalibration(Calibration())
    for _ in range(layer.config.search_bits + 100 * 256):
        layer.bit(target, stuck)
        assert not layer.locked
    assert layer.value == (0 if stuck else 65535)


@settings(max_examples=15, deadline=None)
@given(
    targets=st.lists(st.integers(1, 65535), min_size=1, max_size=4),
    dac_bits=st.sampled_from([4, 9, 16]),
    lose=st.integers(1, 2),
    seed=st.integers(0, 2**32),
)
def test_many_devices_at_once_are_the_single_ones(targets, dac_bits, lose, seed):
    """Whatever the bits: here of devices that jump, and remember their last bit."""
    config = Calibration(dac_bits, 5, 12, 2, lose)
    rng, bank = np.random.default_rng(seed), CalibrationBank(config, targets)
    layers = [LayerCalibration(config) for _ in targets]
    for step in range(60):
        window, lost, ones = bank.window(), [], np.zeros(len(layers), dtype=np.int64)
        middle = 30000 + 8000 * (step % 20 > 9)
        for n, layer in enumerate(layers):
            drives, last, gone = [], 0, False
            for _ in range(window.length[n]):
                drives.append(layer.drive >> (16 - dac_bits))
                last = int(rng.random() < sigmoid(middle, 1e-3)(layer.drive + 3000 * last))
                ones[n] += last
                gone |= layer.bit(targets[n], last)
            lost.append(gone)
            writes = [drives.count(window.low[n]), drives.count(window.high[n])]
            same = window.low[n] == window.high[n]
            assert same or writes == [window.writes_low[n], window.writes_high[n]]
        assert bank.finish(window, ones).tolist() == lost
        for name in ("code", "step", "streak", "locked", "searching"):
            assert getattr(bank, name).tolist() == [getattr(layer, name) for layer in layers]


def test_a_layer_without_dropout_and_one_not_begun_are_bypassed():
    twin = CalibrationTwin(SMALL, 3)
    twin.begin(0)
    twin.begin(2)
    targets = [0, 777, 888]
    assert [twin.drive(n, target) for n, target in enumerate(targets)] == [0, 777, 32768]
    assert [twin.value(n, target) for n, target in enumerate(targets)] == [0, 777, 32768]
    assert twin.locked(targets) == [1, 0, 0]
    assert not twin.bit(0, 0, 1) and not twin.bit(1, 777, 1)
    twin.bit(2, 888, 1)
    assert twin.layers[0].count == 0 and twin.layers[1] is None and twin.layers[2].count == 1
    twin.bypass()
    assert [twin.drive(n, target) for n, target in enumerate(targets)] == targets
