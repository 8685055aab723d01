# SPDX-License-Identifier: Apache-2.0
"""Parts of the serial link's commands, and its answers, from and to bytes."""

from __future__ import annotations

from typing import NamedTuple

from scaledrop.driver.protocol import FIRST, LAST, Opcode, Status, checked
from scaledrop.errors import UserError

__all__ = ["Answer", "address_bytes", "parse_answer", "pixel_command"]


class Answer(NamedTuple):
    """What a command was answered with."""

    status: Status
    word: int


def parse_answer(data: bytes) -> Answer:
    """The answer; of BUSY, with the bytes that were not taken for a word."""
    if data[0] & 0xFC == Status.BUSY:
        return Answer(Status.BUSY, (data[0] & 3) + 1)
    status = data[0] if data[0] in tuple(Status) else Status.REFUSED
    return Answer(Status(status), int.from_bytes(data[1:5], "little"))


def address_bytes(address: int) -> bytes:
    """A byte address of 12 bits.

    Raises:
        UserError: it has more.
    """
    if not 0 <= address < 1 << 12:
        raise UserError(f"address: must be 0 to 0xfff, not {address:#x}")
    return address.to_bytes(2, "little")


def pixel_command(data: bytes, first: bool, last: bool) -> bytes:
    """One to four bytes of an image, the ``last`` of which may end it."""
    opcode = Opcode.PIXELS | len(data) - 1 | first * FIRST | last * LAST
    return checked(bytes([opcode]) + data.ljust(4, b"\0"))
