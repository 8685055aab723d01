# SPDX-License-Identifier: Apache-2.0
"""Register map: no overlaps, fixed offsets, words and fields, and what is refused."""

import pytest

from scaledrop.device_sizes import DeviceSizes, Memory, MemoryShape
from scaledrop.errors import UserError
from scaledrop.monitors import MONITOR_TEXTS, MonitorFlag
from scaledrop.register_types import Access, Field, Keeper, Register, RegisterMap
from scaledrop.registers import ADDRESS_BITS, register_map

SMALL = DeviceSizes(layers=1, classes=1, max_passes=1, weight_bits=2, scale_parts=1)
LARGE = DeviceSizes(
    layers=256,
    classes=65535,
    rows=1024,
    columns=1024,
    lanes=1024,
    input_bits=16,
    pixels=2**24,
    max_passes=65535,
    weight_bits=28,
    squares_words=4,
    scale_parts=64,
    events=255,
    memories={memory: MemoryShape(2**20 - 1, 4095) for memory in Memory},
    drive_codes=(65535,) * 256,
    digest="f" * 64,
)


@pytest.mark.parametrize("sizes", [SMALL, LARGE])
def test_every_word_belongs_to_one_register(sizes):
    registers = register_map(sizes)
    owners = {}
    for register in registers:
        for index in range(register.count):
            address = register.address(index)
            assert address not in owners
            assert registers.at(address) == (register, index)
            owners[address] = register
    for address in range(0, 1 << ADDRESS_BITS, 4):
        assert (registers.at(address) is None) == (address not in owners)


def test_offsets_do_not_depend_on_sizes():
    small, large = register_map(SMALL), register_map(LARGE)
    assert [(one.name, one.offset, one.room) for one in small] == [
        (one.name, one.offset, one.room) for one in large
    ]


def test_offsets_never_change():
    """Software relies on them."""
    registers = register_map(SMALL)
    known = {
        **{"MAGIC": 0, "VERSION": 4, "MODEL_HASH": 0x40, "MEMORY_SHAPE": 0x80, "CONTROL": 0x100},
        **{"STATUS": 0x104, "ERRORS": 0x108, "MONITORS": 0x110, "MONITOR_COUNT": 0x140},
        **{"SETUP": 0x200, "PASSES": 0x204, "COUNTER_SELECT": 0x280, "HOST_DATA": 0x2C8},
        **{"SCALE_XOR": 0x300, "DRIVE_CODE": 0x400},
    }
    assert {name: registers[name].offset for name in known} == known


@pytest.mark.parametrize("sizes", [SMALL, LARGE])
def test_words_decode_to_what_was_encoded(sizes):
    for register in register_map(sizes):
        for value in (0, 1, -1):
            fields = {field.name: value % (1 << field.width) for field in register.fields}
            assert register.decode(register.encode(**fields)) == fields
        for index in range(register.count):
            word = register.reset(index)
            assert register.encode(**register.decode(word)) == word


def test_identification_holds_the_sizes():
    registers = register_map(LARGE)
    assert registers["MAGIC"].reset() == int.from_bytes(b"SDRP")
    assert registers["NETWORK"].decode(registers["NETWORK"].reset()) == {
        "layers": 256,
        "classes": 65535,
    }
    assert registers["MEMORY_SHAPE"].reset(3) == 2**32 - 1
    digest = b"".join(
        register_map(DeviceSizes(layers=1, classes=1, digest="0123456789abcdef" * 4))["MODEL_HASH"]
        .reset(at)
        .to_bytes(4)
        for at in range(8)
    )
    assert digest.hex() == "0123456789abcdef" * 4


def test_every_monitor_has_its_bit_and_its_text():
    fields = register_map(SMALL)["MONITORS"].fields
    assert [(field.name, field.offset) for field in fields] == [
        (flag.name.lower(), flag.value) for flag in MonitorFlag
    ]
    assert set(MONITOR_TEXTS) == set(MonitorFlag)


