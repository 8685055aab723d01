# SPDX-License-Identifier: Apache-2.0
"""Files that refuse every changed byte: a header line with a digest, then the body.

The first line is ``<magic> <version> <sha256>``, the digest (lower-case hexadecimal) being that of
every byte after the line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from scaledrop.errors import UserError

__all__ = ["Seal", "read_sealed"]

T = TypeVar("T")


@dataclass(frozen=True)
class Seal:
    """A kind of file.

    Attributes:
        magic: First word of the file.
        version: The version that this program writes, and the only one that it reads.
        what: The file in words, such as "a checkpoint".
        again: How a user gets a new one, such as "train again".
    """

    magic: str
    version: int
    what: str
    again: str

    def close(self, body: bytes) -> tuple[bytes, str]:
        """The file's bytes and the body's digest."""
        digest = hashlib.sha256(body).hexdigest()
        return f"{self.magic} {self.version} {digest}\n".encode() + body, digest

    def open(self, data: bytes) -> tuple[bytes, str]:
        """The body and its digest.

        Raises:
            UserError: another kind of file, another version, or a changed or missing byte.
        """
        head, newline, body = data.partition(b"\n")
        words = head.split(b" ")
        if not newline or len(words) != 3 or words[0] != self.magic.encode():
            raise UserError(
                f"header: not {self.what} (the first line must start with {self.magic})"
            )
        if words[1] != str(self.version).encode():
            found = words[1].decode("ascii", "replace")
            raise UserError(
                f"version: {found} is unknown; this program reads version {self.version}"
            )
        digest = hashlib.sha256(body).hexdigest()
        if digest.encode() != words[2]:
            raise UserError(
                f"sha256: does not match; the file was changed or cut short, {self.again}"
            )
        return body, digest


def read_sealed(path: Path, decode: Callable[[bytes], T], remedy: str = "check the path") -> T:
    """``decode`` the bytes of ``path``; every complaint names the file.

    Raises:
        UserError: the file cannot be read, or ``decode`` refuses it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
    try:
        return decode(data)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
