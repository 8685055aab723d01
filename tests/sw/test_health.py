# SPDX-License-Identifier: Apache-2.0
"""Health of the bits: limits are the tightest allowed, rates are true, faults are noticed."""

from fractions import Fraction
from itertools import product
from math import log2, sqrt

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.health import (
    HealthLimits,
    HealthTwin,
    expected_false_alarms,
    false_alarm_rates,
    find_alarms,
    limits_of,
    proportion_cutoff,
    repetition_cutoff,
)
from scaledrop.monitors import MonitorFlag
from scaledrop.spin import uniform_words

MILLION = 10**6
CODES = [1, 20, 21, 300, 9830, 20000, 32768, 55706, 65535]
WINDOW = 1024


def bits_of(code, count, seed):
    """Healthy bits of a layer: 1 keeps."""
    return (uniform_words(seed, count) >= code).astype(np.uint8)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"code": 65536}, "drive code: must be 0 to 65535, not 65536"),
        ({"alpha_bits": 0}, "alpha_bits: must be 1 to 64, not 0"),
        ({"window": 1}, "window: must be 2 to 4096, not 1"),
        ({"window": 4097}, "window: must be 2 to 4096, not 4097"),
        ({"run_bits": 21}, "run_bits: must be 1 to 20, not 21"),
    ],
)
def test_wrong_parameters(wrong, message):
    with pytest.raises(UserError) as caught:
        limits_of(**{"code": 1000, "window": 16, **wrong})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("entropy", "window", "alpha_bits", "cutoff"),
    [
        *[(0.2, 1024, 20, 941), (0.4, 1024, 20, 840), (0.6, 1024, 20, 748), (0.8, 1024, 20, 664)],
        *[(1, 1024, 20, 589), (0.5, 512, 20, 410), (1, 512, 20, 311), (2, 512, 20, 177)],
        *[(4, 512, 20, 62), (8, 512, 20, 13), (1, 512, 30, 325)],
    ],
)
def test_known_answers_of_the_adaptive_proportion_test(entropy, window, alpha_bits, cutoff):
    """SP 800-90B, table 2 (alpha 2^-20); the last is the one of a common library (alpha 2^-30)."""
    assert proportion_cutoff(window, entropy, alpha_bits) == cutoff


def test_known_answers_of_the_repetition_count_test():
    assert [repetition_cutoff(entropy, 20) for entropy in (2.0, 0.5, 1.0)] == [11, 41, 21]


@pytest.mark.parametrize("alpha_bits", [20, 30, 40])
@pytest.mark.parametrize("code", [3000, 9830, 30000])
def test_how_the_limits_relate_to_the_standard(code, alpha_bits):
    entropy = -log2(1 - code / 65536)
    limits = limits_of(code, alpha_bits=alpha_bits)
    assert limits.drops_low == WINDOW + 1 - proportion_cutoff(WINDOW, entropy, alpha_bits + 1)
    assert limits.run_kept == repetition_cutoff(entropy, alpha_bits) - 1


@pytest.mark.parametrize("alpha_bits", [1, 20, 30, 64])
@pytest.mark.parametrize("code", CODES)
def test_cutoffs_of_runs_are_the_least_that_alpha_allows(code, alpha_bits):
    limits = limits_of(code, alpha_bits=alpha_bits, window=2)
    for cutoff, part in ((limits.run_kept, 65536 - code), (limits.run_dropped, code)):
        if cutoff:
            assert part**cutoff << alpha_bits <= 65536**cutoff
            assert part ** (cutoff - 1) << alpha_bits > 65536 ** (cutoff - 1)
        else:
            assert part ** (2**16 - 1) << alpha_bits > 65536 ** (2**16 - 1)


def test_a_run_that_the_counter_cannot_hold_is_not_watched():
    assert limits_of(21).run_kept == 64885 and limits_of(20).run_kept == 0
    assert limits_of(32768, run_bits=4, alpha_bits=15).run_kept == 15
    assert limits_of(32768, run_bits=4, alpha_bits=16).run_kept == 0


@pytest.mark.parametrize("alpha_bits", [10, 30])
@pytest.mark.parametrize("code", CODES)
def test_windows_are_the_narrowest_that_alpha_allows(code, alpha_bits):
    """Each side alarms with alpha / 2 at most, and with more if it were narrower by one."""
    limits, share = limits_of(code, alpha_bits=alpha_bits), 0.5 ** (alpha_bits + 1)
    steps = (0, 0, 1, -1, 1, -1)
    narrower = HealthLimits(*(limit + step for limit, step in zip(limits, steps, strict=True)))
    rates = false_alarm_rates(code, limits, WINDOW)
    too_much = false_alarm_rates(code, narrower, WINDOW)
    for name in HealthLimits._fields[2:]:
        assert rates[name] <= share < too_much[name]


def test_a_chance_of_just_alpha_is_allowed():
    """Two fair bits: each of 0 and 2 drops has the chance 1/4, each number of neighbours 1/2."""
    assert limits_of(32768, window=2, alpha_bits=1)[2:] == (1, 1, 0, 1)
    assert limits_of(32768, window=2, alpha_bits=2)[2:] == (0, 2, 0, 1)


def sequences(code, count):
    """Every sequence of ``count`` bits with its exact chance."""
    drop = Fraction(code, 65536)
    for bits in product((0, 1), repeat=count):
        yield bits, drop ** bits.count(0) * (1 - drop) ** bits.count(1)


