# SPDX-License-Identifier: Apache-2.0
"""Fairer bits from biased ones, at which rate, and how fair they are when measured.

XOR pulls the bias towards zero and keeps what is left of it; von Neumann and Peres remove all bias
of independent bits, and none of what comes from correlation. Nothing here is assumed: measure.

Sources: von Neumann, NBS Appl. Math. Ser. 12 (1951) 36; Peres, Ann. Stat. 20 (1992) 590.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.randomness.bits import Bits, as_bits, windows_of
from scaledrop.randomness.correlation import Interval, ones
from scaledrop.randomness.entropy import markov, most_common

__all__ = [
    "Whitened",
    "measure",
    "peres",
    "von_neumann",
    "whitenings",
    "xor_streams",
    "xor_successive",
]


def xor_streams(streams: Sequence[Any]) -> Bits:
    """The XOR of k streams of n bits, such as k devices: n bits.

    Raises:
        UserError: no stream, not bits, or streams of unequal length.
    """
    checked = [as_bits(stream) for stream in streams]
    lengths = sorted({len(stream) for stream in checked})
    if len(lengths) != 1:
        raise UserError(f"streams: must be one or more of equal length, not {lengths}; cut them")
    mixed: Bits = np.bitwise_xor.reduce(np.stack(checked), axis=0)
    return mixed


def xor_successive(values: Any, count: int) -> Bits:
    """The XOR of each ``count`` successive bits: n // count bits.

    Raises:
        UserError: not bits, fewer than ``count``, or a count out of 1 to 64.
    """
    check_integer(count, 1, 64, "count")
    windows = windows_of(as_bits(values, count, "XOR"), count)
    mixed: Bits = np.bitwise_xor.reduce(windows, axis=1)
    return mixed


def von_neumann(values: Any) -> Bits:
    """The first bit of each pair of unequal bits: ``p (1 - p)`` bits for each bit; maybe none.

    Raises:
        UserError: not bits.
    """
    pairs = windows_of(as_bits(values), 2)
    kept: Bits = pairs[pairs[:, 0] != pairs[:, 1], 0]
    return kept


def peres(values: Any, depth: int = 8) -> Bits:
    """Von Neumann's bits, then again those of what he throws away, ``depth`` times.

    The rate approaches the Shannon entropy of independent bits.

    Raises:
        UserError: not bits, or a depth out of 1 to 32.
    """
    check_integer(depth, 1, 32, "depth")
    todo, found = [(as_bits(values), depth)], []
    while todo:
        bits, left = todo.pop()
        pairs = windows_of(bits, 2)
        differ = pairs[:, 0] ^ pairs[:, 1]
        found.append(pairs[differ == 1, 0])
        if left > 1 and len(bits) > 3:
            todo += [(differ, left - 1), (pairs[differ == 0, 0], left - 1)]
    return np.concatenate(found)


@dataclass(frozen=True)
class Whitened:
    """What a whitening takes, gives and leaves.

    Attributes:
        method: Its name.
        taken, given: Bits in and out.
        rate: ``given / taken``.
        ones: Share of ones of what comes out; None if fewer than two bits come.
        lag_1: Correlation of neighbours of what comes out, or None.
        min_entropy: The less of most common value and Markov, bits a bit out, or None.
    """

    method: str
    taken: int
    given: int
    rate: float
    ones: Interval | None
    lag_1: float | None
    min_entropy: float | None


def measure(method: str, taken: int, out: Any) -> Whitened:
    """Measure what a whitening gave for ``taken`` bits.

    Raises:
        UserError: ``out`` is not bits; it may be empty.
    """
    if len(out) < 2:
        return Whitened(method, taken, len(out), len(out) / taken, None, None, None)
    bits = as_bits(out)
    centred = bits - bits.mean()
    power = float(centred @ centred)
    return Whitened(
        method=method,
        taken=taken,
        given=len(bits),
        rate=len(bits) / taken,
        ones=ones(bits),
        lag_1=float(centred[1:] @ centred[:-1]) / power if power else None,
        min_entropy=min(most_common(bits), markov(bits)),
    )


def whitenings(values: Any) -> tuple[Whitened, ...]:
    """The stream as it is, XOR of 2, 4 and 8 successive bits, von Neumann, Peres: all measured.

    Raises:
        UserError: not bits, or fewer than 16.
    """
    bits = as_bits(values, 16, "whitening")
    made = {"none": bits}
    made |= {f"xor {count}": xor_successive(bits, count) for count in (2, 4, 8)}
    made |= {"von Neumann": von_neumann(bits), "Peres": peres(bits)}
    return tuple(measure(method, len(bits), out) for method, out in made.items())
