# SPDX-License-Identifier: Apache-2.0
"""Proof: one threshold and one flip per channel equal the sign of a monotone affine function."""

import pytest
import z3
from prover import counterexample, within

from scaledrop.numbers import activation_bit, sign_bit

WIDE, BOUND = 14, 20
GAIN, OFFSET = 7, 150


def affine(shat):
    gain, offset = z3.BitVecs("gain offset", WIDE)
    return gain * shat + offset


def stored(threshold, flip, bit):
    """What a frozen channel stores, from ``bit``, a function of ``shat``.

    Either the bit is the same at both ends, or the threshold is where it first differs from the bit
    at the lower end.
    """
    low, high = z3.BitVecVal(-BOUND, WIDE), z3.BitVecVal(BOUND, WIDE)
    first, last, flipped = bit(low), bit(high), flip == 1
    constant = z3.And(threshold == low, flipped == z3.Not(first))
    crossing = z3.And(
        *(threshold > low, threshold <= high, flipped == first),
        *(bit(threshold) != first, bit(threshold - 1) == first),
    )
    return z3.If(first == last, constant, crossing)


def broken(*assumptions, bit=sign_bit, move=0, flips=1):
    """Counterexample to: the stored pair gives the sign of the affine function."""
    shat, threshold, gain, offset = z3.BitVecs("shat threshold gain offset", WIDE)
    flip = z3.BitVec("flip", 1)
    ranges = [within(shat, BOUND), within(gain, GAIN), within(offset, OFFSET)]
    rule = stored(threshold, flip, lambda value: bit(affine(value)))
    got = activation_bit(shat, threshold + move, flip & flips)
    return counterexample(got == sign_bit(affine(shat)), *ranges, rule, *assumptions)


GAIN_SIGNS = {
    "positive": lambda gain: gain > 0,
    "negative": lambda gain: gain < 0,
    "zero": lambda gain: gain == 0,
}


@pytest.mark.parametrize("sign", GAIN_SIGNS.values(), ids=GAIN_SIGNS)
def test_threshold_is_the_sign(sign):
    assert broken(sign(z3.BitVec("gain", WIDE))) is None


@pytest.mark.parametrize("sign", GAIN_SIGNS.values(), ids=GAIN_SIGNS)
def test_every_affine_function_has_a_threshold(sign):
    """The rule of what is stored can be met, so that the proof above is about something."""
    gain, offset, threshold = z3.BitVecs("gain offset threshold", WIDE)
    flip = z3.BitVec("flip", 1)
    rule = stored(threshold, flip, lambda value: sign_bit(affine(value)))
    none = z3.ForAll([threshold, flip], z3.Not(rule))
    assumptions = [within(gain, GAIN), within(offset, OFFSET), sign(gain)]
    assert counterexample(z3.Not(none), *assumptions) is None


def test_zero_taken_as_minus_one_is_refuted():
    assert broken(bit=lambda y: y > 0) is not None


@pytest.mark.parametrize("move", [-1, 1])
def test_a_threshold_beside_its_place_is_refuted(move):
    assert broken(move=move) is not None


def test_a_negative_gain_without_its_flip_is_refuted():
    assert broken(z3.BitVec("gain", WIDE) < 0, flips=0) is not None
