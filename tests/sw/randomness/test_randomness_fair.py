# SPDX-License-Identifier: Apache-2.0
"""SP 800-22: the examples of the standard, digits of numbers, slow twins, and what is refused."""

from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaincc

from scaledrop.errors import UserError
from scaledrop.randomness import counts, patterns, rank, spectrum

PI_100 = (
    "11001001000011111101101010100010001000010110100011"
    "00001000110100110001001100011001100010100010111000"
)
RUNS_128 = (
    "11001100000101010110110001001100111000000000001001"
    "00110101010001000100111101011010000000110101111100"
    "1100111001101101100010110010"
)
SIX_DIGITS = 1e-6


def bits(text):
    return np.array([int(digit) for digit in text], dtype=np.uint8)


EXAMPLES = {
    "2.1.4": (lambda: counts.frequency(bits("1011010101"), 1), 0.527089),
    "2.1.8": (lambda: counts.frequency(bits(PI_100)), 0.109599),
    "2.2.4": (lambda: counts.block_frequency(bits("0110011010"), 3, 1), 0.801252),
    "2.2.8": (lambda: counts.block_frequency(bits(PI_100), 10), 0.706438),
    "2.3.4": (lambda: counts.runs(bits("1001101011"), 1), 0.147232),
    "2.3.8": (lambda: counts.runs(bits(PI_100)), 0.500798),
    "2.4.8": (lambda: counts.longest_run(bits(RUNS_128)), 0.180609),
    "2.11.6 first": (lambda: patterns.serial(bits("0011011101"), 3, 1)[0], 0.808792),
    "2.11.6 second": (lambda: patterns.serial(bits("0011011101"), 3, 1)[1], 0.670320),
    "2.12.4": (lambda: patterns.approximate_entropy(bits("0100110101"), 3, 1), 0.261961),
    "2.12.8": (lambda: patterns.approximate_entropy(bits(PI_100), 2, 1), 0.235301),
    "2.13.4": (lambda: counts.cumulative_sums(bits("1011010111"), least=1), 0.4116588),
    "2.13.8 forward": (lambda: counts.cumulative_sums(bits(PI_100)), 0.219194),
    "2.13.8 backward": (lambda: counts.cumulative_sums(bits(PI_100), backward=True), 0.114866),
}


@pytest.mark.parametrize("section", EXAMPLES)
def test_examples_of_the_standard(section):
    run, p_value = EXAMPLES[section]
    assert run().p_value == pytest.approx(p_value, abs=SIX_DIGITS)


