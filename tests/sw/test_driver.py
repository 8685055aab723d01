# SPDX-License-Identifier: Apache-2.0
"""Driver against a device made of a dictionary: every call, and what each refuses to do."""

import numpy as np
import pytest
from toy_device import LEAF, RESULT, SIZES, Toy

from scaledrop.device_sizes import DeviceSizes, Memory
from scaledrop.driver import Device, Status
from scaledrop.errors import UserError
from scaledrop.monitors import MonitorFlag
from scaledrop.packets import Frame, PacketType, leaf_words, packet_length, result_words
from scaledrop.register_types import Access
from scaledrop.walk import Mode


@pytest.fixture
def toy():
    return Toy()


@pytest.fixture
def device(toy):
    return Device(toy, SIZES)


def refused(call):
    with pytest.raises(UserError) as caught:
        call()
    return str(caught.value)


def test_identify_compares_every_constant(toy, device):
    device.identify()
    constants = [one for one in toy.registers if one.access is Access.RO and one.offset < 0x100]
    for register in constants:
        address = register.address(register.count - 1)
        toy.words[address] ^= 1
        assert register.name in refused(device.identify)
        toy.words[address] ^= 1
    device.identify()


def test_identify_says_what_differs(toy, device):
    toy.words[toy.registers["ARRAY"].offset] = 64 | 8 << 16
    assert refused(device.identify) == (
        "ARRAY.columns: is 0x8 in the device, not 0x10; give the sizes of this device"
    )


def test_events_must_fit():
    assert refused(lambda: Device(Toy(), SIZES, ("a",))) == "events: must be 17 names, not 1"


def test_configure_writes_everything(toy, device):
    device.configure(
        mode=Mode.EXACT,
        passes=200,
        cutoff=1 << 24,
        min_votes=3,
        min_margin=5 << 32 | 6,
        records=True,
        stop=[MonitorFlag.MASK_STALE, MonitorFlag.PASS_COUNT],
        drive_codes=[1, 2, 65535],
        scale_errors=7 << 32 | 8,
    )
    assert toy.fields("SETUP") == {"mode": 2, "records": 1}
    values = {
        **{"PASSES": 200, "CUTOFF": 1 << 24, "MIN_VOTES": 3, "MIN_MARGIN_LOW": 6},
        **{"MIN_MARGIN_HIGH": 5, "STOP_ENABLE": 0b10001},
    }
    assert {name: toy.fields(name)["value"] for name in values} == values
    assert [toy.fields("DRIVE_CODE", at)["value"] for at in range(3)] == [1, 2, 65535]
    assert [toy.fields("SCALE_XOR", at)["value"] for at in range(2)] == [8, 7]
    device.configure()
    assert [toy.fields("DRIVE_CODE", at)["value"] for at in range(3)] == [1, 2, 65535]
    assert toy.fields("SETUP") == {"mode": 0, "records": 0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"passes": 0}, "PASSES.value: must be 1 to 255, not 0"),
        ({"passes": 256}, "PASSES.value: must be 1 to 255, not 256"),
        ({"cutoff": 1 << 25}, "CUTOFF.value: must be 0 to 33554431, not 33554432"),
        ({"min_votes": -1}, "MIN_VOTES.value: must be 0 to 33554431, not -1"),
        ({"min_margin": 1 << 64}, f"MIN_MARGIN: must be 0 to {2**64 - 1}, not {2**64}"),
        ({"drive_codes": [1]}, "DRIVE_CODE: 3 are needed, not 1"),
        ({"drive_codes": [1, 2, 65536]}, "DRIVE_CODE.value: must be 0 to 65535, not 65536"),
        ({"scale_errors": 1 << 64}, f"SCALE_XOR: must be 0 to {2**64 - 1}, not {2**64}"),
    ],
)
def test_configure_refuses(device, wrong, message):
    assert refused(lambda: device.configure(**wrong)) == message


def test_a_refusal_is_explained_and_cleared(toy, device):
    toy.broken = {"PASSES": 1}
    assert refused(device.configure) == (
        "PASSES: access refused: a locked register was written while an image was held"
    )
    assert device.status().ok
    toy.broken = {"PASSES": 0}
    assert refused(device.configure) == ("PASSES: access refused: the device has no such register")
    toy.broken = {"PASSES": 0, "ERRORS": 0}
    assert "the device has no such register" in refused(device.configure)


def test_load_and_read_back(toy, device):
    words = [1 << 63 | 5, 6, 7 << 32]
    device.load({Memory.HEAD: words})
    assert toy.memory[0, 0] == 5
    assert toy.memory[0, 1] == 1 << 31
    assert device.read_back(Memory.HEAD) == words
    assert device.read_back(Memory.HEAD, 1, 1) == [6]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda d: d.load({Memory.SCALES: [1]}),
            "SCALES: the device has no such memory; it has HEAD",
        ),
        (lambda d: d.load({Memory.HEAD: [0] * 4}), "HEAD: words from 0 on: must be 0 to 3, not 4"),
        (lambda d: d.load({Memory.HEAD: [0, 1 << 64]}), "HEAD[1]: must fit 64 bits"),
        (lambda d: d.read_back(Memory.HEAD, 3), "HEAD: first word: must be 0 to 2, not 3"),
        (lambda d: d.read_back(Memory.HEAD, 1, 3), "HEAD: words from 1 on: must be 0 to 2, not 3"),
    ],
)
def test_memories_refuse(device, call, message):
    assert refused(lambda: call(device)) == message


