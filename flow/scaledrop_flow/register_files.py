# SPDX-License-Identifier: Apache-2.0
"""The register map as a C header and as the manual's page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop.device_sizes import DeviceSizes
from scaledrop.register_types import Field, Keeper, Register, RegisterMap
from scaledrop.registers import MAP_VERSION, register_map

__all__ = ["c_header", "markdown", "write_register_files"]

PREFIX = "SCALEDROP"
SIZED = ("PASSES", "MIN_VOTES")
"""Registers whose width depends on the device."""
EXAMPLE = DeviceSizes(layers=4, classes=10)
"""The page names no sizes; any do to lay out its tables."""


def _define(name: str, value: str) -> str:
    return f"#define {PREFIX}_{name} {value}"


def _field_lines(register: Register, field: Field) -> Iterator[str]:
    name = f"{register.name}_{field.name.upper()}"
    yield _define(f"{name}_SHIFT", str(field.offset))
    yield _define(f"{name}_MASK", f"0x{field.mask:08X}u")


def _address_lines(register: Register) -> Iterator[str]:
    if register.is_array:
        yield _define(f"{register.name}(i)", f"(0x{register.offset:03X}u + 4u * (i))")
        yield _define(f"{register.name}_COUNT", str(register.count))
        return
    yield _define(register.name, f"0x{register.offset:03X}u")
    if register.keeper in (Keeper.CONSTANT, Keeper.FILE):
        yield _define(f"{register.name}_RESET", f"0x{register.reset():08X}u")


def _register_lines(register: Register) -> Iterator[str]:
    yield ""
    yield f"/* {register.access}: {register.description} */"
    yield from _address_lines(register)
    for field in register.fields:
        yield from _field_lines(register, field)


def c_header(registers: RegisterMap) -> str:
    """Offsets, masks and shifts of every register, and the values by which to know a device."""
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        f"/* Registers of a ScaleDrop accelerator, map {MAP_VERSION[0]}.{MAP_VERSION[1]}; "
        "generated from scaledrop.registers. */",
        f"#ifndef {PREFIX}_REGISTERS_H",
        f"#define {PREFIX}_REGISTERS_H",
        "",
        _define("ADDRESS_SPACE", f"0x{1 << registers.address_bits:X}u"),
    ]
    for register in registers:
        lines += _register_lines(register)
    return "\n".join([*lines, "", f"#endif /* {PREFIX}_REGISTERS_H */", ""])


def _bits(field: Field) -> str:
    top = field.offset + field.width - 1
    return str(top) if field.width == 1 else f"{top}:{field.offset}"


def _reset(register: Register, field: Field) -> str:
    built = register.keeper is Keeper.CONSTANT and register.name not in ("MAGIC", "VERSION")
    if built or register.name == "DRIVE_CODE":
        return "as built"
    if register.keeper in (Keeper.CORE, Keeper.WINDOW):
        return "-"
    return f"{field.reset:#x}" if field.reset > 9 else str(field.reset)


def _rows(register: Register) -> Iterator[str]:
    place = f"{register.offset:#05x}"
    name = f"**{register.name}**"
    if register.is_array:
        place += f" + 4i, up to {register.offset + 4 * (register.room - 1):#05x}"
        name = f"**{register.name}[i]**, one per {register.per}"
    access = f"{register.access}, locked" if register.locked else str(register.access)
    yield f"| {place} | {name} | {access} | | | {register.description} |"
    for field in register.fields:
        bits = "from 0" if register.name in SIZED else _bits(field)
        reset = _reset(register, field)
        yield f"| | {field.name} | | {bits} | {reset} | {field.description} |"


def markdown(registers: RegisterMap) -> str:
    """The page: every register and field, with what does not depend on a device's sizes."""
    lines = [
        "<!-- Generated: python -m scaledrop_flow.register_files docs/registers.md -->",
        "# Registers",
        "",
        f"Map {MAP_VERSION[0]}.{MAP_VERSION[1]}, 32-bit words, little-endian bytes, "
        f"{1 << registers.address_bits} bytes of address space. The bus and the streams are "
        "described in [0011](design/0011-bus.md).",
        "",
        "- `ro` read only; a write is refused. `rw` read and write. `w1c` writing 1 clears. "
        "`wo` writing 1 acts once, reads as 0.",
        "- `locked`: a write is refused while an image is held, and noted in ERRORS.",
        "- A refused access and one to an address where nothing is are answered with SLVERR. "
        "Bits without a field read as 0.",
        "",
        "| offset | register, field | access | bits | reset | |",
        "|---|---|---|---|---|---|",
    ]
    for register in registers:
        lines += _rows(register)
    return "\n".join([*lines, ""])


def write_register_files(sizes: DeviceSizes, folder: Path, name: str = "scaledrop") -> list[Path]:
    """Write ``name_registers.h`` and ``name_registers.md`` of a device; returns their paths.

    Raises:
        UserError: the folder cannot be written.
    """
    registers = register_map(sizes)
    texts = {".h": c_header(registers), ".md": markdown(registers)}
    paths = [folder / f"{name}_registers{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_atomically(path, text.encode())
    return paths


if __name__ == "__main__":
    write_atomically(Path(sys.argv[1]), markdown(register_map(EXAMPLE)).encode())