def test_the_printed_spectral_examples_contradict_their_own_definition():
    """2.6.4 prints N1 = 4 and 2.6.8 prints 46: the sums themselves give 5 and 48."""
    for text, below in (("1001010011", 5), (PI_100, 48)):
        n, x = len(text), 2.0 * bits(text) - 1
        sums = [abs((x * np.exp(-2j * np.pi * k * np.arange(n) / n)).sum()) for k in range(n // 2)]
        assert sum(one < np.sqrt(n * np.log(20)) for one in sums) == below
        assert spectrum.spectral(bits(text), 1).note.startswith(f"{below} of ")
    assert spectrum.spectral(bits(PI_100), 1).p_value == pytest.approx(0.646355, abs=SIX_DIGITS)


TESTS = {
    "frequency": counts.frequency,
    "block frequency": counts.block_frequency,
    "sums forward": counts.cumulative_sums,
    "sums backward": lambda x: counts.cumulative_sums(x, backward=True),
    "runs": counts.runs,
    "rank": rank.matrix_rank,
    "spectral": spectrum.spectral,
    "universal": patterns.universal,
    "approximate entropy": lambda x: patterns.approximate_entropy(x, 10),
    "serial": lambda x: patterns.serial(x, 16)[0],
}
APPENDIX_B = {
    "frequency": (0.578211, 0.953749, 0.811881, 0.610051),
    "block frequency": (0.380615, 0.211072, 0.833222, 0.473961),
    "sums forward": (0.628308, 0.669887, 0.879009, 0.917121),
    "sums backward": (0.663369, 0.724266, 0.957206, 0.689519),
    "runs": (0.419268, 0.561917, 0.313427, 0.261123),
    "rank": (0.083553, 0.306156, 0.823810, 0.314498),
    "spectral": (0.010186, 0.847187, 0.581909, 0.776046),
    "universal": (0.669012, 0.282568, 0.130805, 0.165981),
    "approximate entropy": (0.361595, 0.700073, 0.884740, 0.180481),
    "serial": (0.143005, 0.766182, 0.861925, 0.157500),
}
LONGEST = {"exact": (0.027295, 0.718366, 0.013472, 0.464612)}
LONGEST["printed"] = (0.024390, 0.718945, 0.012117, 0.446726)


@pytest.fixture(scope="module")
def numbers(pi_digits, e_digits, root_digits):
    return pi_digits[:1_000_000], e_digits, root_digits[2], root_digits[3]


@pytest.mark.parametrize("name", TESTS)
def test_a_million_digits_of_pi_e_and_two_roots(name, numbers):
    """Appendix B of the standard."""
    found = [TESTS[name](number).p_value for number in numbers]
    assert found == pytest.approx(APPENDIX_B[name], abs=SIX_DIGITS)


def test_longest_runs_of_digits(numbers):
    """Appendix B has chances of four digits, which move P in the third."""
    exact = [counts.longest_run(number).p_value for number in numbers]
    assert exact == pytest.approx(LONGEST["exact"], abs=SIX_DIGITS)
    for number, p_value in zip(numbers, LONGEST["printed"], strict=True):
        *_, found = counts.longest_run_classes(number)
        expected = 100 * np.array([0.0882, 0.2092, 0.2483, 0.1933, 0.1208, 0.0675, 0.0727])
        chi2 = ((found - expected) ** 2 / expected).sum()
        assert gammaincc(3, chi2 / 2) == pytest.approx(p_value, abs=SIX_DIGITS)


def test_examples_with_the_first_digits_of_e(e_digits):
    found = rank.matrix_rank(e_digits[:100_000])
    assert found.statistic == pytest.approx(1.2619656, abs=1e-7)
    assert found.note == "23, 60, 14 of 97"
    first, second = patterns.serial(e_digits, 2)
    assert (first.p_value, second.p_value) == pytest.approx((0.843764, 0.561915), abs=SIX_DIGITS)


def test_chances_of_the_longest_run_against_every_block():
    seen = [
        max((len(list(g)) for k, g in groupby(b) if k), default=0)
        for b in product((0, 1), repeat=8)
    ]
    shares = [sum(min(max(one, 1), 4) == run for one in seen) / 256 for run in range(1, 5)]
    assert counts.longest_run_chances(8, 1, 4) == pytest.approx(shares, abs=1e-15)
    printed = [0.1174, 0.2430, 0.2493, 0.1752, 0.1027, 0.1124]
    assert counts.longest_run_chances(128, 4, 9) == pytest.approx(printed, abs=1e-4)


def slow_rank(rows):
    """Gauss on whole numbers, one row after the other."""
    rows, found = [int(row) for row in rows], 0
    while rows:
        row = rows.pop()
        if row:
            found += 1
            low = row & -row
            rows = [other ^ row if other & low else other for other in rows]
    return found


def test_ranks_against_slow_ones():
    rng = np.random.default_rng(3)
    full = rng.integers(2**32, size=(200, 32), dtype=np.uint32)
    full[::3, 5:20] = 0
    full[1::3, 7] = full[1::3, 8] ^ full[1::3, 30]
    before = full.copy()
    assert rank.ranks_of(full).tolist() == [slow_rank(rows) for rows in full]
    assert np.array_equal(full, before)
    assert rank.rank_chances() == pytest.approx((0.2888, 0.5776, 0.1336), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=2, max_size=60), st.integers(2, 5))
def test_serial_and_entropy_against_slow_counts(text, m):
    n, psi, phi = len(text), {}, {}
    for size in range(m + 2):
        seen = [tuple((text * 8)[i : i + size]) for i in range(n)]
        shares = [seen.count(word) / n for word in set(seen)]
        psi[size] = n * (2**size * sum(s * s for s in shares) - 1) if size else 0.0
        phi[size] = sum(s * np.log(s) for s in shares) if size else 0.0
    first, second = patterns.serial(text, m, 1)
    assert first.statistic == pytest.approx(psi[m] - psi[m - 1], abs=1e-9)
    assert second.statistic == pytest.approx(psi[m] - 2 * psi[m - 1] + psi[m - 2], abs=1e-9)
    chi2 = 2 * n * (np.log(2) - phi[m] + phi[m + 1])
    assert patterns.approximate_entropy(text, m, 1).statistic == pytest.approx(chi2, abs=1e-9)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=40))
def test_distances_against_slow_ones(blocks):
    slow = [
        next((k for k in range(1, i + 1) if blocks[i - k] == b), i + 1)
        for i, b in enumerate(blocks)
    ]
    assert patterns.distances(np.array(blocks)).tolist() == slow


ALL = TESTS | {"longest run": counts.longest_run}
LEAST = {"rank": 38_912, "spectral": 1000, "universal": 387_840, "approximate entropy": 128}
LEAST |= {"serial": 32, "longest run": 128, "block frequency": 128}


@pytest.mark.parametrize("name", ALL)
def test_too_few_bits_are_refused_and_enough_are_taken(name):
    least = LEAST.get(name, 100)
    stream = (np.arange(least) * 2654435761 >> 7 & 1).astype(np.uint8)
    before = stream.copy()
    assert 0 <= ALL[name](stream).p_value <= 1
    assert np.array_equal(stream, before) and stream.flags.writeable
    with pytest.raises(UserError, match=rf"needs at least {least}, not {least - 1}; record more"):
        ALL[name](stream[:-1])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "bits: there are none; give at least one"),
        ([0, 1, 2], "bits: must be 0 or 1, not 2 at position 2; unpack bytes or compare with a "
         "threshold first"),
        ([0.0, float("nan")], "bits: must be 0 or 1, not nan at position 1; unpack bytes or "
         "compare with a threshold first"),
        ([[0, 1]], "bits: must be a flat array of 0 and 1, not int64 of shape (1, 2); flatten it, "
         "one bit an element"),
        (["0"], "bits: must be a flat array of 0 and 1, not <U1 of shape (1,); flatten it, one bit "
         "an element"),
        ([1] * 99, "bits: frequency needs at least 100, not 99; record more"),
    ],
)  # fmt: skip
def test_what_is_no_stream_of_bits(values, message):
    with pytest.raises(UserError) as caught:
        counts.frequency(values)
    assert str(caught.value) == message


def test_runs_are_not_counted_where_the_ones_are_too_far_from_one_half():
    found = counts.runs(np.arange(1000) % 5 == 0)
    assert found.p_value == 0.0 and found.note.startswith("not run: 0.2000 are ones")
