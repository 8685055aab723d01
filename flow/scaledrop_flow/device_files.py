# SPDX-License-Identifier: Apache-2.0
"""Files for those who program one accelerator: C headers and the manual of its registers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop.device_sizes import DeviceSizes, Memory
from scaledrop.packets import ABORTED_WORD, PacketType, packet_length
from scaledrop.register_types import Keeper, Register
from scaledrop.registers import register_map
from scaledrop.walk import Mode
from scaledrop_flow.register_files import c_header, markdown

__all__ = ["device_header", "device_page", "write_device_files"]

DEVICE = "SCALEDROP_DEVICE"


def _list(values: Iterable[int]) -> str:
    return f"{{{', '.join(f'{value:#x}u' for value in values)}}}"


def _sizes(sizes: DeviceSizes) -> Iterator[tuple[str, str]]:
    names = ("layers", "classes", "pixels", "pixel_bytes", "max_passes", "events")
    yield from ((f"{DEVICE}_{name.upper()}", f"{getattr(sizes, name)}u") for name in names)
    yield f"{DEVICE}_IMAGE_BYTES", f"{sizes.pixels * sizes.pixel_bytes}u"
    for kind in (PacketType.RESULT, PacketType.LEAF):
        yield f"{DEVICE}_{kind.name}_WORDS", f"{packet_length(kind, sizes)}u"
    hashes = register_map(sizes)["MODEL_HASH"]
    yield f"{DEVICE}_MODEL_HASH", _list(hashes.reset(at) for at in range(hashes.count))
    codes = sizes.drive_codes or (0,) * sizes.layers
    yield f"{DEVICE}_DRIVE_CODES", _list(codes)
    for memory, shape in sorted(sizes.memories.items()):
        yield f"{DEVICE}_{memory.name}_WORDS", f"{shape.words}u"
        yield f"{DEVICE}_{memory.name}_PARTS", f"{shape.parts}u"


def _numbers() -> Iterator[tuple[str, str]]:
    for at, mode in enumerate(Mode):
        yield f"SCALEDROP_MODE_{mode.name}", f"{at}u"
    for memory in Memory:
        yield f"SCALEDROP_MEMORY_{memory.name}", f"{memory.value}u"
    for kind in PacketType:
        yield f"SCALEDROP_PACKET_{kind.name}", f"{kind.value}u"
    yield "SCALEDROP_ABORTED_WORD", f"0x{ABORTED_WORD:08X}u"


def device_header(sizes: DeviceSizes, registers: str) -> str:
    """Numbers of this device, and those that every device has in common.

    Args:
        registers: Name of the header of the registers, which it includes.
    """
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        "/* Sizes of one ScaleDrop accelerator; generated with its Verilog. */",
        f"#ifndef {DEVICE}_H",
        f"#define {DEVICE}_H",
        "",
        f'#include "{registers}"',
        "",
        *(f"#define {name} {value}" for name, value in _numbers()),
        "",
        *(f"#define {name} {value}" for name, value in _sizes(sizes)),
        "",
        f"#endif /* {DEVICE}_H */",
        "",
    ]
    return "\n".join(lines)


def _built(register: Register) -> Iterator[str]:
    for at in range(register.count):
        values = register.decode(register.reset(at))
        shown = ", ".join(f"{name} {value:#x}" for name, value in values.items())
        name = f"{register.name}[{at}]" if register.is_array else register.name
        yield f"| {register.address(at):#05x} | {name} | {shown} |"


def device_page(sizes: DeviceSizes, name: str) -> str:
    """The manual of this device: every register, then what was built in."""
    registers = register_map(sizes)
    page = markdown(registers).partition("# Registers\n")[2]
    page = page.replace("[0011](design/0011-bus.md)", "docs/design/0011-bus.md of ScaleDrop")
    lines = [f"# Registers of {name}", page, "## As built", ""]
    lines += ["| offset | register | value |", "|---|---|---|"]
    for register in registers:
        if register.keeper is Keeper.CONSTANT or register.name == "DRIVE_CODE":
            lines += _built(register)
    return "\n".join([*lines, ""])


def write_device_files(sizes: DeviceSizes, folder: Path, name: str) -> list[Path]:
    """Write ``name_registers.h``, ``name_device.h`` and ``name_registers.md``; returns their paths.

    Raises:
        UserError: the folder cannot be written.
    """
    registers = f"{name}_registers.h"
    files = {
        registers: c_header(register_map(sizes)),
        f"{name}_device.h": device_header(sizes, registers),
        f"{name}_registers.md": device_page(sizes, name),
    }
    for file, text in files.items():
        write_atomically(folder / file, text.encode())
    return [folder / file for file in files]
