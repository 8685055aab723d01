# SPDX-License-Identifier: Apache-2.0
"""The monitor reads back what the shell captured and refuses what is not whole or in order."""

import errno
import os

import numpy as np
import pytest
from amaranth.hdl import Fragment

from networks import random_images, random_network
from scaledrop.engine import infer
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_cosim.monitor import CaptureError, read_capture
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.export import sidecar

IMAGES, PASSES, WRITES = 2, 3, 41
HEX_FILES = ["masks.hex", "hidden.hex", "logits.hex", "results.hex"]
FILES = [*HEX_FILES, "counters.hex", "status.txt"]
NETWORKS = [((9, 6, 5, 3), (4, 4, 0)), ((5, 7, 2), (4, 6, 2)), ((4, 3), (4, 4, 0))]


def sidecar_of(mapping):
    accelerator = Accelerator(mapping=mapping, max_passes=PASSES)
    Fragment.get(accelerator, None)
    return sidecar(accelerator, "scaledrop", "")


def line(port, **values):
    """A payload as the shell writes it: hexadecimal, whole bytes, every field given."""
    word = 0
    for field in port["fields"]:
        value = int(values.pop(field["name"])) % (1 << field["width"])
        word |= value << field["offset"]
    assert not values
    return f"{word:0{2 * -(-port['width'] // 8)}x}"


class Capture:
    """The files of a faultless run, as lists of lines that a test may spoil."""

    def __init__(self, sizes, array, passes=PASSES):
        self.passes = passes
        network = random_network(6, sizes, input_bits=2)
        self.mapping = NetworkMapping(network, ArrayShape(*array))
        self.sidecar = sidecar_of(self.mapping)
        self.ports = {port["name"]: port for port in self.sidecar["ports"]}
        masks = np.random.default_rng(2).integers(0, 2, (IMAGES, passes, len(network.layers)))
        self.record = infer(network, random_images(3, network, IMAGES), masks)
        count = len(network.layers) * len(self.sidecar["counters"])
        self.lines = {
            "masks.hex": self.masks(),
            "hidden.hex": self.hidden(),
            "logits.hex": self.logits(),
            "results.hex": self.results(),
            "counters.hex": [f"{7 * at + 2**40:012x}" for at in range(count)],
            "status.txt": [f"0 {WRITES} 999"],
        }

    def masks(self):
        port, masks = self.ports["trace__mask"], self.record.masks
        return [line(port, layer=at[2], keep=masks[at]) for at in np.ndindex(masks.shape)]

    def hidden(self):
        port = self.ports["trace__hidden"]
        lines = []
        for image, index in np.ndindex(IMAGES, self.passes):
            for at, bits in enumerate(self.record.hidden):
                for beat, lanes in enumerate(self.beats(at, bits[image, index])):
                    lines.append(line(port, layer=at, beat=beat, bits=lanes))
        return lines

    def beats(self, at, bits):
        """Words of lanes, lane 0 lowest; unused lanes hold 1 so that taking them would show."""
        for lanes in self.mapping.layers[at].by_beat(bits, 1).tolist():
            yield sum(bit << lane for lane, bit in enumerate(lanes))

    def logits(self):
        port, logits = self.ports["trace__logit"], self.record.logits
        return [
            line(
                port,
                label=label,
                value=logits[image, index, label],
                first_pass=index == 0,
                last_pass=index == self.passes - 1,
                last=label == logits.shape[2] - 1,
            )
            for image, index, label in np.ndindex(logits.shape)
        ]

    def results(self):
        port, record = self.ports["results__payload"], self.record
        last = record.sums.shape[1] - 1
        return [
            line(
                port,
                label=at[1],
                sum=record.sums[at],
                votes=record.votes[at],
                last=at[1] == last,
            )
            for at in np.ndindex(record.sums.shape)
        ]

    def flip(self, name, port, field, at):
        """Turn a flag of one line over; returns what it was."""
        (offset,) = (one["offset"] for one in self.ports[port]["fields"] if one["name"] == field)
        lines = self.lines[name]
        word = int(lines[at], 16)
        lines[at] = f"{word ^ 1 << offset:0{len(lines[at])}x}"
        return word >> offset & 1

    def write(self, folder):
        for name, lines in self.lines.items():
            (folder / name).write_text("".join(f"{text}\n" for text in lines))

    def read(self, folder):
        self.write(folder)
        return self.read_written(folder)

    def read_written(self, folder):
        return read_capture(folder, self.sidecar, self.mapping, IMAGES, self.passes)


@pytest.fixture
def capture():
    return Capture(*NETWORKS[0])


def refusal(capture, folder):
    capture.write(folder)
    return refusal_of_written(capture, folder)


