# SPDX-License-Identifier: Apache-2.0
"""The frozen file: what goes in comes out, and no changed bit is ever accepted."""

import base64
import errno
import hashlib
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import random_network
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer
from scaledrop.frozen_file import FORMAT_VERSION, decode, digest, encode, load, save

PROVENANCE = {"data": "digits", "config": {"seed": 3, "p": [0.1, 0.2], "name": "é"}}
NETWORK = replace(random_network(4, (17, 11, 6, 3), input_bits=5), provenance=PROVENANCE)
DATA = encode(NETWORK)
HIDDEN, HEAD = "layers[0]", "layers[2]"
NETWORK_FIELDS = {
    "name": str,
    "input_shape": list,
    "input_bits": int,
    "scale_bits": int,
    "scale_frac_bits": int,
    "layers": list,
    "provenance": dict,
}
LAYER_FIELDS = {
    "kind": str,
    "name": str,
    "in_features": int,
    "out_features": int,
    "coding": str,
    "planes": int,
    "weights": str,
    "scale": list,
    "drop_code": int,
}
HEAD_FIELDS = {"gain": list, "offset": list, "gain_bits": int, "gain_frac_bits": int}
FIELDS = [
    *((name, kind) for name, kind in NETWORK_FIELDS.items()),
    *((f"{HIDDEN}.{name}", kind) for name, kind in {**LAYER_FIELDS, "flip": list}.items()),
    *((f"{HEAD}.{name}", kind) for name, kind in {**LAYER_FIELDS, **HEAD_FIELDS}.items()),
]
OBJECTS = ["file", HIDDEN, HEAD]


