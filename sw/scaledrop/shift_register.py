# SPDX-License-Identifier: Apache-2.0
"""Pseudo-random words of a shift register: what a board draws that has no magnetic device.

A register of 64 bits with feedback, of the primitive polynomial x^64 + x^63 + x^61 + x^60 + 1: bit
n of the stream is the exclusive or of bits n - 64, n - 63, n - 61 and n - 60. A word is the next 16
bits, the first of them lowest, so that no bit is in two words. Period 2**64 - 1 bits. It is linear
and can be predicted from 64 bits: good enough to show what a network does, no source of secrets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.checks import check_integer

__all__ = ["LAGS", "MAX_SEED", "STATE_BITS", "WORD_BITS", "first_state", "register_words"]

STATE_BITS, WORD_BITS = 64, 16
LAGS = (64, 63, 61, 60)
MAX_SEED = 2**31 - 1
_STATE, _WORD = (1 << STATE_BITS) - 1, (1 << WORD_BITS) - 1


def first_state(seed: int) -> int:
    """State that a seed stands for: its bits well mixed (SplitMix64), and never all 0.

    Raises:
        UserError: the seed is not 0 to 2**31 - 1.
    """
    check_integer(seed, 0, MAX_SEED, "seed")
    mixed = (seed + 0x9E3779B97F4A7C15) & _STATE
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = ((mixed ^ mixed >> shift) * factor) & _STATE
    return mixed ^ mixed >> 31 or 1


def next_state(state: int) -> int:
    """State one word later; its highest 16 bits are that word, the oldest bit is the lowest."""
    fresh = 0
    for lag in LAGS:
        fresh ^= state >> STATE_BITS - lag
    return state >> WORD_BITS | (fresh & _WORD) << STATE_BITS - WORD_BITS


def register_words(seed: int, count: int, start: int = 0) -> npt.NDArray[np.uint16]:
    """``count`` words from a seed, from the ``start``-th on.

    Raises:
        UserError: the seed is not 0 to 2**31 - 1.
    """
    state, words = first_state(seed), np.empty(start + count, dtype=np.uint16)
    for at in range(start + count):
        state = next_state(state)
        words[at] = state >> STATE_BITS - WORD_BITS
    return words[start:]
