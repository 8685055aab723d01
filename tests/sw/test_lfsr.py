# SPDX-License-Identifier: Apache-2.0
"""Words of the shift registers: the published generator, its period, and how random they are."""

import math
from itertools import islice

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.lfsr import REGISTERS, first_state, lfsr_words, next_state
from scaledrop.randomness import assess


def published(z1, z2, z3):
    """taus88 as its author prints it: the highest 16 bits of successive words of 32."""
    top = (1 << 32) - 1
    while True:
        b = ((z1 << 13 & top) ^ z1) >> 19
        z1 = ((z1 & 0xFFFFFFFE) << 12 & top) ^ b
        b = ((z2 << 2 & top) ^ z2) >> 25
        z2 = ((z2 & 0xFFFFFFF8) << 4 & top) ^ b
        b = ((z3 << 3 & top) ^ z3) >> 11
        z3 = ((z3 & 0xFFFFFFF0) << 17 & top) ^ b
        yield (z1 ^ z2 ^ z3) >> 16


def test_the_words_are_those_of_the_published_generator():
    state = first_state(5)
    begun = [y << 32 - k for y, (k, _, _) in zip(state, REGISTERS, strict=True)]
    wanted = list(islice(published(*begun), 500))
    assert lfsr_words(5, 501)[1:].tolist() == wanted


@pytest.mark.parametrize(("at", "bits"), [(0, 31), (1, 29), (2, 28)])
def test_each_register_goes_through_every_state(at, bits):
    """Its step is a matrix over two elements; its order is 2^k - 1 with k prime or 28."""
    rows = [_stepped(1 << bit, at) for bit in range(bits)]
    order = 2**bits - 1
    factors = {31: [2147483647], 29: [233, 1103, 2089], 28: [3, 5, 29, 43, 113, 127]}[bits]
    assert math.prod(factors) == order
    identity = [1 << bit for bit in range(bits)]
    assert _power(rows, order) == identity
    assert all(_power(rows, order // factor) != identity for factor in factors)


def _stepped(value, at):
    return next_state(tuple(value if k == at else 0 for k in range(3)))[at]


def _applied(rows, value):
    found = 0
    for bit, row in enumerate(rows):
        found ^= row if value >> bit & 1 else 0
    return found


def _power(rows, exponent):
    result = [1 << bit for bit in range(len(rows))]
    while exponent:
        if exponent & 1:
            result = [_applied(rows, row) for row in result]
        rows, exponent = [_applied(rows, row) for row in rows], exponent >> 1
    return result


def test_any_part_can_be_had():
    words = lfsr_words(7, 100)
    assert lfsr_words(7, 40, 60).tolist() == words[60:].tolist()
    assert words.dtype == np.uint16
    assert lfsr_words(7, 0).tolist() == []


def test_known_words():
    assert lfsr_words(0, 4).tolist() == [35484, 22316, 30941, 43178]


def test_states_of_small_seeds_look_alike():
    states = [first_state(seed) for seed in range(1000)]
    assert len(set(states)) == 1000
    assert all(
        0 < y < 1 << k for one in states for y, (k, _, _) in zip(one, REGISTERS, strict=True)
    )
    ones = [sum(y.bit_count() for y in one) for one in states]
    assert 43 < np.mean(ones) < 45 and min(ones) > 20


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, True])
def test_wrong_seeds(seed):
    with pytest.raises(UserError) as caught:
        lfsr_words(seed, 1)
    assert str(caught.value) == f"seed: must be 0 to 2147483647, not {seed!r}"


@pytest.mark.parametrize("code", [32768, 9830, 2000])
@pytest.mark.parametrize("seed", [0, 9])
def test_bits_pass_the_tests_of_randomness(seed, code):
    words = lfsr_words(seed, 40_000).astype(np.int64)
    report = assess((words < code).astype(np.uint8), code / 65536)
    assert report.passed, [str(one) for one in report.verdicts if one.p_value < 0.01]