@pytest.mark.parametrize("code", [0, 5000, 32768, 60000])
@pytest.mark.parametrize("limits", [HealthLimits(3, 2, 1, 3, 1, 2), HealthLimits(4, 0, 2, 5, 2, 4)])
def test_rates_against_every_sequence(code, limits):
    """The mean number of alarms over all sequences, those of a run that goes on taken as one."""
    window, count = 5, 11
    expected = dict.fromkeys(HealthLimits._fields, Fraction(0))
    for bits, chance in sequences(code, count):
        found = find_alarms(np.array(bits), limits, window)
        begins = found & ~np.vstack([np.zeros((1, 6), bool), found[:-1]])
        for name, number in zip(expected, begins.sum(axis=0).tolist(), strict=True):
            expected[name] += number * chance
    told = expected_false_alarms(code, limits, window, count)
    for name, mean in expected.items():
        assert told[name] == pytest.approx(float(mean), rel=1e-12, abs=1e-15)


def test_fewer_bits_than_a_run_or_a_window_cannot_alarm():
    assert not any(expected_false_alarms(9830, limits_of(9830), WINDOW, 10).values())


@pytest.mark.parametrize("code", [300, 9830, 32768, 60000])
def test_measured_rates_of_a_million_bits(code):
    """Counts are nearly Poisson: within six standard deviations of their mean."""
    limits = limits_of(code, alpha_bits=8, window=256)
    expected = expected_false_alarms(code, limits, 256)
    found = find_alarms(bits_of(code, MILLION, seed=code), limits, 256)
    begins = found & ~np.vstack([np.zeros((1, 6), bool), found[:-1]])
    counts = begins.sum(axis=0).tolist()
    for (name, mean), count in zip(expected.items(), counts, strict=True):
        assert abs(count - mean) <= 6 * sqrt(mean) + 1, name
    assert sum(counts) > 30


@pytest.mark.parametrize("code", [0, *CODES])
def test_a_million_healthy_bits_raise_no_alarm(code):
    limits = limits_of(code)
    assert sum(expected_false_alarms(code, limits, WINDOW).values()) < 1e-3
    assert not find_alarms(bits_of(code, MILLION, seed=7), limits, WINDOW).any()


def test_without_dropout_every_drop_is_an_alarm_and_nothing_else():
    limits = limits_of(0)
    assert limits == (0, 1, 0, 0, WINDOW - 1, WINDOW - 1)
    assert not any(false_alarm_rates(0, limits, WINDOW).values())
    bits = np.ones(3 * WINDOW, dtype=np.uint8)
    bits[WINDOW + 100] = 0
    at, which = np.nonzero(find_alarms(bits, limits, WINDOW))
    assert sorted(zip(at.tolist(), which.tolist(), strict=True)) == [
        (WINDOW + 100, 1),
        (2 * WINDOW - 1, 3),
        (2 * WINDOW - 1, 4),
    ]


FAULTS = {
    "stuck kept": (np.ones_like, "run_kept"),
    "stuck dropped": (np.zeros_like, "run_dropped"),
    "drive code of another layer": (lambda bits: bits_of(19660, len(bits), 5), "drops_high"),
    "drive too weak": (lambda bits: bits_of(3000, len(bits), 5), "drops_low"),
    "not refreshed": (lambda bits: np.repeat(bits, 2)[: len(bits)], "equal_high"),
    "two by two": (lambda bits: np.where(np.arange(len(bits)) % 4 < 2, 0, 1), "equal_low"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("start", [0, 1, 517, 1023])
def test_faults_are_noticed_in_time(fault, start):
    """Runs at the cutoff, counts at the end of the first window that lies wholly in the fault."""
    change, name = FAULTS[fault]
    limits, bits = limits_of(9830), bits_of(9830, 4 * WINDOW, seed=3)
    bits[WINDOW + start :] = change(bits[WINDOW + start :])
    found = find_alarms(bits, limits, WINDOW)
    assert not found[: WINDOW + start].any()
    after = np.flatnonzero(found[WINDOW + start :, HealthLimits._fields.index(name)])[0] + 1
    assert after <= (getattr(limits, name) if name.startswith("run") else 2 * WINDOW - 1)


@pytest.mark.parametrize("window", [2, 7, 64])
def test_the_twin_of_several_layers_finds_what_each_layer_alone_raises(window):
    rng = np.random.default_rng(window)
    codes = [3000, 32768, 50000]
    limits = [limits_of(code, alpha_bits=4, window=window) for code in codes]
    twin = HealthTwin(limits, window)
    layers = rng.integers(3, size=3000)
    keeps = (rng.integers(65536, size=3000) >= np.array(codes)[layers]).astype(int)
    found = [twin.step(*bit) for bit in zip(layers.tolist(), keeps.tolist(), strict=True)]
    for layer in range(3):
        mine = np.array(found)[layers == layer]
        assert np.array_equal(mine, find_alarms(keeps[layers == layer], limits[layer], window))
        assert mine.any()


def test_a_restart_forgets_every_bit():
    twin = HealthTwin([HealthLimits(3, 3, 0, 4, 0, 3)], 4)
    assert not any(any(twin.step(0, 1)) for _ in range(2))
    twin.restart()
    assert [twin.step(0, 1).run_kept for _ in range(4)] == [0, 0, 1, 1]


def test_alarms_have_their_places_in_the_status_word():
    names = [name.upper() for name in HealthLimits._fields]
    assert [MonitorFlag[name] for name in names] == list(range(9, 15))
    assert [flag.value for flag in MonitorFlag] == list(range(15))