def refusal_of_written(capture, folder):
    with pytest.raises(CaptureError) as caught:
        capture.read_written(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("passes", [1, 2, PASSES])
@pytest.mark.parametrize(("sizes", "array"), NETWORKS)
def test_a_capture_comes_back_exactly(tmp_path, sizes, array, passes):
    capture = Capture(sizes, array, passes)
    found, expected = capture.read(tmp_path), capture.record
    for name in ("masks", "logits", "sums", "votes"):
        assert np.array_equal(getattr(found.record, name), getattr(expected, name)), name
    for one, other in zip(found.record.hidden, expected.hidden, strict=True):
        assert np.array_equal(one, other)
    assert (expected.logits < 0).any() and (expected.sums < 0).any()
    assert found.device_writes == WRITES


def test_counters_go_to_their_event_and_layer(tmp_path, capture):
    counters = capture.read(tmp_path).counters
    events, layers = capture.sidecar["counters"], ["dense1", "dense2", "dense3"]
    assert list(counters) == layers
    for number, event in enumerate(events):
        values = [counters[name][event] for name in layers]
        assert values == [7 * (3 * number + at) + 2**40 for at in range(3)]


@pytest.mark.parametrize(
    ("name", "what", "count"),
    [
        ("masks.hex", "mask bits", 18),
        ("hidden.hex", "hidden layers", 24),
        ("logits.hex", "logits", 18),
        ("results.hex", "results", 6),
    ],
)
def test_missing_and_extra_lines_are_refused(tmp_path, capture, name, what, count):
    lines = capture.lines[name]
    for changed in (lines[:-1], lines[1:], [*lines, lines[0]], []):
        capture.lines[name] = changed
        expected = f"{what}: {len(changed)} captured, {count} expected"
        assert refusal(capture, tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "pair", "text"),
    [
        ("masks.hex", (0, 1), "mask bits: record 0 is of 1, expected 0"),
        ("masks.hex", (4, 5), "mask bits: record 4 is of 2, expected 1"),
        ("hidden.hex", (1, 2), "hidden layers: record 1 is of 1, expected 0"),
        ("hidden.hex", (4, 5), "hidden beats: record 4 is of 1, expected 0"),
        ("hidden.hex", (22, 23), "hidden beats: record 22 is of 1, expected 0"),
        ("logits.hex", (3, 5), "logits: record 3 is of 2, expected 0"),
        ("logits.hex", (0, 3), "first-pass flags: record 0 is of 0, expected 1"),
        ("logits.hex", (3, 6), "last-pass flags: record 3 is of 1, expected 0"),
        ("results.hex", (1, 2), "results: record 1 is of 2, expected 1"),
    ],
)
def test_records_out_of_order_are_refused(tmp_path, capture, name, pair, text):
    lines = capture.lines[name]
    lines[pair[0]], lines[pair[1]] = lines[pair[1]], lines[pair[0]]
    assert refusal(capture, tmp_path) == text


@pytest.mark.parametrize("passes", [1, PASSES])
@pytest.mark.parametrize(
    ("name", "port", "field", "what"),
    [
        ("logits.hex", "trace__logit", "last", "last flags of logits"),
        ("logits.hex", "trace__logit", "first_pass", "first-pass flags"),
        ("logits.hex", "trace__logit", "last_pass", "last-pass flags"),
        ("results.hex", "results__payload", "last", "last flags of results"),
    ],
)
def test_every_wrong_flag_is_refused(tmp_path, name, port, field, what, passes):
    capture = Capture(*NETWORKS[0], passes)
    good = []
    for at in range(len(capture.lines[name])):
        good.append(capture.flip(name, port, field, at))
        expected = f"{what}: record {at} is of {1 - good[at]}, expected {good[at]}"
        assert refusal(capture, tmp_path) == expected
        capture.flip(name, port, field, at)
    ones = {"last": len(good) // 3, "first_pass": 3 * IMAGES, "last_pass": 3 * IMAGES}
    assert sum(good) == ones[field]
    capture.read(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(tmp_path, capture, name):
    capture.write(tmp_path)
    path = tmp_path / name
    path.unlink()
    reason = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    expected = f"the capture cannot be read: {reason}"
    assert refusal_of_written(capture, tmp_path) == expected


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file_is_refused(tmp_path, capture, name):
    capture.write(tmp_path)
    path = tmp_path / name
    path.unlink()
    path.mkdir()
    reason = IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    expected = f"the capture cannot be read: {reason}"
    assert refusal_of_written(capture, tmp_path) == expected


def test_there_is_no_capture_in_an_empty_folder(tmp_path, capture):
    text = refusal_of_written(capture, tmp_path)
    assert text.startswith("the capture cannot be read: ") and "status.txt" in text


@pytest.mark.parametrize("name", [*HEX_FILES, "counters.hex"])
def test_every_part_of_a_last_line_is_refused(tmp_path, capture, name):
    lines = capture.lines[name]
    whole = lines[-1]
    for length in range(1, len(whole)):
        lines[-1] = whole[:length]
        assert refusal(capture, tmp_path).startswith("the capture cannot be read: ")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("character", ["g", "x", "z", "-", ".", "\u00e9", "\0"])
def test_a_character_that_is_not_hexadecimal_is_refused(tmp_path, capture, name, character):
    lines = capture.lines[name]
    for at in (0, -1):
        whole = lines[at]
        lines[at] = whole[:1] + character + whole[2:]
        if name == "status.txt":
            lines[at] = character + whole[1:]
        assert refusal(capture, tmp_path).startswith("the capture cannot be read: ")
        lines[at] = whole


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_are_no_text_are_refused(tmp_path, capture, name):
    capture.write(tmp_path)
    path = tmp_path / name
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    assert refusal_of_written(capture, tmp_path).startswith("the capture cannot be read: ")


def test_a_hung_accelerator_is_told(tmp_path, capture):
    capture.lines["status.txt"] = [f"1 {WRITES} 999"]
    expected = "the accelerator hung: no result for a long time"
    assert refusal(capture, tmp_path) == expected
    capture.lines["results.hex"] = []
    assert refusal(capture, tmp_path) == expected


@pytest.mark.parametrize("status", [[], ["0 41"], ["0"]])
def test_a_run_that_ended_early_is_told(tmp_path, capture, status):
    capture.lines["status.txt"] = status
    assert refusal(capture, tmp_path) == "the simulation ended before the last image"


@pytest.mark.parametrize("count", [0, 44, 46])
def test_the_wrong_number_of_counters_is_refused(tmp_path, capture, count):
    capture.lines["counters.hex"] = ["0"] * count
    assert refusal(capture, tmp_path) == f"counters: {count} captured"
