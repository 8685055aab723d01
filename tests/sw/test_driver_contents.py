# SPDX-License-Identifier: Apache-2.0
"""A device's description and a network's contents, as files and on a toy device."""

import json
from dataclasses import replace

import numpy as np
import pytest
from toy_device import SIZES, Toy

from scaledrop.device_sizes import DeviceSizes, Memory, MemoryShape
from scaledrop.driver import (
    Contents,
    Device,
    description_of,
    read_contents,
    read_description,
    sizes_from_sidecar,
)
from scaledrop.driver.description import WordField, sizes_to_json
from scaledrop.driver.pixels import pixel_frames
from scaledrop.errors import UserError

EVENTS = [f"event{at}" for at in range(SIZES.events)]
WIDE = (WordField("gain", 0, 6, True), WordField("offset", 6, 30, True), WordField("on", 36, 1, 0))
NARROW = (WordField("gain", 0, 4, True), WordField("offset", 4, 8, True), WordField("on", 12, 1, 0))


def format_json(fields):
    return {"head": {"fields": [field._asdict() for field in fields]}}


SIDECAR = {
    "device": sizes_to_json(replace(SIZES, drive_codes=(1, 2, 3), digest="ab" * 32)),
    "counters": EVENTS,
    "network": {"input_shape": [1, 2, 2]},
    "structure": {"nodes": ["x"], "input_bits": 12},
    "widths": {"logit": 20},
    "formats": format_json(WIDE),
}
DESCRIPTION = description_of(SIDECAR)


def packed(fields, *values):
    return sum(
        (value & (1 << field.width) - 1) << field.offset
        for field, value in zip(fields, values, strict=True)
    )


CONTENTS = Contents(
    network="net",
    digest="cd" * 32,
    structure={"nodes": ["x"], "input_bits": 12},
    drive_codes=(7, 8, 9),
    formats={Memory.HEAD: WIDE},
    words={Memory.HEAD: (packed(WIDE, -8, 127, 1), packed(WIDE, 7, -128, 0), 0)},
)


def refused(call):
    with pytest.raises(UserError) as caught:
        call()
    return str(caught.value)


def test_sizes_come_back_from_the_sidecar():
    sizes = replace(
        SIZES, drive_codes=(1, 2, 3), digest="ab" * 32, memories={Memory.HEAD: MemoryShape(3, 2)}
    )
    assert sizes_from_sidecar(json.loads(json.dumps(SIDECAR))) == sizes
    message = "sidecar: describes no device; generate it with --bus axi"
    assert refused(lambda: sizes_from_sidecar({"network": {}})) == message


def test_a_description_from_a_file(tmp_path):
    path = tmp_path / "device.json"
    path.write_text(json.dumps(SIDECAR))
    found = read_description(path)
    assert found == DESCRIPTION
    assert found.events == tuple(EVENTS) and found.input_shape == (1, 2, 2)
    assert found.formats == {Memory.HEAD: WIDE}
    path.write_text("{")
    assert refused(lambda: read_description(path)) == f"{path}: is not JSON"
    gone = tmp_path / "gone"
    assert refused(lambda: read_description(gone)) == (
        f"{gone}: cannot be read (No such file or directory)"
    )


def test_contents_from_a_file(tmp_path):
    path = tmp_path / "contents.json"
    path.write_text(json.dumps(CONTENTS.as_json()))
    assert read_contents(path) == CONTENTS
    path.write_text(json.dumps(SIDECAR))
    assert refused(lambda: read_contents(path)) == f"{path}: holds no contents of memories"


def test_fields_take_their_range_and_their_place():
    signed, plain = WordField("a", 3, 4, True), WordField("b", 1, 4, False)
    assert signed.range == (-8, 7) and plain.range == (0, 15)
    assert [signed.value(word << 3) for word in (0, 7, 8, 15, 16)] == [0, 7, -8, -1, 0]
    assert [plain.value(word << 1) for word in (0, 8, 15, 16)] == [0, 8, 15, 0]


def test_words_for_a_device_of_the_same_structure():
    assert CONTENTS.fitted(DESCRIPTION) == {Memory.HEAD: list(CONTENTS.words[Memory.HEAD])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"structure": {"nodes": ["x", "y"], "input_bits": 12}},
            "net: nodes is ['x', 'y'], but ['x'] in the device; generate a device for this network",
        ),
        (
            {"structure": {"nodes": ["x"]}},
            "net: input_bits is None, but 12 in the device; generate a device for this network",
        ),
        (
            {"formats": {Memory.HEAD: NARROW}},
            "net: HEAD.gain takes 4 bits, but 6 in the device; generate a device for this network",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_refused(change, message):
    assert refused(lambda: replace(CONTENTS, **change).fitted(DESCRIPTION)) == message


def test_install_loads_everything():
    toy = Toy()
    device = Device.described(toy, DESCRIPTION)
    assert device.events == tuple(EVENTS)
    device.install(CONTENTS)
    assert device.read_back(Memory.HEAD) == CONTENTS.fitted(DESCRIPTION)[Memory.HEAD]
    assert [toy.fields("DRIVE_CODE", at)["value"] for at in range(3)] == [7, 8, 9]


def test_install_writes_nothing_of_what_does_not_fit():
    toy = Toy()
    before = dict(toy.words)
    device = Device.described(toy, DESCRIPTION)
    wrong = replace(CONTENTS, drive_codes=(1, 2))
    assert refused(lambda: device.install(wrong)) == "DRIVE_CODE: 3 are needed, not 2"
    narrow = replace(CONTENTS, formats={Memory.HEAD: NARROW})
    assert "HEAD.gain takes" in refused(lambda: device.install(narrow))
    assert toy.words == before and toy.memory == {}
    assert refused(lambda: Device(toy, SIZES).install(CONTENTS)) == (
        "install: needs the sidecar; make the device with Device.described"
    )


def test_pixels_are_put_into_the_order_of_the_stream():
    sizes = DeviceSizes(layers=1, classes=2, input_bits=8, pixels=12)
    images = np.arange(24).reshape(2, 12)
    maps = images.reshape(2, 2, 2, 3)
    streamed = [image.transpose(1, 2, 0).astype(np.uint8).tobytes() for image in maps]
    assert pixel_frames(images, sizes, None) == [bytes(row) for row in images.tolist()]
    assert pixel_frames(images, sizes, (2, 2, 3)) == streamed
    assert pixel_frames(maps, sizes, (2, 2, 3)) == streamed
    assert pixel_frames(images.reshape(2, 3, 4), sizes, (3, 4)) == pixel_frames(images, sizes, None)
    assert pixel_frames(images[:0], sizes, (2, 2, 3)) == []
    for wrong in (maps.reshape(2, 2, 3, 2), maps[0], images[:, :11]):
        message = f"images: must be (N, 12), not {wrong.shape}"
        assert refused(lambda wrong=wrong: pixel_frames(wrong, sizes, (2, 2, 3))) == message


def test_a_described_device_takes_images_in_their_shape():
    toy = Toy()
    described = replace(DESCRIPTION, input_shape=(2, 1, 2))
    Device.described(toy, described).infer([[[[1, 2]], [[3, 4]]]])
    assert toy.sent == [np.array([1, 3, 2, 4], dtype="<u2").tobytes()]
