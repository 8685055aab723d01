# SPDX-License-Identifier: Apache-2.0
"""The small form as a host sees it: fewer registers, and a driver that says what is not there."""

import pytest
from toy_device import SIZES, Toy

from scaledrop.device_sizes import DeviceSizes, Memory, MemoryShape
from scaledrop.driver import Device
from scaledrop.driver.description import sizes_from_sidecar, sizes_to_json
from scaledrop.errors import UserError
from scaledrop.form import Form
from scaledrop.monitors import MonitorFlag
from scaledrop.packets import PacketType, Result, packet_length, parse_frame, result_words
from scaledrop.registers import register_map
from scaledrop.walk import Mode

NONE = {"squares_words": 0, "scale_parts": 0, "events": 0, "memories": {}}
SMALL = DeviceSizes(**{**vars(SIZES), **NONE, "form": Form.SMALL, "drive_codes": ()})
ABSENT = {
    *("MEMORY_SHAPE", "REFUSAL", "MONITORS", "MONITOR_COUNT", "CUTOFF", "STOP_ENABLE", "SCALE_XOR"),
    *("COUNTER_SELECT", "COUNTER_LOW", "COUNTER_HIGH", "HOST_MEMORY", "HOST_ADDRESS", "HOST_DATA"),
}


@pytest.fixture
def toy():
    return Toy(SMALL)


@pytest.fixture
def device(toy):
    return Device(toy, SMALL)


def refused(call, *arguments, **named):
    with pytest.raises(UserError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def lacks(feature):
    return f"{feature}: the small form of the device has none; generate it with --form full"


def test_forms_have_names_and_numbers():
    assert [Form.named(name) for name in ("full", "small")] == [Form.FULL, Form.SMALL]
    assert [form.number for form in Form] == [0, 1]
    assert refused(Form.named, "tiny") == "form: must be full or small, not 'tiny'"
    Form.FULL.require("counters")


def test_registers_that_are_there_stay_where_they_are():
    full, small = (register_map(sizes) for sizes in (SIZES, SMALL))
    assert {one.name for one in full} - {one.name for one in small} == ABSENT
    for register in small:
        assert register.offset == full[register.name].offset
        assert register.access is full[register.name].access
    assert [one["FORM"].decode(one["FORM"].reset()) for one in (full, small)] == [
        {"form": 0},
        {"form": 1},
    ]
    assert [field.name for field in small["SETUP"].fields] == ["mode"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"squares_words": 3}, "squares_words: the small form has none, not 3"),
        ({"events": 17}, "events: the small form has none, not 17"),
        ({"form": "tiny"}, "form: must be full or small, not 'tiny'"),
        (
            {"memories": {Memory.HEAD: MemoryShape(1, 1)}},
            "memories: the small form has none, not "
            "{<Memory.HEAD: 4>: MemoryShape(words=1, parts=1)}",
        ),
    ],
)
def test_impossible_sizes_of_the_small_form(wrong, message):
    assert refused(lambda: DeviceSizes(**{**vars(SMALL), **wrong})) == message


def test_sizes_survive_the_sidecar_and_an_older_one_is_full():
    assert sizes_from_sidecar({"device": sizes_to_json(SMALL)}) == SMALL
    older = sizes_to_json(SIZES)
    del older["form"]
    assert sizes_from_sidecar({"device": older}) == SIZES


def test_a_result_has_no_squares():
    result = Result((5, -6), (0, 0), (9, 2), 0, True, 11)
    words = result_words(result, SMALL)
    assert len(words) == packet_length(PacketType.RESULT, SMALL) == 3 + 2 * 3
    assert parse_frame(words, SMALL).result == result


def test_the_driver_knows_the_form(toy, device):
    device.identify()
    assert device.events == ()
    toy.words[toy.registers["FORM"].offset] = 0
    assert refused(device.identify) == (
        "FORM.form: is 0x0 in the device, not 0x1; give the sizes of this device"
    )


def test_what_is_there_is_configured(toy, device):
    device.configure(
        mode=Mode.SHARED, passes=7, min_votes=2, min_margin=5 << 32 | 6, drive_codes=[1, 2, 3]
    )
    assert toy.fields("SETUP") == {"mode": 1}
    values = {"PASSES": 7, "MIN_VOTES": 2, "MIN_MARGIN_LOW": 6, "MIN_MARGIN_HIGH": 5}
    assert {name: toy.fields(name)["value"] for name in values} == values
    assert [toy.fields("DRIVE_CODE", at)["value"] for at in range(3)] == [1, 2, 3]
    assert device.status().ok
    device.clear()


@pytest.mark.parametrize(
    ("asked", "feature"),
    [
        ({"mode": Mode.EXACT}, "mode exact"),
        ({"cutoff": 1}, "cutoff"),
        ({"records": True}, "records"),
        ({"stop": [MonitorFlag.MASK_STALE]}, "stop"),
        ({"scale_errors": 1}, "scale_errors"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_written(toy, device, asked, feature):
    before = dict(toy.words)
    assert refused(device.configure, passes=7, **asked) == lacks(feature)
    assert toy.words == before


def test_calls_without_hardware_are_refused(device):
    assert refused(device.counters) == lacks("counters")
    assert refused(device.load, {Memory.HEAD: [1]}) == lacks("load")
    assert refused(device.read_back, Memory.HEAD) == lacks("read_back")
    assert refused(device.install, None) == lacks("install")
