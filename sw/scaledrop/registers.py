# SPDX-License-Identifier: Apache-2.0
"""The register map of the accelerator: hardware, driver, C header and manual all follow it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scaledrop.device_sizes import (
    MAX_LAYERS,
    MAX_SCALE_PARTS,
    WORD_ADDRESS_BITS,
    DeviceSizes,
    Memory,
)
from scaledrop.form import Form
from scaledrop.monitors import MONITOR_TEXTS, MonitorFlag
from scaledrop.numbers import DROP_BITS
from scaledrop.register_types import Access, Field, Keeper, Register, RegisterMap
from scaledrop.walk import MASS_BITS, Mode

__all__ = ["ADDRESS_BITS", "MAGIC", "MAP_VERSION", "register_map"]

MAGIC = int.from_bytes(b"SDRP")
MAP_VERSION = (1, 1)
"""Major: a driver for another one does not fit. Minor: registers were added."""
ADDRESS_BITS = 12

FULL_ONLY = (
    *("MEMORY_SHAPE", "REFUSAL", "MONITORS", "MONITOR_COUNT", "CUTOFF", "STOP_ENABLE"),
    *("COUNTER_SELECT", "COUNTER_LOW", "COUNTER_HIGH"),
    *("HOST_MEMORY", "HOST_ADDRESS", "HOST_DATA"),
)
"""Registers that other forms do not have."""


def _value(width: int, description: str, reset: int = 0) -> tuple[Field]:
    return (Field("value", 0, width, description, reset),)


def _numbered(names: Iterable[str]) -> str:
    return ", ".join(f"{at} {name}" for at, name in enumerate(names))


def _flags(names: Iterable[tuple[str, str]]) -> tuple[Field, ...]:
    return tuple(Field(name, at, 1, text) for at, (name, text) in enumerate(names))


def _constant(name: str, offset: int, description: str, *fields: Field) -> Register:
    return Register(name, offset, Access.RO, description, fields, Keeper.CONSTANT)


def _array(register: Register, room: int, count: int, per: str, *resets: int) -> Register:
    return replace(register, room=room, count=count, per=per, resets=resets)


def _identification(sizes: DeviceSizes) -> list[Register]:
    major, minor = MAP_VERSION
    return [
        _constant("MAGIC", 0x000, "A ScaleDrop accelerator", *_value(32, '"SDRP"', MAGIC)),
        _constant(
            "VERSION",
            0x004,
            "Version of this map",
            Field("minor", 0, 16, "grows when registers are added", minor),
            Field("major", 16, 16, "a driver for another one does not fit", major),
        ),
        _constant(
            "NETWORK",
            0x008,
            "Size of the network",
            Field("layers", 0, 16, "layers with a stochastic bit", sizes.layers),
            Field("classes", 16, 16, "classes", sizes.classes),
        ),
        _constant(
            "ARRAY",
            0x00C,
            "Size of the crossbar array",
            Field("rows", 0, 16, "word lines", sizes.rows),
            Field("columns", 16, 16, "bit lines", sizes.columns),
        ),
        _constant(
            "DATAPATH",
            0x010,
            "Widths",
            Field("lanes", 0, 16, "channels handled at once", sizes.lanes),
            Field("input_bits", 16, 8, "bits of a pixel", sizes.input_bits),
            Field("weight_bits", 24, 8, "bits of a weight or mass", sizes.weight_bits),
        ),
        _constant("PIXELS", 0x014, "Size of an image", *_value(32, "pixels", sizes.pixels)),
        _constant("MAX_PASSES", 0x018, "Largest T", *_value(32, "passes", sizes.max_passes)),
        _constant(
            "FORMAT",
            0x01C,
            "Formats of the streams, sizes of windows",
            Field("pixel_bytes", 0, 4, "bytes of a pixel", sizes.pixel_bytes),
            Field("squares_words", 4, 4, "words of a sum of squares", sizes.squares_words),
            Field("path_words", 8, 8, "words of a leaf's path", sizes.path_words),
            Field("events", 16, 8, "kinds of events counted", sizes.events),
            Field("scale_parts", 24, 8, "parts of a stored word of scales", sizes.scale_parts),
        ),
        _constant(
            "FORM",
            0x020,
            "How much of the accelerator is built",
            Field("form", 0, 8, _numbered(Form), sizes.form.number),
        ),
    ]


def _tables(sizes: DeviceSizes) -> list[Register]:
    digest = bytes.fromhex(sizes.digest)
    hashes = [int.from_bytes(digest[at : at + 4]) for at in range(0, len(digest), 4)]
    model = _constant(
        "MODEL_HASH",
        0x040,
        "sha256 of the network that is built in, zeros for none",
        *_value(32, "four bytes of it, the first one highest"),
    )
    shape = _constant(
        "MEMORY_SHAPE",
        0x080,
        "Size of each memory",
        Field("words", 0, WORD_ADDRESS_BITS, "words; 0 where there is no such memory"),
        Field("parts", WORD_ADDRESS_BITS, 32 - WORD_ADDRESS_BITS, "32-bit parts of a word"),
    )
    shapes = [shape.words | shape.parts << WORD_ADDRESS_BITS for shape in sizes.memory_shapes]
    return [
        _array(model, 8, 8, "word of the hash", *hashes),
        _array(shape, 16, len(shapes), "memory", *shapes),
    ]


def _status() -> list[Register]:
    abort = Field("abort", 0, 1, "drops every image held; closes the frame on the result stream")
    busy = Field("busy", 0, 1, "an image is held")
    errors = [
        ("config_refused", "a locked register was written while an image was held"),
        ("host_refused", "HOST_DATA was used while an image was held, or written in part"),
        ("host_range", "HOST_DATA was used where the memory has no such word or part"),
    ]
    monitors = [(flag.name.lower(), MONITOR_TEXTS[flag]) for flag in MonitorFlag]
    count = Register(
        "MONITOR_COUNT",
        0x140,
        Access.RO,
        "How often each monitor fired since it was cleared",
        _value(16, "times; stays at the largest value"),
        Keeper.WINDOW,
    )
    refusal = (
        Field("code", 0, 8, "what is wrong with it"),
        Field("layer", 16, 16, "its layer"),
    )
    return [
        Register("CONTROL", 0x100, Access.WO, "Commands", (abort,)),
        Register("STATUS", 0x104, Access.RO, "What goes on", (busy,), Keeper.CORE),
        Register("ERRORS", 0x108, Access.W1C, "Accesses that were refused", _flags(errors)),
        Register("REFUSAL", 0x10C, Access.RO, "Descriptor refused last", refusal, Keeper.CORE),
        Register(
            "MONITORS",
            0x110,
            Access.W1C,
            "Monitors that fired; clearing one clears its count",
            _flags(monitors),
            Keeper.CORE,
        ),
        _array(count, 32, len(MonitorFlag), "monitor"),
    ]


def _setup(form: Form) -> tuple[Field, ...]:
    if form is not Form.FULL:
        return (Field("mode", 0, 1, _numbered([Mode.PASSES, Mode.SHARED])),)
    records = Field("records", 8, 1, "send the logits of every leaf too")
    return Field("mode", 0, 2, _numbered(Mode)), records


def _configuration(sizes: DeviceSizes) -> list[Register]:
    passes = _value(sizes.max_passes.bit_length(), "passes; 0 is taken as 1", 1)
    rows: list[tuple[str, int, str, tuple[Field, ...]]] = [
        ("SETUP", 0x200, "How images are evaluated", _setup(sizes.form)),
        ("PASSES", 0x204, "T of the modes passes and shared", passes),
        (
            "CUTOFF",
            0x208,
            "Exact: lighter branches are left out",
            _value(MASS_BITS + 1, "mass in 2^-24"),
        ),
        ("MIN_VOTES", 0x20C, "Abstain with fewer", _value(sizes.weight_bits, "votes; 0 never")),
        ("MIN_MARGIN_LOW", 0x210, "Abstain with less", _value(32, "margin, bits 0 to 31; 0 never")),
        ("MIN_MARGIN_HIGH", 0x214, "Abstain with less", _value(32, "margin, bits 32 to 63")),
        ("STOP_ENABLE", 0x218, "Monitors that stop", _value(len(MonitorFlag), "as in MONITORS")),
        ("SCALE_XOR", 0x300, "Errors put into stored scales", _value(32, "bits turned over")),
        ("DRIVE_CODE", 0x400, "Dropout probability", _value(DROP_BITS, "p in 2^-16")),
    ]
    parts = sizes.scale_parts
    *plain, errors, drives = (
        Register(name, at, Access.RW, text, fields, locked=True) for name, at, text, fields in rows
    )
    return [
        *plain,
        *([_array(errors, MAX_SCALE_PARTS, parts, "part")] if parts else []),
        _array(drives, MAX_LAYERS, sizes.layers, "layer", *sizes.drive_codes),
    ]


def _windows() -> list[Register]:
    memories = ", ".join(f"{memory.value} {memory.name.lower()}" for memory in Memory)
    select = _value(16, "event * layers + layer")
    low = _value(32, "bits 0 to 31; reading them holds the others")
    high = _value(16, "bits 32 to 47, as held")
    address = (
        Field("address", 0, WORD_ADDRESS_BITS, "word"),
        Field(
            "part",
            WORD_ADDRESS_BITS,
            32 - WORD_ADDRESS_BITS,
            "32 bits of the word, the lowest first",
        ),
    )
    data = _value(32, "moves on to the next part, then to the next word")
    window, rw = Keeper.WINDOW, Access.RW
    return [
        Register("COUNTER_SELECT", 0x280, rw, "Event counter to be read", select),
        Register("COUNTER_LOW", 0x284, Access.RO, "Event counter", low, window),
        Register("COUNTER_HIGH", 0x288, Access.RO, "Event counter", high, Keeper.CORE),
        Register("HOST_MEMORY", 0x2C0, rw, "Memory to be used", (Field("memory", 0, 4, memories),)),
        Register("HOST_ADDRESS", 0x2C4, rw, "Place in the memory", address, updated=True),
        Register("HOST_DATA", 0x2C8, rw, "Reads or writes that place", data, window),
    ]


def register_map(sizes: DeviceSizes) -> RegisterMap:
    """The map of an accelerator. Offsets do not depend on ``sizes``; widths and counts do.

    The small form leaves registers out; their addresses are answered with an error, as all are
    where nothing is.
    """
    registers = [
        *_identification(sizes),
        *_tables(sizes),
        *_status(),
        *_configuration(sizes),
        *_windows(),
    ]
    absent = () if sizes.form is Form.FULL else FULL_ONLY
    there = (one for one in registers if one.name not in absent)
    return RegisterMap(tuple(sorted(there, key=lambda one: one.offset)), ADDRESS_BITS)
