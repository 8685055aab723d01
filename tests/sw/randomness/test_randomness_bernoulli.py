# SPDX-License-Identifier: Apache-2.0
"""Tests for any p: P-values are uniform under the null hypothesis, and planted faults are found."""

from itertools import groupby, product

import numpy as np
import pytest
from scipy import stats

from scaledrop.errors import UserError
from scaledrop.randomness import bernoulli, correlation, second_level, spectrum

STREAMS, BITS = 300, 8000
STEPWISE = {"worst window", "equal run", "shape"}
"""Their statistic is a small whole number, so P cannot be uniform: it must not be too small."""


def battery(p):
    tests = {
        "block": lambda b: bernoulli.block_share(b, p),
        "words": lambda b: bernoulli.words(b, p),
        "worst window": lambda b: bernoulli.worst_window(b, p, 256),
        "equal run": lambda b: bernoulli.equal_run(b, p),
    }
    if p is not None:
        return {"share": lambda b: bernoulli.share(b, p)} | tests
    return tests | {
        "runs": bernoulli.runs_given_ones,
        "independence": bernoulli.independence,
        "drift": bernoulli.drift,
        "autocorrelation": lambda b: correlation.portmanteau(b, 16),
        "shape": spectrum.spectrum_shape,
        "peak": spectrum.peak,
    }


def streams(p, seed, count=STREAMS, length=BITS):
    return np.random.default_rng(seed).random((count, length)) < p


@pytest.mark.parametrize("known", [True, False], ids=["programmed", "estimated"])
@pytest.mark.parametrize("p", [0.5, 0.2, 0.93])
def test_p_values_are_uniform(p, known):
    """Second level of SP 800-22, 4.2, with seeds; a stepwise P only must not reject too often."""
    sample = streams(p, seed=17)
    for name, test in battery(p if known else None).items():
        p_values = np.array([test(one).p_value for one in sample])
        level = second_level(p_values)
        if name in STEPWISE:
            assert level.proportion >= level.low, name
            for alpha in (0.02, 0.1, 0.3):
                too_many = stats.binomtest(int((p_values < alpha).sum()), STREAMS, alpha, "greater")
                assert too_many.pvalue > 1e-3, (name, alpha)
        else:
            assert level.passed(), (name, level)


@pytest.mark.parametrize("p", [0.5, 0.2])
def test_variance_of_the_shape_of_the_spectrum(p):
    """One, where the standard's would be 1.06 and that of independent peaks 0.53."""
    found = [spectrum.spectrum_shape(one).statistic for one in streams(p, 23, 600, 4000)]
    assert abs(np.var(found) - 1) < 4 * np.sqrt(2 / 600)


def markov(p, stick, seed, length=40_000):
    """Bits with share p and lag-1 correlation ``stick``: keep the last, or draw."""
    rng = np.random.default_rng(seed)
    drawn = rng.random(length) < p
    fresh = rng.random(length) >= stick
    fresh[0] = True
    return drawn[np.maximum.accumulate(np.where(fresh, np.arange(length), 0))]


def fault(name, p, seed=5, length=40_000):
    rng = np.random.default_rng(seed)
    uniform, at = rng.random(length), np.arange(length)
    if name == "sticks":
        return markov(p, 0.05, seed)
    if name == "avoids":
        bits = markov(p, 0.0, seed)
        redraw = (bits[1:] & bits[:-1]) & (uniform[1:] < 0.2)
        bits[1:] &= ~redraw
        return bits
    rate = {
        "bias": np.full(length, p + 0.02),
        "mains": p * (1 + 0.3 * np.sin(2 * np.pi * at / 33.3)),
        "drift": p * (1 + 0.25 * (at / length - 0.5)),
        "warm-up": np.where(at < 1500, 1.5 * p, p),
        "stuck": np.full(length, p),
        "third": np.full(length, p),
    }[name]
    bits = uniform < rate
    if name == "stuck":
        bits[17_000:17_200] = True
    if name == "third":
        bits[3::4] = np.where(uniform[3::4] < 0.5, bits[0::4] ^ bits[1::4], bits[3::4])
    return bits


SEEN_BY = {
    "bias": ("share", "words"),
    "sticks": ("runs", "independence", "autocorrelation"),
    "avoids": ("runs", "independence", "words"),
    "mains": ("peak", "autocorrelation"),
    "drift": ("drift",),
    "warm-up": ("drift", "worst window"),
    "stuck": ("equal run", "worst window"),
    "third": ("independence",),
}


