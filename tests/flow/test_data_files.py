# SPDX-License-Identifier: Apache-2.0
"""A user's own images: read exactly, or refused in one line."""

import errno
import os
import zipfile
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from networks import GRAPHS, random_graph_network, random_network
from scaledrop.data import load_digits, tiles
from scaledrop.errors import UserError
from scaledrop_flow.data import foreign_images, images_for, shifted

NETWORK = random_network(1, (6, 3), input_bits=2)
IMAGES = np.arange(30).reshape(5, 6) % 4
LABELS = np.array([0, 1, 2, 1, 0])
UNREADABLE = "is no npz file of plain arrays (Python objects are not read); save it with np.savez"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.npz"


def refusal(path, count=0, network=NETWORK):
    with pytest.raises(UserError) as caught:
        images_for(network, count, path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_first_images_are_taken(path, dtype, count):
    np.savez(path, images=IMAGES.astype(dtype), labels=LABELS.astype(dtype))
    found = images_for(NETWORK, count, path)
    assert found.pixels.tolist() == IMAGES[: count or 5].tolist()
    assert found.labels.tolist() == LABELS[: count or 5].tolist()
    assert (found.pixels.dtype, found.labels.dtype) == (np.int64, np.int64)
    assert found.name == "mine.npz"


def test_compressed_files_and_other_arrays_are_fine(path):
    np.savez_compressed(path, images=IMAGES, labels=LABELS, note=np.array("mine"))
    assert images_for(NETWORK, 0, path).labels.tolist() == LABELS.tolist()


def test_without_a_file_the_held_out_digits_are_taken():
    digits = load_digits()
    size = digits.test_images[0].size
    network = replace(random_network(1, (size, 10)), input_shape=digits.test_images[0].shape)
    found = images_for(network, 7)
    assert np.array_equal(found.pixels, digits.test_images[:7].reshape(7, size))
    assert np.array_equal(found.labels, digits.test_labels[:7])
    assert found.name == "digits, held-out part"


@pytest.mark.parametrize(("pixels", "bits"), [(6, 2), (6, 8), (64, 2), (64, 7), (64, 9)])
def test_the_digits_are_refused_where_they_do_not_fit(pixels, bits):
    assert refusal(None, network=random_network(1, (pixels, 10), input_bits=bits)) == (
        f"images: digits has 64 pixels of 8 bits but the network takes {pixels} of {bits}; "
        "give such images with --data FILE.npz"
    )


@pytest.mark.parametrize("count", [6, 10**9, -1])
def test_more_than_there_are_is_refused(path, count):
    np.savez(path, images=IMAGES, labels=LABELS)
    assert refusal(path, count) == f"images: mine.npz has 5, not {count}; 0 takes all"


@pytest.mark.parametrize(
    ("images", "text"),
    [
        (IMAGES[:, :5], "shape must be (N, 6), not (5, 5)"),
        (IMAGES.ravel(), "shape must be (N, 6), not (30,)"),
        (np.array(3), "shape must be (N, 6), not ()"),
        (IMAGES.reshape(5, 2, 3), "shape must be (N, 6), not (5, 2, 3)"),
        (IMAGES / 4, "must be integers of 2 bits, not float64"),
        (IMAGES > 1, "must be integers of 2 bits, not bool"),
        (IMAGES.astype("U1"), "must be integers of 2 bits, not <U1"),
        (IMAGES + 1, "pixels must be 0 to 3, not 4"),
        (IMAGES * 0 - 1, "pixels must be 0 to 3, not -1"),
    ],
)
def test_wrong_images_are_refused(path, images, text):
    np.savez(path, images=images, labels=LABELS)
    assert refusal(path) == f"{path}: images: {text}"


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (LABELS[:4], "labels must be (5,) integers, not (4,)"),
        (LABELS[:, None], "labels must be (5,) integers, not (5, 1)"),
        (LABELS + 1, "labels must be 0 to 2, not 3"),
        (LABELS * 0 - 1, "labels must be 0 to 2, not -1"),
    ],
)
def test_wrong_labels_are_refused(path, labels, text):
    np.savez(path, images=IMAGES, labels=labels)
    assert refusal(path) == f"{path}: {text}"


@pytest.mark.parametrize("labels", [LABELS / 2, LABELS > 0, LABELS.astype("U1")])
def test_labels_that_are_no_integers_are_refused(path, labels):
    np.savez(path, images=IMAGES, labels=labels)
    assert refusal(path).startswith(f"{path}: labels must be (5,) integers, not ")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"images": IMAGES}, "labels"),
        ({"labels": LABELS}, "images"),
        ({"x": LABELS}, "images"),
        ({}, "images"),
    ],
)
def test_a_missing_array_is_refused(path, given, name):
    np.savez(path, **given)
    assert refusal(path) == f"{path}: has no array {name!r}; give an npz with it"


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("name", ["images", "labels"])
def test_a_pickled_array_is_refused_and_never_loaded(path, name):
    mark = str(path) + ".mark"
    trap = np.array([Trap(mark)], dtype=object)
    np.savez(path, **{"images": IMAGES, "labels": LABELS, name: trap})
    assert refusal(path) == f"{path}: {UNREADABLE}"
    assert not os.path.exists(mark)


def test_every_truncated_file_is_refused(path):
    np.savez(path, images=IMAGES.astype(np.uint8), labels=LABELS.astype(np.uint8))
    data = path.read_bytes()
    for length in range(1, len(data)):
        path.write_bytes(data[:length])
        assert refusal(path) == f"{path}: {UNREADABLE}"


