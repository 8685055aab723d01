# SPDX-License-Identifier: Apache-2.0
"""Proof: any wrong bit of any code word is put right, any two are reported and changed no further.

The decoder below is the one of scaledrop_hw.secded over the same matrix; that the RTL equals it for
every code word is tested exhaustively at these widths in tests/hw.
"""

from functools import reduce
from operator import xor

import pytest
import z3
from prover import counterexample

from scaledrop.secded import check_bits, columns

WIDTHS = [1, 2, 3, 4, 5, 8, 11, 12]


def bit(value, at):
    return z3.Extract(at, at, value)


def concat(bits):
    """A bit-vector of one-bit values, the first one lowest."""
    return reduce(lambda low, high: z3.Concat(high, low), bits)


def check_word(word, matrix, check):
    """Parities of the data bits by the rows of the matrix."""
    rows = [
        [bit(word, j) for j, column in enumerate(matrix) if column >> i & 1] for i in range(check)
    ]
    return concat([reduce(xor, row, z3.BitVecVal(0, 1)) for row in rows])


def decoder(code, matrix, check):
    """Data, corrected, uncorrected."""
    width = len(matrix)
    found = z3.Extract(width - 1, 0, code)
    syndrome = check_word(found, matrix, check) ^ z3.Extract(width + check - 1, width, code)
    data = concat(
        [bit(found, j) ^ z3.If(syndrome == c, z3.BitVecVal(1, 1), 0) for j, c in enumerate(matrix)]
    )
    known = [*matrix, *(1 << row for row in range(check))]
    corrected = z3.Or(*(syndrome == column for column in known))
    return data, corrected, z3.And(syndrome != 0, z3.Not(corrected))


def without_lowest(value):
    return value & (value - 1)


def broken(matrix, check, wrong_bits):
    """Counterexample to: words with ``wrong_bits`` wrong bits are decoded as promised."""
    width = len(matrix)
    word, errors = z3.BitVec("word", width), z3.BitVec("errors", width + check)
    code = z3.Concat(check_word(word, matrix, check), word) ^ errors
    data, corrected, uncorrected = decoder(code, matrix, check)
    promised = z3.Extract(width - 1, 0, code) if wrong_bits == 2 else word
    claim = z3.And(
        data == promised, corrected == (wrong_bits == 1), uncorrected == (wrong_bits == 2)
    )
    steps = [errors]
    for _ in range(wrong_bits):
        steps.append(without_lowest(steps[-1]))
    return counterexample(claim, *(step != 0 for step in steps[:-1]), steps[-1] == 0)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("wrong_bits", [0, 1, 2])
def test_words_are_decoded_as_promised(width, wrong_bits):
    assert broken(columns(width), check_bits(width), wrong_bits) is None


@pytest.mark.parametrize("width", [4, 11])
def test_a_column_used_twice_is_refuted(width):
    first, _, *others = columns(width)
    matrix = (first, first, *others)
    assert broken(matrix, check_bits(width), 1) is not None
    assert broken(matrix, check_bits(width), 2) is not None


@pytest.mark.parametrize("width", [4, 11])
def test_an_even_column_is_refuted(width):
    first, *others = columns(width)
    even = first & (first - 1)
    assert broken((even, *others), check_bits(width), 2) is not None


def test_three_wrong_bits_are_beyond_the_code():
    assert broken(columns(8), check_bits(8), 3) is not None