@pytest.mark.parametrize("p", [0.5, 0.2])
@pytest.mark.parametrize("name", SEEN_BY)
def test_planted_faults_are_rejected(name, p):
    bits = fault(name, p)
    tests = battery(None) | (battery(p) if name == "bias" else {})
    for test in SEEN_BY[name]:
        assert tests[test](bits).p_value < 1e-3, test


def test_a_bias_is_invisible_without_the_programmed_probability():
    bits = fault("bias", 0.2)
    assert all(test(bits).p_value > 1e-3 for test in battery(None).values())


def test_runs_against_every_order_of_given_ones():
    """Mean and variance over all sequences with 5 ones among 12 bits."""
    orders = [b for b in product((0, 1), repeat=12) if sum(b) == 5]
    counts = np.array([sum(1 for _ in groupby(b)) for b in orders])
    at = int(np.argmax(counts))
    found = bernoulli.runs_given_ones(np.array(orders[at]), 1)
    far = (counts[at] - counts.mean()) / counts.std()
    assert found.statistic == pytest.approx(far, rel=1e-12)


def test_exact_tails_of_the_share():
    bits = np.zeros(100, dtype=np.uint8)
    bits[:30] = 1
    expected = 2 * stats.binom.sf(29, 100, 0.2)
    assert bernoulli.share(bits, 0.2).p_value == pytest.approx(expected, rel=1e-12)


def test_words_against_a_table_by_hand():
    """0.25 programmed, words of two: cells expect 9/16, 3/16, 3/16 and 1/16 of 400."""
    words = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [220, 80, 70, 30], axis=0)
    found = bernoulli.words(words.ravel(), 0.25, 2, 1)
    by_hand = 25 / 225 + 25 / 75 + 25 / 75 + 25 / 25
    assert found.statistic == pytest.approx(by_hand, rel=1e-12)
    assert found.p_value == pytest.approx(stats.chi2.sf(by_hand, 3), rel=1e-12)


def test_independence_against_a_contingency_table():
    bits = markov(0.3, 0.05, 8, 5000).astype(np.uint8)
    table = np.zeros((4, 2))
    for first, second, last in zip(bits, bits[1:], bits[2:], strict=False):
        table[2 * first + second, last] += 1
    expected = stats.chi2_contingency(table, correction=False)
    found = bernoulli.independence(bits, 2)
    assert (found.statistic, found.p_value) == pytest.approx((expected[0], expected[1]), rel=1e-9)


def test_chance_of_a_long_run_against_every_sequence():
    """12 bits, p 0.3: the longest run of ones is 5 or more, or of zeros 12."""
    long = {5: 0.0, 6: 0.0}
    for bits in product((0, 1), repeat=12):
        longest = max((len(list(g)) for bit, g in groupby(bits) if bit), default=0)
        for length in long:
            long[length] += (longest >= length) * 0.3 ** sum(bits) * 0.7 ** (12 - sum(bits))
    for length, chance in long.items():
        stream = np.array([1] * length + [0, 1, 0, 1, 0, 1, 0][: 12 - length])
        assert bernoulli.equal_run(stream, 0.3, 1).p_value == pytest.approx(2 * chance, rel=0.02)


@pytest.mark.parametrize("value", [0, 1])
def test_equal_bits_fail_every_test(value):
    bits = np.full(5000, value)
    tests = battery(None)
    assert all(test(bits).p_value == 0 for test in tests.values())
    assert {test(bits).note for test in tests.values()} == {"all bits are equal"}
    assert bernoulli.share(bits, 0.4).p_value < 1e-300


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: bernoulli.share(b, 1.5), "p: must lie between 0 and 1, not 1.5; give a "
         "probability"),
        (lambda b: bernoulli.words(b, 0.0), "p: must lie between 0 and 1, not 0.0; give a "
         "probability"),
        (lambda b: bernoulli.words(b, 0.2, 17), "length: must be 2 to 16, not 17"),
        (lambda b: bernoulli.independence(b, 0), "order: must be 1 to 16, not 0"),
        (lambda b: bernoulli.drift(b[:999]), "bits: drift needs at least 1000, not 999; record "
         "more"),
        (lambda b: bernoulli.block_share(b, 0.001), "bits: block share needs at least 50052, not "
         "2000; record more"),
        (lambda b: second_level([0.5] * 54), "p_values: must be at least 55, not 54; test more "
         "streams"),
    ],
)  # fmt: skip
def test_wrong_arguments(call, message):
    with pytest.raises(UserError) as caught:
        call(np.arange(2000) % 3 == 0)
    assert str(caught.value) == message
