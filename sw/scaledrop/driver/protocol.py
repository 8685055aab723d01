# SPDX-License-Identifier: Apache-2.0
"""Commands and answers of the serial link, as bytes; see docs/design/0016-serial-demonstrator.md.

A command is an opcode, its payload and a check byte; numbers have their lowest byte first. Every
command that is whole has one answer, in their order: a status, a word of 32 bits, a check byte.

    HELLO    (none)                     word: {magic: 31-24, version: 23-16, source: 15-8, window}
    RESET    (none)                     as HELLO, and the accelerator and its bits begin anew
    READ     address (2)                word: of the register
    WRITE    address (2), word (4)
    PIXELS   pixels (4)                 four bytes of an image
    TAKE     (none)                     word: of the results

The link holds 2**window bytes of commands. PIXELS without room and TAKE without a word are answered
BUSY; bits 1 and 0 of the status then say how many bytes of the pixels were not taken, less 1. After
BUSY no pixels are taken until a command has the bit ``FIRST``.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "ANSWER_BYTES",
    "FIRST",
    "HELLO_MAGIC",
    "LAST",
    "VERSION",
    "Opcode",
    "Source",
    "Status",
    "check_byte",
    "checked",
]

HELLO_MAGIC = 0x5D
VERSION = 1
ANSWER_BYTES = 6
POLYNOMIAL, START = 0x07, 0xFF


class Opcode(IntEnum):
    """What a command is, in bits 7 to 4."""

    HELLO = 0x10
    RESET = 0x20
    READ = 0x30
    WRITE = 0x40
    PIXELS = 0x50
    TAKE = 0x60


FIRST = 0x08
"""Bit of PIXELS: goes on after BUSY; of TAKE: begins a frame of results."""

LAST = 0x04
"""Bit of PIXELS: the image ends with these bytes. Bits 1 and 0: how many there are, less 1."""


class Status(IntEnum):
    """First byte of an answer; the lowest two bits of the first three are those of AXI. BUSY is any
    of 0xA4 to 0xA7."""

    OKAY = 0xA0
    SLVERR = 0xA2
    DECERR = 0xA3
    BUSY = 0xA4
    LAST = 0xA8
    REFUSED = 0xAF


class Source(IntEnum):
    """Where the stochastic bits come from; 0 says nothing."""

    LFSR = 1
    RING = 2


def _step(value: int) -> int:
    for _ in range(8):
        value = value << 1 ^ (POLYNOMIAL if value & 0x80 else 0)
    return value & 0xFF


_TABLE = tuple(map(_step, range(256)))


def check_byte(data: bytes) -> int:
    """CRC-8 of bytes: x^8 + x^2 + x + 1, begun at 0xFF, highest bit first."""
    value = START
    for byte in data:
        value = _TABLE[value ^ byte]
    return value


def checked(data: bytes) -> bytes:
    """Bytes with their check byte behind them."""
    return data + bytes([check_byte(data)])
