# SPDX-License-Identifier: Apache-2.0
"""Bit streams from files: text of 0 and 1, packed bytes, or a table of one column."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scaledrop.errors import UserError
from scaledrop.randomness.bits import Bits

__all__ = ["FORMATS", "read_bits"]

FORMATS = ("bits", "bytes", "csv")

_SPACE = b" \t\r\n\v\f"


def _text(path: Path, data: bytes) -> Bits:
    codes = np.frombuffer(data.translate(None, _SPACE), dtype=np.uint8)
    wrong = np.flatnonzero((codes != ord("0")) & (codes != ord("1")))
    if wrong.size:
        found = bytes([int(codes[wrong[0]])])
        raise UserError(
            f"{path}: must be 0 and 1 with blanks between, not {found!r} as bit {wrong[0]}; "
            "--format bytes or csv reads the others"
        )
    return codes - ord("0")


def _table(path: Path, data: bytes) -> Bits:
    bits: list[bool] = []
    for number, line in enumerate(data.decode("utf-8-sig", errors="replace").splitlines(), 1):
        for cell in filter(None, (part.strip() for part in line.split(","))):
            if cell not in {"0", "1"}:
                if not bits and number == 1 and not _is_number(cell):
                    break
                raise UserError(
                    f"{path}: line {number}: must be 0 or 1, not {cell!r}; keep the column of bits"
                )
            bits.append(cell == "1")
    return np.array(bits, dtype=np.uint8)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read_bits(path: Path, form: str | None = None) -> Bits:
    """The bits of a file, in the order in which they stand there.

    Args:
        path: The file.
        form: ``bits``: characters 0 and 1, blanks and line ends ignored. ``bytes``: eight bits a
            byte, the most significant first. ``csv``: 0 and 1 in cells, line by line; a first line
            of names is passed over. None: by the suffix, ``.bin`` and ``.csv``, else ``bits``.

    Raises:
        UserError: an unknown form, a file that cannot be read, is empty, or has other content.
    """
    known = {".bin": "bytes", ".csv": "csv"}
    chosen = known.get(path.suffix.lower(), "bits") if form is None else form
    if chosen not in FORMATS:
        raise UserError(f"format: must be one of {', '.join(FORMATS)}, not {chosen!r}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    if chosen == "bytes":
        bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8))
    else:
        bits = _text(path, data) if chosen == "bits" else _table(path, data)
    if not bits.size:
        raise UserError(f"{path}: has no bits; check the file and --format, now {chosen}")
    return bits
