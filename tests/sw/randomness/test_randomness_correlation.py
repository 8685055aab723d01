# SPDX-License-Identifier: Apache-2.0
"""Intervals, transitions, autocorrelation, whitening: by hand, by definition, by coverage."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scaledrop.errors import UserError
from scaledrop.randomness import (
    autocorrelation,
    measure,
    ones,
    peres,
    transitions,
    von_neumann,
    whitenings,
    wilson,
    xor_streams,
    xor_successive,
)
from scaledrop.randomness.correlation import portmanteau


def test_wilson_by_its_formula():
    found, z = wilson(7, 50, 0.95), stats.norm.ppf(0.975)
    middle = (7 / 50 + z * z / 100) / (1 + z * z / 50)
    half = z * sqrt(0.14 * 0.86 / 50 + z * z / 10_000) / (1 + z * z / 50)
    assert (found.low, found.value, found.high) == pytest.approx(
        (middle - half, 0.14, middle + half)
    )
    nothing = wilson(0, 0)
    assert (nothing.low, nothing.high) == (0.0, 1.0) and np.isnan(nothing.value)


def test_coverage_of_the_share_of_ones():
    streams = np.random.default_rng(1).random((500, 400)) < 0.03
    found = [ones(stream, 0.9) for stream in streams]
    covered = sum(one.low <= 0.03 <= one.high for one in found)
    assert abs(covered - 450) < 4 * sqrt(500 * 0.9 * 0.1)


def test_transitions_by_hand():
    bits = [0, 0, 1, 1, 1, 0, 1, 0, 0]
    found = transitions(bits)
    assert (found.after_zero.value, found.after_one.value) == (2 / 4, 2 / 4)
    assert transitions([0, 1, 0, 1]).difference == -1.0
    assert transitions([0, 0, 0]).after_one.low == 0.0


def test_autocorrelation_by_definition():
    bits = np.random.default_rng(2).random(500) < 0.3
    x = bits - bits.mean()
    slow = [float(x[k:] @ x[:-k] / (x @ x)) for k in range(1, 21)]
    assert autocorrelation(bits, 20).values == pytest.approx(slow, abs=1e-12)


def test_as_many_lags_are_outside_the_band_as_it_says():
    streams = np.random.default_rng(3).random((200, 2000)) < 0.2
    outside = sum(autocorrelation(stream, 30, 0.05).outside for stream in streams)
    assert abs(outside - 300) < 5 * sqrt(6000 * 0.05 * 0.95)


def test_portmanteau_by_its_formula():
    bits = np.random.default_rng(8).random(1000) < 0.3
    values = autocorrelation(bits, 5).values
    expected = 1000 * 1002 * sum(r * r / (1000 - k) for k, r in enumerate(values, 1))
    found = portmanteau(bits, 5)
    assert found.statistic == pytest.approx(expected, rel=1e-12)
    assert found.p_value == pytest.approx(stats.chi2.sf(expected, 5), rel=1e-12)


def test_a_planted_lag_is_outside():
    bits = np.random.default_rng(4).random(20_000) < 0.2
    bits[7:] |= bits[:-7] & (np.random.default_rng(5).random(19_993) < 0.1)
    found = autocorrelation(bits)
    assert int(np.argmax(np.abs(found.values))) == 6 and found.values[6] > 2 * found.band


def test_autocorrelation_needs_bits_that_differ():
    with pytest.raises(UserError) as caught:
        autocorrelation(np.ones(1000))
    assert (
        str(caught.value) == "bits: all are equal, so that nothing correlates; look at the source"
    )
    with pytest.raises(UserError, match="autocorrelation needs at least 320, not 319"):
        autocorrelation(np.arange(319) % 2)


def slow_peres(bits, depth):
    """By his definition: von Neumann of the bits, of the XORs of pairs, of the equal pairs."""
    pairs = list(zip(bits[::2], bits[1::2], strict=False))
    out = [a for a, b in pairs if a != b]
    if depth == 1 or not pairs:
        return sorted(out)
    again = ([a ^ b for a, b in pairs], [a for a, b in pairs if a == b])
    return sorted(out + [bit for one in again for bit in slow_peres(one, depth - 1)])


BITS = st.lists(st.integers(0, 1), min_size=16, max_size=200)


@given(BITS)
def test_whitening_against_slow_ones(bits):
    pairs = list(zip(bits[::2], bits[1::2], strict=False))
    assert von_neumann(bits).tolist() == [a for a, b in pairs if a != b]
    assert peres(bits, 1).tolist() == von_neumann(bits).tolist()
    assert xor_successive(bits, 3).tolist() == [
        sum(bits[i : i + 3]) % 2 for i in range(0, len(bits) - 2, 3)
    ]
    assert xor_streams([bits, bits[::-1]]).tolist() == [
        a ^ b for a, b in zip(bits, bits[::-1], strict=True)
    ]
    assert sorted(peres(bits, 3).tolist()) == slow_peres(bits, 3)


def test_peres_is_fair_for_every_count_of_ones():
    """All orders of the same ones are equally likely; so are then all outputs of a length."""
    for count in range(7):
        orders = [[b >> i & 1 for i in range(6)] for b in range(64) if b.bit_count() == count]
        outputs = [tuple(peres(order).tolist()) for order in orders]
        for out in outputs:
            kinds = {one for one in outputs if len(one) == len(out)}
            assert len(kinds) == 2 ** len(out)
            assert len({outputs.count(one) for one in kinds}) == 1


@pytest.mark.parametrize("p", [0.2, 0.4])
def test_measured_rates_and_biases_of_independent_bits(p):
    """Piling-up lemma for XOR, p (1 - p) for von Neumann, below the entropy for Peres."""
    found = {one.method: one for one in whitenings(np.random.default_rng(6).random(400_000) < p)}
    for count in (2, 4, 8):
        one, expected = found[f"xor {count}"], (1 - (1 - 2 * p) ** count) / 2
        assert one.rate == 1 / count and one.ones.low < expected < one.ones.high
    assert found["von Neumann"].rate == pytest.approx(p * (1 - p), rel=0.02)
    entropy = stats.entropy([p, 1 - p], base=2)
    assert 0.85 * entropy < found["Peres"].rate < entropy
    for method in ("von Neumann", "Peres"):
        assert found[method].ones.low < 0.5 < found[method].ones.high
        assert abs(found[method].lag_1) < 4 / sqrt(found[method].given)
        assert found[method].min_entropy > 0.97


def test_correlation_survives_von_neumann_and_is_measured():
    """A bit that repeats the last with 0.8. The first of the next unequal pair equals the last
    bit seen with r = 0.16 + 0.8 (0.8 r + 0.2 (1 - r)), so that neighbours correlate by 1 - 2 r."""
    fresh = np.random.default_rng(7).random(100_000) < 0.2
    sticky = np.cumsum(fresh) % 2
    found = {one.method: one for one in whitenings(sticky)}
    assert found["none"].lag_1 == pytest.approx(0.6, abs=0.02)
    assert found["von Neumann"].lag_1 == pytest.approx(1 - 2 * 0.32 / 0.52, abs=0.04)


def test_nothing_comes_out_of_equal_bits():
    found = {one.method: one for one in whitenings(np.zeros(64))}
    assert found["von Neumann"].given == found["Peres"].given == 0
    assert found["Peres"].ones is None and found["none"].min_entropy == 0
    assert found["none"].lag_1 is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: xor_streams([]), "streams: must be one or more of equal length, not []; cut them"),
        (lambda: xor_streams([[0, 1], [1]]),
         "streams: must be one or more of equal length, not [1, 2]; cut them"),
        (lambda: xor_successive([0, 1], 65), "count: must be 1 to 64, not 65"),
        (lambda: xor_successive([0, 1], 3), "bits: XOR needs at least 3, not 2; record more"),
        (lambda: peres([0, 1], 0), "depth: must be 1 to 32, not 0"),
        (lambda: measure("mine", 10, [0, 2]),
         "bits: must be 0 or 1, not 2 at position 1; unpack bytes or compare with a threshold "
         "first"),
    ],
)  # fmt: skip
def test_wrong_arguments(call, message):
    with pytest.raises(UserError) as caught:
        call()
    assert str(caught.value) == message