def test_who_may_write_what():
    for register in register_map(LARGE):
        assert not register.locked or register.access is Access.RW
        assert register.keeper is not Keeper.CONSTANT or register.access is Access.RO


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m["PASSED"], "register: there is no 'PASSED'"),
        (lambda m: m["PASSES"].encode(count=1), "PASSES: has no field 'count'; it has value"),
        (lambda m: m["PASSES"].encode(value=65536), "PASSES.value: must be 0 to 65535, not 65536"),
        (lambda m: m["PASSES"].encode(value=-1), "PASSES.value: must be 0 to 65535, not -1"),
        (lambda m: m["PASSES"].address(1), "PASSES: index must be 0 to 0, not 1"),
        (
            lambda m: m["DRIVE_CODE"].address(256),
            "DRIVE_CODE: index must be 0 to 255, not 256",
        ),
    ],
)
def test_wrong_uses(call, message):
    with pytest.raises(UserError) as caught:
        call(register_map(LARGE))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "layers: must be 1 to 256, not 0"),
        ({"layers": 257}, "layers: must be 1 to 256, not 257"),
        ({"classes": 65536}, "classes: must be 1 to 65535, not 65536"),
        ({"input_bits": 17}, "input_bits: must be 1 to 16, not 17"),
        ({"max_passes": 0}, "max_passes: must be 1 to 65535, not 0"),
        ({"squares_words": 5}, "squares_words: must be 1 to 4, not 5"),
        ({"scale_parts": 65}, "scale_parts: must be 1 to 64, not 65"),
        ({"events": 256}, "events: must be 1 to 255, not 256"),
        (
            {"memories": {Memory.HEAD: MemoryShape(0, 1)}},
            "words of HEAD: must be 1 to 1048575, not 0",
        ),
        (
            {"memories": {Memory.HEAD: MemoryShape(1, 4096)}},
            "parts of HEAD: must be 1 to 4095, not 4096",
        ),
        ({"drive_codes": (1,)}, "drive_codes: must be 2, one a layer, not 1"),
        ({"drive_codes": (1, 65536)}, "drive_codes: must be 0 to 65535, not 65536"),
        ({"digest": "f00"}, "digest: must be 64 hexadecimal digits, not 'f00'"),
    ],
)
def test_impossible_sizes(wrong, message):
    with pytest.raises(UserError) as caught:
        DeviceSizes(**{"layers": 2, "classes": 3, **wrong})
    assert str(caught.value) == message


def register(name="A", offset=0, **more):
    return Register(name, offset, Access.RW, "", (Field("value", 0, 8, ""),), **more)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Field("Upper", 0, 1, ""), "field: 'Upper' must be a lower-case identifier"),
        (lambda: Field("a", 30, 3, ""), "a: must lie in bits 0 to 31 and have at least one"),
        (lambda: Field("a", 0, 0, ""), "a: must lie in bits 0 to 31 and have at least one"),
        (lambda: Field("a", 0, 2, "", 4), "a: reset must fit 2 bits, not 4"),
        (lambda: register(offset=2), "A: offset must be a multiple of 4, not 2"),
        (lambda: register(count=2), "A: must have 1 to 1 words, not 2"),
        (
            lambda: register(room=4, count=2, resets=(1,)),
            "A: needs 2 reset values, not 1",
        ),
        (
            lambda: register(room=4, resets=(256,)),
            "A: a reset value has bits outside of its fields",
        ),
        (
            lambda: Register("A", 0, Access.RW, "", (Field("a", 0, 8, ""), Field("b", 7, 8, ""))),
            "A.b: lies on another field",
        ),
        (
            lambda: RegisterMap((register(room=2), register("B", 4)), 4),
            "B: lies on the register before it",
        ),
        (
            lambda: RegisterMap((register(offset=12, room=2),), 4),
            "A: lies outside of the address space",
        ),
        (
            lambda: RegisterMap((register(), register(offset=4)), 4),
            "registers: two have the same name",
        ),
    ],
)
def test_impossible_maps(make, message):
    with pytest.raises(UserError) as caught:
        make()
    assert str(caught.value) == message