def test_a_file_of_something_else_is_refused(path):
    for data in (b"images,labels\n1,2\n", b"\x80\x04N.", bytes(100), b"PK\x03\x04"):
        path.write_bytes(data)
        assert refusal(path) == f"{path}: {UNREADABLE}"


def test_members_that_are_no_arrays_are_refused(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00")
        archive.writestr("labels.npy", b"\x93NUMPY\x01\x00")
    assert refusal(path) == f"{path}: {UNREADABLE}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images", b"1 2 3")
        archive.writestr("labels", b"0")
    assert refusal(path) == f"{path}: {UNREADABLE}"


@pytest.mark.parametrize(("name", "code"), [("none.npz", errno.ENOENT)])
def test_a_file_that_cannot_be_opened_is_named(tmp_path, name, code):
    path = tmp_path / name
    assert refusal(path) == f"{path}: cannot be read ({os.strerror(code)}); give an npz file"


@pytest.mark.parametrize("labels", [[-1, 1], [-1, 3]])
def test_negative_label_is_named(path, labels):
    np.savez(path, images=np.zeros((2, 6), int), labels=np.array(labels))
    assert refusal(path) == f"{path}: labels must be 0 to 2, not -1"


def test_npy_file_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(3))
    assert refusal(path) == f"{path}: {UNREADABLE}"


def test_empty_file_is_refused(path):
    path.touch()
    assert refusal(path) == f"{path}: {UNREADABLE}"


def test_npz_of_no_images_is_refused(path):
    np.savez(path, images=np.zeros((0, 6), int), labels=np.zeros(0, int))
    assert refusal(path) == f"{path}: images is empty; at least one is needed"


def test_every_flipped_byte_of_a_compressed_npz_is_read_or_refused(tmp_path):
    path = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 4, (50, 6))
    np.savez_compressed(path, images=images, labels=np.zeros(50, int))
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
        with suppress(UserError):
            images_for(NETWORK, 0, path)


def test_digits_for_a_flat_network():
    assert images_for(random_network(1, (64, 10)), 3).pixels.shape == (3, 64)


@pytest.fixture(scope="module")
def unet():
    shape, nodes = GRAPHS["unet"]
    return random_graph_network(1, shape, nodes)


@pytest.mark.parametrize(("height", "width"), [(24, 24), (12, 24), (30, 17)])
def test_maps_larger_than_the_network_are_cut(path, unet, height, width):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, height, width), dtype=np.uint8)
    labels = rng.integers(0, 3, images.shape)
    expected, masks = tiles(images, labels, 12, 12)
    parts = {f"{part}_{what}": values for part in ("train", "test")
             for what, values in (("images", images), ("labels", labels))}  # fmt: skip
    for arrays, name in (
        ({"images": images, "labels": labels}, "mine.npz"),
        (parts, "mine, held-out part in tiles"),
    ):
        np.savez(path, **arrays)
        found = images_for(unet, 0, path)
        assert np.array_equal(found.pixels, expected.reshape(len(expected), 144))
        assert np.array_equal(found.labels, masks)
        assert found.name == name


def test_maps_of_another_size_are_refused(path, unet):
    images = np.zeros((2, 8, 30), np.uint8)
    maps = {"images": images, "labels": images}
    np.savez(path, **{f"{part}_{k}": v for part in ("train", "test") for k, v in maps.items()})
    assert refusal(path, network=unet) == (
        "images: mine has 240 pixels of 8 bits but the network takes 144 of 8; give such images "
        "with --data FILE.npz"
    )


def test_foreign_maps_are_cut_too(path, unet):
    images = np.random.default_rng(0).integers(0, 256, (2, 24, 24), dtype=np.uint8)
    np.savez(path, images=images, labels=images % 3)
    known = images_for(unet, 0, path)
    found = foreign_images(unet, known, str(path), None, 0)
    assert found.pixels.shape == (4, 144) and found.labels.shape == (4, 12, 12)


@pytest.mark.parametrize(
    ("shift", "message"),
    [
        ("rotate", "shift: 'rotate' has no amount; write rotate:30 or gaussian_noise:3"),
        ("rotate:x", "shift: 'rotate:x' has no amount; write rotate:30 or gaussian_noise:3"),
        ("snow:", "shift: 'snow:' has no amount; write rotate:30 or gaussian_noise:3"),
        ("rotate:nan", "degrees: must be a finite angle, not nan; give one of 0 to 360"),
        ("gaussian_noise:9", "severity: must be 1 to 5, not 9; 1 is mild"),
        ("nosuch:3", "kind: no corruption is called 'nosuch'; choose gaussian_noise, "),
    ],
)
def test_a_wrong_shift_says_what_is_wrong(shift, message):
    network = replace(random_network(1, (64, 10)), input_shape=(8, 8))
    with pytest.raises(UserError) as caught:
        shifted(network, images_for(network, 2), shift, 0)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("bits", [4, 9])
def test_a_shift_is_for_pixels_of_8_bits(path, bits):
    network = replace(random_network(1, (64, 10), input_bits=bits), input_shape=(8, 8))
    np.savez(path, images=np.zeros((2, 64), int), labels=np.zeros(2, int))
    with pytest.raises(UserError) as caught:
        shifted(network, images_for(network, 0, path), "rotate:30", 0)
    assert str(caught.value) == (
        f"shift: 'rotate:30' is for pixels of 8 bits but the network takes {bits}; leave it out"
    )
