# SPDX-License-Identifier: Apache-2.0
"""Proof: counting matches equals the sum of +-1 cells, in the width of a partial sum."""

import pytest
import z3
from prover import counterexample, truncated, widened

from scaledrop_hw.compressor import chains

WIDE = 12


def bit(bits, row):
    return z3.Extract(row, row, bits)


def ones(bits):
    """Number of ones, wide enough for anything here."""
    return z3.Sum([z3.ZeroExt(WIDE - 1, bit(bits, row)) for row in range(bits.size())])


def matches(sign, weight):
    """Matches as the counter takes them: parities of chains, and a carry for every pair."""
    total = z3.BitVecVal(0, WIDE)
    for first, pairs in chains(sign.size()):
        parity = ~(bit(sign, first) ^ bit(weight, first))
        for a, b in pairs:
            after = parity ^ (bit(sign, a) ^ bit(sign, b)) ^ bit(weight, a) ^ bit(weight, b)
            carry = z3.If(after != parity, parity, ~(bit(sign, a) ^ bit(weight, a)))
            total += 2 * z3.ZeroExt(WIDE - 1, carry)
            parity = after
        total += z3.ZeroExt(WIDE - 1, parity)
    return total


def count(drive, sign, weight, width, undriven):
    """Partial sum as the array computes it, with the sign ``undriven`` where a row is undriven."""
    rows = drive.size()
    fixed = z3.BitVecVal(((1 << rows) - 1) * undriven, rows)
    minus_driven = matches(z3.BitVecVal(0, rows), drive) - rows
    half = matches((sign & drive) | (fixed & ~drive), weight & drive) + (minus_driven >> 1)
    return z3.Concat(truncated(half, width - 1), bit(minus_driven, 0))


def cells(drive, sign, weight):
    """Partial sum as the docstring of the array defines it."""
    terms = []
    for row in range(drive.size()):
        driven, plus = bit(drive, row) == 1, bit(sign ^ weight, row) == 0
        one = z3.BitVecVal(1, WIDE)
        terms.append(z3.If(driven, z3.If(plus, one, -one), z3.BitVecVal(0, WIDE)))
    return z3.Sum(terms)


def broken(rows, width, undriven=1):
    drive, sign, weight = (z3.BitVec(name, rows) for name in ("drive", "sign", "weight"))
    narrow = widened(count(drive, sign, weight, width, undriven), WIDE)
    return counterexample(narrow == cells(drive, sign, weight))


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 6, 7, 8, 9])
def test_count_is_the_sum_of_cells(rows):
    assert broken(rows, rows.bit_length() + 1) is None


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 15])
def test_parities_and_carries_are_the_matches(rows):
    sign, weight = (z3.BitVec(name, rows) for name in ("sign", "weight"))
    assert counterexample(matches(sign, weight) == ones(~(sign ^ weight))) is None


@pytest.mark.parametrize("rows", [2, 3, 4, 7])
def test_a_narrower_partial_sum_is_refuted(rows):
    assert broken(rows, rows.bit_length()) is not None


@pytest.mark.parametrize("rows", [1, 4, 8])
def test_a_cleared_cell_against_a_sign_of_0_is_refuted(rows):
    """It would match, and count an undriven row."""
    assert broken(rows, rows.bit_length() + 1, undriven=0) is not None
