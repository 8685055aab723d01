# SPDX-License-Identifier: Apache-2.0
"""Proof: tables of three inputs, and of their parities, count what equals a column's constants."""

import random

import pytest
import z3
from prover import counterexample

from scaledrop_hw.baked_counter import Places

WIDE = 8


def wide(bit):
    return z3.ZeroExt(WIDE - 1, bit)


def counted(inputs, wants, column, columns):
    """Matches of a column, as the counter's own levels of tables give them."""
    places = Places(columns, list(zip(inputs, wants, strict=True)))
    while len(places.bits) > 1:
        places.level()
    ((parity, want),) = places.bits
    carries = (carry[column] for carry in places.carries)
    twos = z3.Sum([z3.BitVecVal(0, WIDE), *(wide(~v if flip else v) for v, flip in carries)])
    return 2 * twos + wide(parity if want >> column & 1 else ~parity)


def broken(wants, changed, column, columns):
    """Counterexample to: the tables of ``wants`` count the inputs that equal ``changed``."""
    inputs = [z3.BitVec(f"x{at}", 1) for at in range(len(wants))]
    terms = [
        wide(bit if want >> column & 1 else ~bit) for bit, want in zip(inputs, changed, strict=True)
    ]
    return counterexample(counted(inputs, wants, column, columns) == z3.Sum(terms))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_tables_count_matches_with_every_constant(size):
    columns = 1 << size
    wants = [sum((c >> at & 1) << c for c in range(columns)) for at in range(size)]
    assert all(broken(wants, wants, column, columns) is None for column in range(columns))


@pytest.mark.parametrize("size", [6, 7, 9, 10, 12])
def test_tables_of_tables_count_matches(size):
    rng = random.Random(size)
    wants = [rng.getrandbits(3) for _ in range(size)]
    assert all(broken(wants, wants, column, 3) is None for column in range(3))


@pytest.mark.parametrize("size", [2, 3, 7])
def test_another_constant_is_refuted(size):
    wants = [1] * size
    for at in range(size):
        assert broken(wants, [want ^ (at == n) for n, want in enumerate(wants)], 0, 1) is not None
