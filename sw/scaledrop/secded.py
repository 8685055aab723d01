# SPDX-License-Identifier: Apache-2.0
"""Single-error-correcting, double-error-detecting code words in plain integers.

The code of M. Y. Hsiao, "A Class of Optimal Minimum Odd-weight-column SEC-DED Codes", IBM Journal
of Research and Development 14 (4), 1970: the columns of the parity-check matrix differ and have an
odd number of ones, as few as possible, spread evenly over the rows. One wrong bit gives its own
column as the syndrome; two give an even number of ones, which is no column.

A code word is ``data | check << width``; the code of a narrower word with as many check bits uses
the first columns of the same list.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from itertools import combinations

from scaledrop.checks import check_integer
from scaledrop.errors import UserError

__all__ = ["MAX_WIDTH", "Status", "check_bits", "columns", "decode", "encode", "masks"]

MAX_WIDTH = 1024
"""Most data bits of a code word."""


class Status(Enum):
    """What the decoder says of a code word."""

    CLEAN = "clean"
    CORRECTED = "corrected"
    """One bit was wrong, among the data or the check bits."""
    UNCORRECTED = "uncorrected"
    """Two bits were wrong, or more; the data bits are given as they were found."""


def check_bits(width: int) -> int:
    """Check bits of a word of ``width`` data bits: the fewest r with 2**(r-1) - r >= width."""
    check_integer(width, 1, MAX_WIDTH, "width")
    check = 3
    while (1 << check - 1) - check < width:
        check += 1
    return check


@cache
def _all_columns(check: int) -> tuple[int, ...]:
    """Columns of 3, 5, ... ones; among equals, the one over the emptiest rows comes first."""
    loads = [0] * check
    ordered: list[int] = []
    for ones in range(3, check + 1, 2):
        left = list(combinations(range(check), ones))
        while left and len(ordered) < MAX_WIDTH:
            rows = min(left, key=lambda rows: sum(loads[row] for row in rows))
            left.remove(rows)
            for row in rows:
                loads[row] += 1
            ordered.append(sum(1 << row for row in rows))
    return tuple(ordered)


def columns(width: int) -> tuple[int, ...]:
    """Syndrome of a wrong data bit, for each data bit; a wrong check bit i gives ``1 << i``."""
    return _all_columns(check_bits(width))[:width]


@cache
def masks(width: int) -> tuple[int, ...]:
    """Data bits whose parity each check bit is, as a mask for each check bit."""
    numbered = list(enumerate(columns(width)))
    return tuple(
        sum(1 << bit for bit, column in numbered if column >> row & 1)
        for row in range(check_bits(width))
    )


@cache
def _positions(width: int) -> Mapping[int, int]:
    """Position in the code word of the wrong bit that gives a syndrome."""
    units = (1 << row for row in range(check_bits(width)))
    return {syndrome: at for at, syndrome in enumerate((*columns(width), *units))}


def _check_word(word: int, width: int) -> int:
    parities = (((word & mask).bit_count() & 1) << row for row, mask in enumerate(masks(width)))
    return sum(parities)


def _require_bits(name: str, value: int, width: int) -> None:
    if value < 0 or value.bit_length() > width:
        raise UserError(f"{name}: must have at most {width} bits, not {value:#x}")


def encode(word: int, width: int) -> int:
    """The code word of ``width`` data bits.

    Raises:
        UserError: the width is out of range, or the word does not fit in it.
    """
    check_bits(width)
    _require_bits("word", word, width)
    return word | _check_word(word, width) << width


def decode(code: int, width: int) -> tuple[int, Status]:
    """The data bits of a code word, with one wrong bit put right, and what was found.

    Raises:
        UserError: the width is out of range, or the code word does not fit in it.
    """
    _require_bits("code word", code, width + check_bits(width))
    data = (1 << width) - 1
    syndrome = _check_word(code & data, width) ^ code >> width
    if not syndrome:
        return code & data, Status.CLEAN
    wrong = _positions(width).get(syndrome)
    if wrong is None:
        return code & data, Status.UNCORRECTED
    return (code ^ 1 << wrong) & data, Status.CORRECTED
