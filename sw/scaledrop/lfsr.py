# SPDX-License-Identifier: Apache-2.0
"""Pseudo-random words of shift registers: what a board draws that has no magnetic device.

Three linear feedback shift registers of 31, 29 and 28 bits, whose highest 16 bits are combined by
exclusive or: the generator taus88 of P. L'Ecuyer, "Maximally equidistributed combined Tausworthe
generators", Mathematics of Computation 65 (1996). Its highest bits are spread evenly in as many
successive words as 88 bits allow, which comparisons with a threshold need: words cut from a single
register do not have it, and small probabilities show that. Period (2**31 - 1) (2**29 - 1)
(2**28 - 1). It is linear and can be foreseen: good enough to show what a network does, no source of
secrets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.checks import check_integer

__all__ = ["MAX_SEED", "REGISTERS", "WORD_BITS", "first_state", "lfsr_words", "next_state", "word"]

REGISTERS = ((31, 13, 12), (29, 2, 4), (28, 3, 17))
"""Of each register: its bits k, the distance q of its taps, and the steps s made for each word."""

WORD_BITS = 16
MAX_SEED = 2**31 - 1
_LOW = (1 << 64) - 1

State = tuple[int, ...]


def _mixed(value: int) -> int:
    """A step of SplitMix64."""
    value = value * 0x9E3779B97F4A7C15 & _LOW
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ value >> shift) * factor & _LOW
    return value ^ value >> 31


def first_state(seed: int) -> State:
    """State that a seed stands for: its bits well mixed, and no register all 0.

    Raises:
        UserError: the seed is not 0 to 2**31 - 1.
    """
    check_integer(seed, 0, MAX_SEED, "seed")
    mixed = (_mixed(len(REGISTERS) * seed + at) for at in range(1, len(REGISTERS) + 1))
    return tuple(one >> 64 - k or 1 for one, (k, _, _) in zip(mixed, REGISTERS, strict=True))


def next_state(state: State) -> State:
    """State one word later."""
    return tuple(
        (y << s | (y ^ y << q) >> k - s & (1 << s) - 1) & (1 << k) - 1
        for y, (k, q, s) in zip(state, REGISTERS, strict=True)
    )


def word(state: State) -> int:
    """The 16 bits of a state."""
    value = 0
    for y, (k, _, _) in zip(state, REGISTERS, strict=True):
        value ^= y >> k - WORD_BITS
    return value


def lfsr_words(seed: int, count: int, start: int = 0) -> npt.NDArray[np.uint16]:
    """``count`` words from a seed, from the ``start``-th on.

    Raises:
        UserError: the seed is not 0 to 2**31 - 1.
    """
    state, words = first_state(seed), np.empty(start + count, dtype=np.uint16)
    for at in range(start + count):
        words[at] = word(state)
        state = next_state(state)
    return words[start:]
