# SPDX-License-Identifier: Apache-2.0
"""Digests of files and what is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

__all__ = ["Hashes", "mismatch"]


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class Hashes:
    """Several digests of one stream of bytes, for instance md5 and sha256."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._hashes: dict[str, _Hash] = {
            # md5 tells a damaged file from a whole one; it is no defence, and FIPS builds know that
            kind: hashlib.new(kind, usedforsecurity=False)
            for kind in kinds
        }

    def update(self, data: bytes) -> None:
        """Takes the next bytes."""
        for digest in self._hashes.values():
            digest.update(data)

    def mismatch(self, expected: Mapping[str, str]) -> str | None:
        """The first digest that differs, as "md5 is ..., not ...", or None when all agree."""
        for kind, wanted in expected.items():
            found = self._hashes[kind].hexdigest()
            if found != wanted:
                return f"{kind} is {found}, not {wanted}"
        return None


def mismatch(path: Path, expected: Mapping[str, str]) -> str | None:
    """As :meth:`Hashes.mismatch`, of a whole file.

    Raises:
        OSError: it cannot be read.
    """
    hashes = Hashes(expected)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hashes.update(block)
    return hashes.mismatch(expected)