def test_a_word_that_does_not_stay_is_noticed(toy, device):
    toy.move = lambda: None
    assert refused(lambda: device.load({Memory.HEAD: [1 << 32 | 2]})) == (
        "HEAD[0]: holds 0x100000001, not 0x100000002"
    )


def test_infer_keeps_two_images_in_the_device(toy, device):
    images = np.arange(20).reshape(5, 4) * 200
    order = []
    toy_send, toy_receive = toy.send, toy.receive
    toy.send = lambda frame: (order.append("s"), toy_send(frame))[1]
    toy.receive = lambda limit: (order.append("r"), toy_receive(limit))[1]
    assert device.infer(images) == [Frame((), RESULT)] * 5
    assert "".join(order) == "ssrsrsrsrr"
    assert toy.sent[1] == images[1].astype("<u2").tobytes()
    assert device.infer(images[:0]) == []


def test_one_byte_for_small_pixels(toy):
    sizes = DeviceSizes(layers=3, classes=2, input_bits=8, pixels=2)
    Device(toy, sizes).infer([[1, 255]])
    assert toy.sent == [b"\x01\xff"]


@pytest.mark.parametrize(
    ("mode", "passes", "cutoff", "leaves"),
    [
        (Mode.PASSES, 200, 0, 200),
        (Mode.SHARED, 200, 0, 8),
        (Mode.SHARED, 5, 0, 5),
        (Mode.EXACT, 1, 0, 8),
        (Mode.EXACT, 1, 1 << 22, 5),
    ],
)
def test_the_longest_frame_is_asked_for(toy, device, mode, passes, cutoff, leaves):
    leaf, result = (packet_length(kind, SIZES) for kind in (PacketType.LEAF, PacketType.RESULT))
    device.configure(mode=mode, passes=passes, cutoff=cutoff, records=True)
    device.infer([[0, 0, 0, 0]])
    device.configure(mode=mode, passes=passes, cutoff=cutoff)
    device.infer([[0, 0, 0, 0]])
    assert toy.limits == [leaves * leaf + result + 1, result + 1]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([[1, 2, 3]], "images: must be (N, 4), not (1, 3)"),
        ([1, 2, 3, 4], "images: must be (N, 4), not (4,)"),
        ([[1, 2, 3, 4096]], "images: pixels must be whole numbers from 0 to 4095"),
        ([[1, 2, 3, -1]], "images: pixels must be whole numbers from 0 to 4095"),
        ([[1, 2, 3, 0.5]], "images: pixels must be whole numbers from 0 to 4095"),
    ],
)
def test_infer_refuses(device, images, message):
    assert refused(lambda: device.infer(images)) == message


def test_infer_without_an_answer(toy, device):
    toy.send = lambda frame: None
    assert refused(lambda: device.infer([[1, 2, 3, 4]])) == "results: nothing came; see status()"


def test_leaves_come_with_their_result(toy, device):
    toy.send = lambda frame: toy.frames.append(
        [*leaf_words(LEAF, SIZES), *leaf_words(LEAF, SIZES), *result_words(RESULT, SIZES)]
    )
    assert device.infer([[1, 2, 3, 4]]) == [Frame((LEAF, LEAF), RESULT)]


def test_status_and_clear(toy, device):
    assert device.status() == Status(False, (), {}, None)
    words, registers = toy.words, toy.registers
    words[registers["STATUS"].offset] = 1
    words[registers["ERRORS"].offset] = 0b101
    flags = MonitorFlag.SCALE_CORRECTED, MonitorFlag.DESCRIPTOR_REFUSED
    words[registers["MONITORS"].offset] = sum(1 << flag for flag in flags)
    words[registers["MONITOR_COUNT"].address(MonitorFlag.SCALE_CORRECTED)] = 12
    words[registers["MONITOR_COUNT"].address(MonitorFlag.DESCRIPTOR_REFUSED)] = 1
    words[registers["REFUSAL"].offset] = 6 | 2 << 16
    assert device.status() == Status(
        True, ("config_refused", "host_range"), dict(zip(flags, (12, 1), strict=True)), (6, 2)
    )
    assert not device.status().ok
    device.clear()
    assert device.status() == Status(True, (), {}, None)
    assert device.status().ok


def test_counters_are_put_together(toy, device):
    read, select = toy.read32, toy.registers["COUNTER_SELECT"].offset

    def counted(address):
        name = toy.found(address)[0].name
        value = (toy.words[select] + 1) * 0x123456789
        return {"COUNTER_LOW": value & 0xFFFFFFFF, "COUNTER_HIGH": value >> 32}.get(
            name, read(address)
        )

    toy.read32 = counted
    found = device.counters()
    assert [list(one) for one in found] == [list(device.events)] * 3
    assert found[2][device.events[4]] == (4 * 3 + 2 + 1) * 0x123456789


def test_abort_drops_what_had_been_finished(toy, device):
    toy.send(b"")
    device.abort()
    assert toy.frames == []
    toy.write32 = lambda address, word: toy.frames.extend([result_words(RESULT, SIZES)] * 3)
    assert refused(device.abort) == ("results: the device did not close the stream after an abort")
