# SPDX-License-Identifier: Apache-2.0
"""Proof: counting matches equals the sum of +-1 cells, in the width of a partial sum."""

import pytest
import z3
from prover import counterexample, truncated, widened

WIDE = 12


def ones(bits):
    """Number of ones, wide enough for anything here."""
    width = bits.size()
    return z3.Sum([z3.ZeroExt(WIDE - 1, z3.Extract(row, row, bits)) for row in range(width)])


def count(drive, sign, weight, width):
    """Partial sum as the tile computes it: twice the matches less the driven rows."""
    match = drive & ~(sign ^ weight)
    return truncated(2 * ones(match) - ones(drive), width)


def cells(drive, sign, weight):
    """Partial sum as the docstring of the tile defines it."""
    terms = []
    for row in range(drive.size()):
        driven, plus = (z3.Extract(row, row, drive) == 1, z3.Extract(row, row, sign ^ weight) == 0)
        one = z3.BitVecVal(1, WIDE)
        terms.append(z3.If(driven, z3.If(plus, one, -one), z3.BitVecVal(0, WIDE)))
    return z3.Sum(terms)


def broken(rows, width):
    drive, sign, weight = (z3.BitVec(name, rows) for name in ("drive", "sign", "weight"))
    narrow = widened(count(drive, sign, weight, width), WIDE)
    return counterexample(narrow == cells(drive, sign, weight))


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 6, 7, 8])
def test_count_is_the_sum_of_cells(rows):
    assert broken(rows, rows.bit_length() + 1) is None


@pytest.mark.parametrize("rows", [1, 3, 4, 7])
def test_a_narrower_partial_sum_is_refuted(rows):
    assert broken(rows, rows.bit_length()) is not None
