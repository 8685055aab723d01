# SPDX-License-Identifier: Apache-2.0
"""SP 800-90B: examples of the standard, figures of NIST's own tool, and slow twins."""

from collections import Counter
from math import comb, log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from number_digits import nist_file_of_pi

from scaledrop.errors import UserError
from scaledrop.randomness import entropy, tuples

EXAMPLE = [int(digit) for digit in "1000111001010101110011000111001010101110"]
MORE = [*EXAMPLE, 1, 1, 1, 0, 0, 0, 1, 1]
OF_NIST = {
    "most_common": 0.81114057970407438,
    "collision": 0.56953759345777466,
    "markov": 0.72318078199004532,
    "compression": 0.60155919063219654,
}
"""What NIST's tool says of its ``data.pi``: cpp/selftest/refdata/data.pi.res of
usnistgov/SP800-90B_EntropyAssessment."""
FOUR_DIGITS = 1e-4


@pytest.fixture(scope="module")
def file_of_pi(pi_digits):
    stream = nist_file_of_pi(pi_digits)
    assert (len(stream), int(stream.sum(dtype=int))) == (1_165_666, 662_972)
    return stream


def test_examples_of_the_standard():
    assert entropy.collision(EXAMPLE) == pytest.approx(0.4483, abs=FOUR_DIGITS)
    assert entropy.markov(EXAMPLE) == pytest.approx(0.761, abs=5e-4)
    assert entropy.compression(MORE, first=4) == pytest.approx(0.1345, abs=FOUR_DIGITS)


@pytest.mark.parametrize("name", OF_NIST)
def test_the_figures_of_the_tool_of_nist(name, file_of_pi):
    assert getattr(entropy, name)(file_of_pi) == pytest.approx(OF_NIST[name], rel=1e-12)


def test_the_tuples_of_the_tool_of_nist(file_of_pi):
    found = tuples.tuple_estimates(file_of_pi)
    assert (found.shortest_rare, found.longest) == (19, 43)
    assert found.t_tuple == pytest.approx(0.70186099415040004, rel=1e-12)
    assert found.longest_repeat == pytest.approx(0.90880365648334804, rel=1e-12)


def slow_tuples(bits, cutoff):
    """Every word of every length in a dictionary."""
    n, common, repeats = len(bits), [], []
    for size in range(1, n):
        seen = Counter(tuple(bits[i : i + size]) for i in range(n - size + 1))
        most = max(seen.values())
        if most < 2:
            break
        if most >= cutoff:
            common.append((most / (n - size + 1)) ** (1 / size))
        else:
            pairs = sum(comb(count, 2) for count in seen.values())
            repeats.append((pairs / comb(n - size + 1, 2)) ** (1 / size))
    return tuple(entropy.upper_entropy(max(one), n) if one else None for one in (common, repeats))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=8, max_size=60), st.integers(2, 4))
def test_tuples_against_slow_ones(bits, cutoff):
    found = tuples.tuple_estimates(bits, cutoff)
    assert found[:2] == pytest.approx(slow_tuples(bits, cutoff), abs=1e-12)


def test_words_beyond_128_bits_are_sampled_and_the_longest_is_taken():
    half = np.random.default_rng(1).integers(2, size=20_000)
    found = tuples.tuple_estimates(np.tile(half, 2))
    assert found.longest == 20_000
    assert found.longest_repeat < 0.002
    assert tuples.tuple_estimates(np.tile([0, 1, 1], 2000)).t_tuple < 0.005


def slow_excess(chance, blocks, first):
    """6.3.4, step 7, as printed: a sum over t and u."""
    total = 0.0
    for t in range(first + 1, blocks + 1):
        inside = sum(log2(u) * chance**2 * (1 - chance) ** (u - 1) for u in range(1, t))
        total += inside + log2(t) * chance * (1 - chance) ** (t - 1)
    return total / (blocks - first)


@pytest.mark.parametrize("chance", [0.02, 0.3, 0.9])
def test_the_sum_of_the_compression_estimate(chance):
    logs = np.log2(np.arange(1, 61))
    fast = entropy._mean_log(chance, 17, logs)
    assert fast == pytest.approx(slow_excess(chance, 60, 17), rel=1e-12)


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5])
def test_independent_bits_of_known_entropy(p):
    """Estimates err on the low side; by how much for 200 000 bits is measured here."""
    bits = np.random.default_rng(2).random(200_000) < p
    ideal = -log2(1 - p)
    for estimate, share in ((entropy.most_common, 0.97), (entropy.markov, 0.97)):
        assert share * ideal < estimate(bits) < 1.005 * ideal
    assert 0.4 * ideal < entropy.compression(bits) < ideal
    assert 0.75 * ideal < tuples.tuple_estimates(bits).t_tuple < ideal


def test_what_each_estimate_sees():
    rng = np.random.default_rng(4)
    sticky = np.cumsum(rng.random(100_000) < 0.1) % 2
    assert entropy.markov(sticky) == pytest.approx((1 - 127 * log2(0.9)) / 128, rel=0.02)
    assert entropy.most_common(sticky) > 0.9
    for estimate in (entropy.most_common, entropy.collision, entropy.markov, entropy.compression):
        assert estimate(np.ones(10_000)) == pytest.approx(0.0, abs=1e-9)
    assert entropy.markov(np.arange(10_000) % 2) < 0.01
    assert entropy.compression(np.arange(60_000) // 6 % 2) < 0.05


def test_too_few_bits():
    for estimate, least in ((entropy.most_common, 2), (entropy.markov, 2), (entropy.collision, 6),
                            (entropy.compression, 6012), (tuples.tuple_estimates, 70)):  # fmt: skip
        with pytest.raises(UserError, match=f"needs at least {least}, not {least - 1}; record"):
            estimate(np.arange(least - 1) * 7 // 4 % 2)