def refusal(data):
    with pytest.raises(UserError) as caught:
        decode(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def sealed(body):
    """A file of these body bytes with a digest that fits them."""
    return f"SCALEDROP-FROZEN 1 {hashlib.sha256(body).hexdigest()}\n".encode() + body


def place(body, field):
    """The object that holds a field, and its key."""
    where, _, key = field.rpartition(".")
    return (body["layers"][int(where[7:-1])] if where else body), key


def rewritten(field, *value):
    """The file with one field set, or removed when no value is given."""
    body = json.loads(DATA.split(b"\n", 1)[1])
    holder, key = place(body, field)
    if value:
        holder[key] = value[0]
    else:
        del holder[key]
    return sealed(json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n")


def plain(value):
    """Fields of a dataclass as plain values, all the way down."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple) and value and isinstance(value[0], FrozenLayer):
        return [plain(layer) for layer in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(0, 99), st.lists(st.integers(1, 20), min_size=2, max_size=4), st.integers(1, 16))
def test_every_field_comes_back(seed, sizes, input_bits):
    network = random_network(seed, sizes, input_bits)
    again = decode(encode(network))
    assert plain(again) == plain(network)
    assert encode(again) == encode(network) and digest(again) == digest(network)


def test_provenance_and_shape_come_back():
    network = replace(NETWORK, input_shape=(1, 17))
    again = decode(encode(network))
    assert again.provenance == PROVENANCE and again.input_shape == (1, 17)


def test_equal_networks_give_equal_bytes_and_others_do_not():
    turned = dict(reversed(PROVENANCE.items()))
    assert encode(replace(NETWORK, provenance=turned)) == DATA
    assert digest(replace(NETWORK, name="other")) != digest(NETWORK)
    assert digest(replace(NETWORK, provenance={})) != digest(NETWORK)


def test_the_first_line_holds_the_digest_of_the_rest():
    head, body = DATA.split(b"\n", 1)
    assert head == f"SCALEDROP-FROZEN {FORMAT_VERSION} {digest(NETWORK)}".encode()
    assert hashlib.sha256(body).hexdigest() == digest(NETWORK)
    assert DATA.isascii() and body.endswith(b"}\n")


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_the_digest_does_not_depend_on_the_hash_seed(hash_seed):
    program = (
        "from dataclasses import replace; from networks import random_network;"
        "from scaledrop.frozen_file import digest;"
        "n = random_network(4, (17, 11, 6, 3), input_bits=5);"
        f"print(digest(replace(n, provenance={PROVENANCE!r})))"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(NETWORK)


def test_every_flipped_bit_is_refused():
    assert 900 < len(DATA) < 1500
    for position in range(8 * len(DATA)):
        changed = bytearray(DATA)
        changed[position // 8] ^= 1 << position % 8
        refusal(bytes(changed))


def test_every_truncation_and_every_addition_is_refused():
    for length in range(len(DATA)):
        refusal(DATA[:length])
    for more in (b"\n", b" ", b"x", DATA):
        assert "sha256: does not match" in refusal(DATA + more)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "header: not a frozen network (the first line must start with SCALEDROP-FROZEN)"),
        (
            DATA.replace(b"FROZEN 1 ", b"FROZEN 2 "),
            "version: 2 is unknown; this program reads version 1",
        ),
        (
            DATA.replace(b"FROZEN 1 ", b"FROZEN \xff "),
            "version: \ufffd is unknown; this program reads version 1",
        ),
        (
            DATA.replace(b"digits", b"Digits"),
            "sha256: does not match; the file was changed or cut short, freeze again",
        ),
        (
            sealed(b"{"),
            "body: is not a JSON object (Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)); freeze the network again",
        ),
        (sealed(b"7\n"), "file: must be an object, not int"),
        (sealed(b'[["name","a"]]\n'), "file: must be an object, not list"),
        (
            sealed(b"\xff{}\n"),
            "body: is not a JSON object ('utf-8' codec can't decode byte 0xff in position 0: "
            "invalid start byte); freeze the network again",
        ),
    ],
)
def test_a_wrong_frame_is_told(data, text):
    assert refusal(data) == text


@pytest.mark.parametrize(("field", "kind"), FIELDS, ids=[field for field, _ in FIELDS])
def test_a_missing_or_mistyped_field_is_named(field, kind):
    assert refusal(rewritten(field)) == f"{field}: is missing; freeze the network again"
    for value in ({}, [], "x", 3, 1.0, True, None):
        if type(value) is not kind:
            expected = f"{field}: must be {kind.__name__}, not {type(value).__name__}"
            assert refusal(rewritten(field, value)) == expected


@pytest.mark.parametrize("where", OBJECTS)
def test_an_unknown_field_is_named(where):
    field = "later" if where == "file" else f"{where}.later"
    assert refusal(rewritten(field, 1)) == f"{where}: unknown field 'later'; is the file newer?"


def test_a_layer_has_either_thresholds_or_a_head():
    assert refusal(rewritten(f"{HIDDEN}.gain", [1])) == (
        f"{HIDDEN}: unknown field 'gain'; is the file newer?"
    )


@pytest.mark.parametrize("value", [True, 1.0, "1", None, [1], 2**62])
@pytest.mark.parametrize(
    "field", ["layers[0].scale", "layers[1].threshold", "layers[0].flip", "layers[2].offset"]
)
def test_lists_hold_integers_only(field, value):
    holder, key = place(json.loads(DATA.split(b"\n", 1)[1]), field)
    values = [*holder[key][:-1], value]
    assert refusal(rewritten(field, values)) == f"{field}: must be a list of integers"


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("layers[0]", 3, None),
        (
            "layers[1].kind",
            "gru",
            "'gru' is not known to this version; it knows dense, conv, add, concat, layer, "
            "maxpool, quantise, subsample, sumpool, upsample",
        ),
        ("layers[1].coding", "gray", "must be unsigned or bipolar, not 'gray'"),
        ("layers[1].in_features", 0, "must be 1 to 1048576, not 0"),
        ("layers[1].out_features", 2**20 + 1, "must be 1 to 1048576, not 1048577"),
        ("layers[1].out_features", -6, "must be 1 to 1048576, not -6"),
        ("layers[1].drop_code", 2**16, "must be 0 to 65535, not 65536"),
        ("layers[1].scale", [1], "shape must be (6,), not (1,); freeze the network again"),
        ("layers[2].gain_bits", 99, "must be 2 to 24, not 99"),
        ("layers[1].planes", 10**400, f"must be 1 bipolar, not {10**400} bipolar"),
    ],
)
def test_a_wrong_value_is_named(field, value, text):
    if text is None:
        data = rewritten("layers", [value])
        assert refusal(data) == "layers[0]: must be an object, not int"
    else:
        expected = f"{field}: {text}"
        assert refusal(rewritten(field, value)) == expected


def packed(layer=0):
    body = json.loads(DATA.split(b"\n", 1)[1])
    return bytearray(base64.b64decode(body["layers"][layer]["weights"]))


@pytest.mark.parametrize("text", ["!!!!", "AAA", "A=AA", "é", "\ud800", "AA AA", "AAAA\n"])
def test_garbage_instead_of_base64_is_named(text):
    assert refusal(rewritten(f"{HIDDEN}.weights", text)) == (
        f"{HIDDEN}.weights: is not base64; freeze the network again"
    )


@pytest.mark.parametrize("length", [0, 32, 34, 66])
def test_too_few_or_too_many_weights_are_refused(length):
    text = base64.b64encode(bytes(length)).decode()
    assert refusal(rewritten(f"{HIDDEN}.weights", text)) == (
        f"{HIDDEN}.weights: holds {length} bytes, 33 expected"
    )


def test_every_set_padding_bit_is_refused():
    for row in range(11):
        for bit in range(7):
            data = packed()
            data[3 * row + 2] |= 1 << bit
            text = base64.b64encode(data).decode()
            assert refusal(rewritten(f"{HIDDEN}.weights", text)) == (
                f"{HIDDEN}.weights: a padding bit is set; freeze the network again"
            )


def test_huge_sizes_are_refused_without_memory():
    body = json.loads(DATA.split(b"\n", 1)[1])
    body["layers"][0].update(in_features=2**20, out_features=2**20)
    data = sealed(json.dumps(body).encode())
    tracemalloc.start()
    try:
        text = refusal(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert text == f"{HIDDEN}.weights: holds 33 bytes, {2**37} expected"
    assert peak < 100 * len(data)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_never_run(tmp_path):
    trap, mark = tmp_path / "trap.sdnet", tmp_path / "mark"
    for data in (pickle.dumps(Trap(mark)), sealed(pickle.dumps(Trap(mark)))):
        trap.write_bytes(data)
        with pytest.raises(UserError):
            load(trap)
    assert not mark.exists()


def test_save_and_load(tmp_path):
    path = tmp_path / "new" / "a.sdnet"
    assert save(NETWORK, path) == digest(NETWORK)
    assert path.read_bytes() == DATA and plain(load(path)) == plain(NETWORK)
    assert save(replace(NETWORK, name="b"), path) != digest(NETWORK)
    assert load(path).name == "b" and os.listdir(path.parent) == ["a.sdnet"]


@pytest.mark.parametrize(("name", "code"), [("none", errno.ENOENT), (".", errno.EISDIR)])
def test_an_unreadable_file_is_named(tmp_path, name, code):
    path = tmp_path / name
    with pytest.raises(UserError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: cannot be read ({os.strerror(code)}); freeze first"


def test_a_refused_file_is_named(tmp_path):
    path = tmp_path / "bad.sdnet"
    path.write_bytes(rewritten("name"))
    with pytest.raises(UserError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: name: is missing; freeze the network again"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("folder", errno.EISDIR),
        ("file/a.sdnet", errno.EEXIST),
        ("file/below/a.sdnet", errno.ENOTDIR),
    ],
)
def test_an_unwritable_path_is_named(tmp_path, name, code):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / name
    with pytest.raises(UserError) as caught:
        save(NETWORK, path)
    expected = f"{path}: cannot be written ({os.strerror(code)}); choose another path"
    assert str(caught.value) == expected
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def half_a_write(path, data):
    with path.open("wb") as file:
        file.write(data[: len(data) // 2])
    full_disk()


@pytest.mark.parametrize(
    ("owner", "name", "failing"), [(os, "replace", full_disk), (Path, "write_bytes", half_a_write)]
)
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, owner, name, failing):
    path = tmp_path / "a.sdnet"
    save(NETWORK, path)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failing)
        with pytest.raises(UserError) as caught:
            save(replace(NETWORK, name="b"), path)
    reason = os.strerror(errno.ENOSPC)
    assert str(caught.value) == f"{path}: cannot be written ({reason}); choose another path"
    assert path.read_bytes() == DATA and os.listdir(tmp_path) == ["a.sdnet"]


SMALL = random_network(1, (6, 4, 3), input_bits=2)
BODY = json.loads(encode(SMALL).split(b"\n", 1)[1])


def canonical(body):
    return sealed(json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n")


NOT_CANONICAL = "body: is not in canonical form; freeze the network again"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (json.dumps(BODY, indent=1).encode(), NOT_CANONICAL),
        (json.dumps(BODY, sort_keys=True, separators=(",", ":")).encode(), NOT_CANONICAL),
        (
            b'{"name":"x",'
            + json.dumps(BODY, sort_keys=True, separators=(",", ":")).encode()[1:]
            + b"\n",
            NOT_CANONICAL,
        ),
        (
            json.dumps([[k, v] for k, v in BODY.items()]).encode(),
            "file: must be an object, not list",
        ),
        (
            json.dumps(BODY).encode("utf-16-le"),
            "body: is not a JSON object (Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)); freeze the network again",
        ),
    ],
    ids=["spaces", "no final newline", "duplicate key", "pairs", "utf-16"],
)
def test_a_body_that_is_not_canonical_is_refused(body, text):
    """Else the digest in the file is not the digest of the network."""
    assert refusal(sealed(body)) == text


def test_loose_base64_is_refused():
    body = json.loads(json.dumps(BODY))
    text = body["layers"][0]["weights"]
    assert text.endswith("==")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body["layers"][0]["weights"] = text[:-3] + last[last.index(text[-3]) + 1] + "=="
    assert refusal(canonical(body)) == NOT_CANONICAL


def test_deep_nesting_is_refused():
    assert refusal(sealed(b"[" * 100_000)).startswith(
        "body: is not a JSON object (maximum recursion depth exceeded"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_in_provenance_is_refused(value):
    assert refusal(canonical({**BODY, "provenance": {"x": value}})).startswith(
        "provenance: must be plain JSON values ("
    )


@pytest.mark.parametrize("value", [float("nan"), Path("a")])
def test_encode_of_what_is_no_json_is_a_user_error(value):
    with pytest.raises(UserError, match=r"^provenance: must be plain JSON values \(.+\)$"):
        encode(replace(NETWORK, provenance={"x": value}))


def test_missing_threshold_is_named():
    body = json.loads(json.dumps(BODY))
    del body["layers"][0]["threshold"]
    assert refusal(canonical(body)) == f"{HIDDEN}.threshold: is missing; freeze the network again"


def test_the_longest_file_name_can_be_written(tmp_path):
    path = tmp_path / ("x" * 255)
    save(NETWORK, path)
    assert path.read_bytes() == DATA and os.listdir(tmp_path) == [path.name]


def test_a_file_name_that_is_too_long_is_told(tmp_path):
    path = tmp_path / ("x" * 256)
    with pytest.raises(UserError) as caught:
        save(NETWORK, path)
    reason = os.strerror(errno.ENAMETOOLONG)
    assert str(caught.value) == f"{path}: cannot be written ({reason}); choose another path"
    assert os.listdir(tmp_path) == []


def test_a_path_without_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^\.: cannot be written \(.+\); choose another path$"):
        save(NETWORK, Path("."))
    assert os.listdir(tmp_path) == []
