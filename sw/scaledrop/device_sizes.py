# SPDX-License-Identifier: Apache-2.0
"""What differs between two accelerators, as far as a host sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.form import Form
from scaledrop.numbers import DROP_BITS
from scaledrop.walk import MAX_PASSES

__all__ = [
    "MAX_LAYERS",
    "MAX_PARTS",
    "MAX_SCALE_PARTS",
    "WORD_ADDRESS_BITS",
    "DeviceSizes",
    "Memory",
    "MemoryShape",
]

MAX_LAYERS = 256
WORD_ADDRESS_BITS = 20
MAX_PARTS = 2 ** (32 - WORD_ADDRESS_BITS) - 1
MAX_SCALE_PARTS = 64
MAX_WORDS = 2**WORD_ADDRESS_BITS - 1
PART_BITS = 32
FULL_ONLY = {"squares_words": 4, "scale_parts": MAX_SCALE_PARTS, "events": 255}
"""Sizes of what only the full form has, and their largest values."""


class Memory(IntEnum):
    """Memories that the host loads and reads back; the numbers never change."""

    WEIGHTS = 0
    SCALES = 1
    THRESHOLDS = 2
    ROW_MASKS = 3
    HEAD = 4
    DESCRIPTORS = 5
    HEALTH_LIMITS = 6


class MemoryShape(NamedTuple):
    """Words of a memory, and parts of 32 bits in each word."""

    words: int
    parts: int


@dataclass(frozen=True)
class DeviceSizes:
    """Parameters of an accelerator's registers and streams.

    Attributes:
        layers: 1 to 256.
        classes: 1 to 65535.
        rows, columns, lanes: The array.
        input_bits: Bits of a pixel, 1 to 16.
        pixels: Pixels of an image.
        max_passes: Largest T.
        weight_bits: Bits of a leaf's weight, of votes and of the covered mass.
        squares_words: 32-bit words of a sum of squares in a result, 1 to 4.
        scale_parts: 32-bit parts of a word of the scale memory as stored.
        events: Kinds of events that are counted for each layer.
        memories: Those that the device has.
        drive_codes: Of every layer after reset; empty for all 0.
        digest: sha256 of the network that is built in, in hexadecimal; zeros for none.
        form: How much of it is built. The small form has no ``squares_words``, ``scale_parts``,
            ``events`` or ``memories``.

    Raises:
        UserError: names what is out of range.
    """

    layers: int
    classes: int
    rows: int = 64
    columns: int = 16
    lanes: int = 16
    input_bits: int = 8
    pixels: int = 64
    max_passes: int = 255
    weight_bits: int = 25
    squares_words: int = 3
    scale_parts: int = 4
    events: int = 17
    memories: Mapping[Memory, MemoryShape] = field(default_factory=dict)
    drive_codes: tuple[int, ...] = ()
    digest: str = "0" * 64
    form: Form = Form.FULL

    def __post_init__(self) -> None:
        object.__setattr__(self, "form", Form.named(self.form))
        limits = {
            **{"layers": MAX_LAYERS, "classes": 65535, "rows": 1024, "columns": 1024},
            **{"lanes": 1024, "input_bits": 16, "pixels": 2**24, "max_passes": MAX_PASSES},
            "weight_bits": 28,
        }
        for name, most in limits.items():
            check_integer(getattr(self, name), 1, most, name)
        self._check_form()
        for memory, shape in self.memories.items():
            check_integer(shape.words, 1, MAX_WORDS, f"words of {memory.name}")
            check_integer(shape.parts, 1, MAX_PARTS, f"parts of {memory.name}")
        if len(self.drive_codes) not in (0, self.layers):
            raise UserError(
                f"drive_codes: must be {self.layers}, one a layer, not {len(self.drive_codes)}"
            )
        for code in self.drive_codes:
            check_integer(code, 0, 2**DROP_BITS - 1, "drive_codes")
        if len(self.digest) != 64 or not set(self.digest) <= set("0123456789abcdef"):
            raise UserError(f"digest: must be 64 hexadecimal digits, not {self.digest!r}")

    def _check_form(self) -> None:
        if self.form is Form.FULL:
            for name, most in FULL_ONLY.items():
                check_integer(getattr(self, name), 1, most, name)
            return
        for name in (*FULL_ONLY, "memories"):
            if getattr(self, name):
                raise UserError(f"{name}: the {self.form} form has none, not {getattr(self, name)}")

    @property
    def pixel_bytes(self) -> int:
        """Bytes of a pixel on the stream."""
        return 1 if self.input_bits <= 8 else 2

    @property
    def path_words(self) -> int:
        """32-bit words of a leaf's path in a record."""
        return -(-self.layers // PART_BITS)

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        """Of every :class:`Memory` in order; no words for one that is absent."""
        return tuple(self.memories.get(memory, MemoryShape(0, 0)) for memory in Memory)
