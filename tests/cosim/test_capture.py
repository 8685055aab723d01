# SPDX-License-Identifier: Apache-2.0
"""The shell's files come back exactly, and what is not whole is refused in one line."""

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
from amaranth.hdl import Fragment
from captures import CONVOLUTIONAL, DENSE, faultless, made

from scaledrop.events import Event
from scaledrop.walk import Mode
from scaledrop_cosim.capture import CaptureError, read_capture
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.export import sidecar

PORTS = {
    "visits": "trace__visit",
    "drawn": "trace__drawn",
    "hidden": "trace__hidden",
    "logits": "trace__logit",
    "results": "results__payload",
}
HEX_FILES = [f"{name}.hex" for name in PORTS]
FILES = [*HEX_FILES, "counters.hex", "status.txt"]
COUNTED = 2**40


def line(port, row):
    """A payload as the shell writes it: hexadecimal, whole bytes, every field given."""
    word, given, taken = 0, dict(row), set()
    for field in port["fields"]:
        name, _, lane = field["name"].partition(".")
        taken.add(name)
        value = int(given[name][int(lane)] if lane else given[name])
        word |= value % (1 << field["width"]) << field["offset"]
    assert set(given) == taken
    return f"{word:0{2 * -(-port['width'] // 8)}x}"


@cache
def run_of(topology, mode):
    """Sidecar and capture of a faultless run."""
    workload, mapping = made(topology, mode)
    accelerator = Accelerator(mapping=mapping, max_passes=5)
    Fragment.get(accelerator, None)
    return sidecar(accelerator, "scaledrop", ""), faultless(workload, mapping)


class Files:
    """The files of a faultless run, as lists of lines that a test may spoil."""

    def __init__(self, topology=DENSE, mode=Mode.SHARED):
        described, self.capture = run_of(topology, mode)
        self.sidecar = deepcopy(described)
        ports = {port["name"]: port for port in self.sidecar["ports"]}
        count = len(Event) * len(self.sidecar["network"]["layers"])
        self.lines = {
            "counters.hex": [f"{7 * at + COUNTED:012x}" for at in range(count)],
            "status.txt": [f"0 {self.capture.device_writes} 999 5"],
        }
        for name, port in PORTS.items():
            fields = getattr(self.capture, name)
            rows = zip(*fields.values(), strict=True)
            self.lines[f"{name}.hex"] = [
                line(ports[port], zip(fields, row, strict=True)) for row in rows
            ]

    def write(self, folder):
        for name, lines in self.lines.items():
            (folder / name).write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")

    def read(self, folder):
        return read_capture(folder, self.sidecar)


@pytest.fixture
def files():
    return Files()


def refusal(files, folder):
    with pytest.raises(CaptureError) as caught:
        files.read(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("topology", [DENSE, CONVOLUTIONAL])
def test_a_capture_comes_back_exactly(tmp_path, topology, mode):
    files = Files(topology, mode)
    files.write(tmp_path)
    found = files.read(tmp_path)
    for name in PORTS:
        one, other = getattr(found, name), getattr(files.capture, name)
        assert set(one) == set(other)
        for field, values in other.items():
            assert np.array_equal(one[field], values.reshape(one[field].shape)), (name, field)
    assert (found.logits["value"] < 0).any() and (found.results["sum"] < 0).any()
    assert (found.device_writes, found.monitors) == (files.capture.device_writes, 5)


def test_numbers_that_64_bits_do_not_hold(tmp_path, files):
    """A sum of squares of a wide network needs more."""
    port = next(one for one in files.sidecar["ports"] if one["name"] == "results__payload")
    (field,) = (one for one in port["fields"] if one["name"] == "squares")
    extra = 99 - field["width"]
    for one in port["fields"]:
        one["offset"] += extra if one["offset"] > field["offset"] else 0
    field["width"], port["width"] = 99, port["width"] + extra
    fields = {**files.capture.results}
    fields["squares"] = fields["squares"].astype(object) + 2**98
    rows = zip(*fields.values(), strict=True)
    files.lines["results.hex"] = [line(port, zip(fields, row, strict=True)) for row in rows]
    files.write(tmp_path)
    found = files.read(tmp_path).results
    assert found["squares"].tolist() == fields["squares"].tolist()
    assert found["votes"].tolist() == fields["votes"].tolist()


def test_counters_go_to_their_event_and_layer(tmp_path, files):
    files.write(tmp_path)
    counters = files.read(tmp_path).counters
    events, layers = list(map(str, Event)), ["a", "b", "head"]
    assert list(counters) == layers
    for number, event in enumerate(events):
        values = [counters[name][event] for name in layers]
        assert values == [7 * (3 * number + at) + COUNTED for at in range(3)]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("way", ["missing", "folder", "no text"])
def test_a_file_that_is_none_is_refused(tmp_path, files, name, way):
    files.write(tmp_path)
    path = tmp_path / name
    data = path.read_bytes()
    path.unlink()
    if way == "folder":
        path.mkdir()
    if way == "no text":
        path.write_bytes(b"\xff" + data[1:])
    assert refusal(files, tmp_path).startswith(f"{name}: cannot be read (")


@pytest.mark.parametrize("name", HEX_FILES)
def test_every_part_of_a_last_line_is_refused(tmp_path, files, name):
    lines = files.lines[name]
    whole = lines[-1]
    for length in range(1, len(whole)):
        lines[-1] = whole[:length]
        files.write(tmp_path)
        assert refusal(files, tmp_path).startswith(f"{name}: ")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("character", ["g", "x", "z", "-", ".", "\u00e9", "\0"])
def test_a_character_that_is_no_digit_is_refused(tmp_path, files, name, character):
    lines = files.lines[name]
    for at in (0, -1):
        whole = lines[at]
        lines[at] = character + whole[1:]
        files.write(tmp_path)
        text = refusal(files, tmp_path)
        of_counters = name == "counters.hex" and character.isascii()
        expected = "counters: a value is not defined" if of_counters else f"{name}: cannot be read"
        assert text.startswith(expected)
        lines[at] = whole


def test_a_hung_accelerator_is_told(tmp_path, files):
    files.lines["status.txt"] = ["1 41 999 0"]
    files.lines["results.hex"] = []
    files.write(tmp_path)
    assert refusal(files, tmp_path) == "the accelerator hung: no result for a long time"


@pytest.mark.parametrize("status", [[], ["0 41"], ["0 41 999"], ["0"]])
def test_a_run_that_ended_early_is_told(tmp_path, files, status):
    files.lines["status.txt"] = status
    files.write(tmp_path)
    assert refusal(files, tmp_path) == "the simulation ended before the last image"


@pytest.mark.parametrize("count", [0, 44, 46])
def test_the_wrong_number_of_counters_is_refused(tmp_path, files, count):
    files.lines["counters.hex"] = ["0"] * count
    files.write(tmp_path)
    assert refusal(files, tmp_path) == f"counters: {count} captured"


def test_a_capture_without_a_bit_has_empty_tables(tmp_path):
    files = Files(mode=Mode.EXACT)
    assert files.lines["drawn.hex"] == []
    files.write(tmp_path)
    found = files.read(tmp_path)
    assert {name: len(values) for name, values in found.drawn.items()} == {"layer": 0, "keep": 0}
    assert found.device_writes == 0
