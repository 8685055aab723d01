# SPDX-License-Identifier: Apache-2.0
"""What a register map is made of: fields, registers, and the words that they make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from scaledrop.errors import UserError

__all__ = ["WORD_BITS", "WORD_BYTES", "Access", "Field", "Keeper", "Register", "RegisterMap"]

WORD_BITS = 32
WORD_BYTES = 4


class Access(StrEnum):
    """What software may do with a register."""

    RO = "ro"
    """Read only; a write is answered with an error."""
    RW = "rw"
    W1C = "w1c"
    """Reads what has happened; writing 1 to a bit clears it, writing 0 keeps it."""
    WO = "wo"
    """Writing 1 to a bit acts once; reads as 0."""


class Keeper(StrEnum):
    """Who holds a register's bits."""

    FILE = "file"
    """The register file."""
    CORE = "core"
    """The hardware around it; always so for RO, by choice for W1C."""
    CONSTANT = "constant"
    """Nobody: it reads as its reset value for ever."""
    WINDOW = "window"
    """A component of its own that answers each access."""


@dataclass(frozen=True)
class Field:
    """Some bits of a register.

    Attributes:
        name: Lower case; an identifier in Python and in C.
        offset: Place of its lowest bit.
        width: Bits.
        description: One line.
        reset: Value after reset.
    """

    name: str
    offset: int
    width: int
    description: str
    reset: int = 0

    def __post_init__(self) -> None:
        if not (self.name.isidentifier() and self.name.islower()):
            raise UserError(f"field: {self.name!r} must be a lower-case identifier")
        if self.width < 1 or self.offset < 0 or self.offset + self.width > WORD_BITS:
            raise UserError(f"{self.name}: must lie in bits 0 to 31 and have at least one")
        if not 0 <= self.reset < 1 << self.width:
            raise UserError(f"{self.name}: reset must fit {self.width} bits, not {self.reset}")

    @property
    def mask(self) -> int:
        """Its bits in the word."""
        return ((1 << self.width) - 1) << self.offset


@dataclass(frozen=True)
class Register:
    """One word, or an array of words that are alike.

    Attributes:
        name: Upper case.
        offset: Byte address of the first word.
        access: What software may do.
        description: What it is for.
        fields: From the lowest bit on, with gaps where nothing is.
        keeper: Who holds the bits.
        locked: A write is refused while an image is held.
        updated: The hardware writes it too.
        room: Words reserved; more than 1 makes it an array.
        count: Words in use.
        per: What a word of an array stands for.
        resets: Reset value of each word of an array; empty takes those of the fields.
    """

    name: str
    offset: int
    access: Access
    description: str
    fields: tuple[Field, ...]
    keeper: Keeper = Keeper.FILE
    locked: bool = False
    updated: bool = False
    room: int = 1
    count: int = 1
    per: str = ""
    resets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.offset % WORD_BYTES:
            raise UserError(f"{self.name}: offset must be a multiple of 4, not {self.offset}")
        if not 1 <= self.count <= self.room:
            raise UserError(f"{self.name}: must have 1 to {self.room} words, not {self.count}")
        if len(self.resets) not in (0, self.count):
            raise UserError(f"{self.name}: needs {self.count} reset values, not {len(self.resets)}")
        taken = 0
        for field in self.fields:
            if taken & field.mask:
                raise UserError(f"{self.name}.{field.name}: lies on another field")
            taken |= field.mask
        if any(reset & ~taken for reset in self.resets):
            raise UserError(f"{self.name}: a reset value has bits outside of its fields")

    @property
    def is_array(self) -> bool:
        return self.room > 1

    def reset(self, index: int = 0) -> int:
        """Value of a word after reset."""
        if self.resets:
            return self.resets[index]
        return sum(field.reset << field.offset for field in self.fields)

    def address(self, index: int = 0) -> int:
        """Byte address of a word.

        Raises:
            UserError: the array has no such word.
        """
        if not 0 <= index < self.count:
            raise UserError(f"{self.name}: index must be 0 to {self.count - 1}, not {index}")
        return self.offset + index * WORD_BYTES

    def encode(self, **values: int) -> int:
        """The word that holds ``values``; fields that are not named are 0.

        Raises:
            UserError: names the register, the field and the value.
        """
        known = {field.name: field for field in self.fields}
        word = 0
        for name, value in values.items():
            if name not in known:
                raise UserError(f"{self.name}: has no field {name!r}; it has {', '.join(known)}")
            field = known[name]
            if not 0 <= value < 1 << field.width:
                most = (1 << field.width) - 1
                raise UserError(f"{self.name}.{name}: must be 0 to {most}, not {value}")
            word |= value << field.offset
        return word

    def decode(self, word: int) -> dict[str, int]:
        """Every field of a word."""
        return {field.name: (word & field.mask) >> field.offset for field in self.fields}


@dataclass(frozen=True)
class RegisterMap:
    """All registers of a device, in the order of their addresses.

    Raises:
        UserError: two registers share a name or a word, or one lies outside of the address space.
    """

    registers: tuple[Register, ...]
    address_bits: int

    def __post_init__(self) -> None:
        free = 0
        for register in self.registers:
            if register.offset < free:
                raise UserError(f"{register.name}: lies on the register before it")
            free = register.offset + register.room * WORD_BYTES
        if free > 1 << self.address_bits:
            raise UserError(f"{self.registers[-1].name}: lies outside of the address space")
        if len(self._by_name) != len(self.registers):
            raise UserError("registers: two have the same name")

    @cached_property
    def _by_name(self) -> dict[str, Register]:
        return {register.name: register for register in self.registers}

    def __iter__(self) -> Iterator[Register]:
        return iter(self.registers)

    def __getitem__(self, name: str) -> Register:
        if name not in self._by_name:
            raise UserError(f"register: there is no {name!r}")
        return self._by_name[name]

    def at(self, address: int) -> tuple[Register, int] | None:
        """Register and index at a byte address; None where nothing is."""
        for register in self.registers:
            index = (address - register.offset) // WORD_BYTES
            if 0 <= index < register.count:
                return register, index
        return None
