# SPDX-License-Identifier: Apache-2.0
"""Bits that depend on the bit before: the vectorised resolution against a loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaledrop.device.chain import resolve, spin_words

THRESHOLDS = st.lists(st.tuples(*[st.integers(0, 8)] * 3), min_size=0, max_size=60)


def loop(words: list[int], after_0: list[int], after_1: list[int], previous: int) -> list[bool]:
    bits = []
    for word, low, high in zip(words, after_0, after_1, strict=True):
        previous = int(word < (high if previous else low))
        bits.append(bool(previous))
    return bits


@given(THRESHOLDS, st.integers(0, 1))
def test_any_tables_and_words(rows: list[tuple[int, int, int]], previous: int) -> None:
    words, after_0, after_1 = (np.array([row[i] for row in rows], np.uint32) for i in range(3))
    found = resolve(words, after_0, after_1, previous)
    assert found.tolist() == loop(words.tolist(), after_0.tolist(), after_1.tolist(), previous)


@given(
    st.lists(st.integers(0, 8), max_size=60),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 1),
)
def test_one_pair_of_thresholds(words: list[int], low: int, high: int, previous: int) -> None:
    found = resolve(np.array(words, np.uint32), low, high, previous)
    assert found.tolist() == loop(words, [low] * len(words), [high] * len(words), previous)


def test_large_thresholds_are_compared_as_integers() -> None:
    words = np.array([0, 2**32 - 2, 2**32 - 1], np.uint32)
    assert resolve(words, 2**32 - 1, 2**32 - 1, 0).tolist() == [True, True, False]
    assert resolve(words, 0, 0, 1).tolist() == [False, False, False]


@pytest.mark.parametrize("start", [0, 1, 5, 64, 101])
def test_words_can_be_had_from_anywhere(start: int) -> None:
    assert np.array_equal(spin_words(7, 200)[start:], spin_words(7, 200 - start, start))
    assert spin_words(7, 0).shape == (0,)


def test_the_words_of_a_seed_never_change() -> None:
    raw = np.random.PCG64(3).random_raw(2)
    parts = [int(one) >> shift & 0xFFFFFFFF for one in raw for shift in (0, 32)]
    assert spin_words(3, 4).tolist() == parts
    assert spin_words(1, 2).tolist() == [58623 + (31010 << 16), 48627 + (33542 << 16)]
