# SPDX-License-Identifier: Apache-2.0
"""The shipped network and vectors: remade, reproduced by every back end, verified by retraining."""

import json
from pathlib import Path

import numpy as np
import pytest

from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.frozen_file import load, save
from scaledrop.mapping import ArrayShape
from scaledrop.sampling import Passes
from scaledrop.training import named_config, train
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.diff import first_difference
from scaledrop_cosim.simulation import build
from scaledrop_flow.data import images_for
from scaledrop_flow.steps.evaluate import evaluate
from scaledrop_flow.steps.generate import generate
from scaledrop_flow.steps.golden import read_vectors, write_vectors
from scaledrop_flow.steps.train import freeze_checkpoint

GOLDEN = Path(__file__).parent.parent / "golden"
LEFT_OUT = object()


@pytest.fixture(scope="module")
def network():
    return load(GOLDEN / "digits.sdnet")


def test_network_and_vectors_are_remade_byte_for_byte(network, tmp_path):
    save(network, tmp_path / "digits.sdnet")
    workload, _ = read_vectors(GOLDEN / "digits.json", network)
    write_vectors(workload, tmp_path / "digits.json")
    for name in ("digits.sdnet", "digits.json"):
        assert (tmp_path / name).read_bytes() == (GOLDEN / name).read_bytes()


def test_integer_model_reproduces_the_vectors(network):
    workload, expected = read_vectors(GOLDEN / "digits.json", network)
    found = infer(network, workload.images, expected.masks)
    assert first_difference(network, expected, found) is None
    assert np.array_equal(workload.masks, expected.masks)


def test_rtl_reproduces_the_vectors_and_the_whole_test_set(network, tmp_path, cache):
    made = generate(network, ArrayShape(), tmp_path / "rtl")
    simulation = build(made.verilog, cache)
    backend = RtlBackend(simulation, made.mapping, made.timing, tmp_path / "run")
    workload, expected = read_vectors(GOLDEN / "digits.json", network)
    assert first_difference(network, expected, backend.infer(workload).record) is None
    whole = Workload(network, images_for(network, 0).pixels, passes=20, seed=1)
    report = backend.verify(whole)
    assert report.ok, str(report)
    assert report.total_checked == 1_958_453
    for inference in (Inference(Mode.SHARED, 20), Inference(Mode.EXACT)):
        some = Workload(network, whole.images[:60], inference.passes, 1, inference=inference)
        report = backend.verify(some)
        assert report.ok, str(report)


def test_vectors_of_another_network_are_refused(network, tmp_path):
    path = tmp_path / "v.json"
    path.write_text(
        (GOLDEN / "digits.json").read_text().replace('"model_sha256": "', '"model_sha256": "0')
    )
    with pytest.raises(UserError, match="model_sha256 is of another network"):
        read_vectors(path, network)


def refusal_of_vectors(path, network, **changes):
    """What is said about the shipped vectors with some values changed, or LEFT_OUT."""
    values = {**json.loads((GOLDEN / "digits.json").read_text()), **changes}
    values = {key: value for key, value in values.items() if value is not LEFT_OUT}
    path.write_text(json.dumps(values))
    with pytest.raises(UserError) as caught:
        read_vectors(path, network)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("key", sorted(json.loads((GOLDEN / "digits.json").read_text())))
def test_vectors_that_miss_a_value_are_refused(network, tmp_path, key):
    path = tmp_path / "v.json"
    text = refusal_of_vectors(path, network, **{key: LEFT_OUT})
    other = {
        "format": "format must be 'scaledrop-golden-1'",
        "model_sha256": "model_sha256 is of another network",
    }
    what = other.get(key, f"a field is wrong ({key!r})")
    assert text == f"{path}: {what}; remake it with make golden"


def test_vectors_with_ragged_images_are_refused(network, tmp_path):
    path = tmp_path / "v.json"
    images = json.loads((GOLDEN / "digits.json").read_text())["images"]
    text = refusal_of_vectors(path, network, images=[*images[:-1], images[-1][:-1]])
    assert text.startswith(f"{path}: a field is wrong (")
    assert text.endswith("); remake it with make golden")


@pytest.mark.parametrize("key", ["passes", "seed"])
@pytest.mark.parametrize("value", ["4", None, [4], {}, 4.0, 4.5, True])
def test_vectors_with_passes_or_a_seed_that_are_no_integers_are_refused(
    network, tmp_path, key, value
):
    path = tmp_path / "v.json"
    text = refusal_of_vectors(path, network, **{key: value})
    assert text.startswith(f"{path}: a field is wrong (")
    assert text.endswith("); remake it with make golden")


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("passes", 0, "passes: must be 1 to 65535, not 0"),
        ("passes", 65536, "passes: must be 1 to 65535, not 65536"),
        ("seed", -1, "seed: must be 0 to 2147483647, not -1"),
        ("seed", 2**31, "seed: must be 0 to 2147483647, not 2147483648"),
    ],
)
def test_vectors_with_passes_or_a_seed_out_of_range_are_refused(
    network, tmp_path, key, value, text
):
    assert refusal_of_vectors(tmp_path / "v.json", network, **{key: value}).endswith(text)


def first_image_less(values):
    return values[1:]


def last_pass_less(values):
    return [image[:-1] for image in values]


def last_of_each_less(values):
    return [[row[:-1] for row in image] for image in values]


@pytest.mark.parametrize(
    ("key", "change", "found", "expected"),
    [
        ("masks", first_image_less, (7, 4, 3), (8, 4, 3)),
        ("masks", last_pass_less, (8, 3, 3), (8, 4, 3)),
        ("masks", last_of_each_less, (8, 4, 2), (8, 4, 3)),
        ("logits", first_image_less, (7, 4, 10), (8, 4, 10)),
        ("logits", last_pass_less, (8, 3, 10), (8, 4, 10)),
        ("logits", last_of_each_less, (8, 4, 9), (8, 4, 10)),
        ("sums", first_image_less, (7, 10), (8, 10)),
        ("sums", last_pass_less, (8, 9), (8, 10)),
        ("votes", first_image_less, (7, 10), (8, 10)),
        ("votes", last_pass_less, (8, 9), (8, 10)),
    ],
)
def test_vectors_of_a_wrong_shape_are_refused(network, tmp_path, key, change, found, expected):
    path = tmp_path / "v.json"
    values = json.loads((GOLDEN / "digits.json").read_text())[key]
    assert refusal_of_vectors(path, network, **{key: change(values)}) == (
        f"{path}: a field is wrong ({key} is {found}, not {expected}); remake it with make golden"
    )


@pytest.mark.parametrize("at", [0, 1])
def test_hidden_bits_of_a_wrong_shape_are_refused(network, tmp_path, at):
    path = tmp_path / "v.json"
    hidden = json.loads((GOLDEN / "digits.json").read_text())["hidden"]
    hidden[at] = first_image_less(hidden[at])
    layer = network.layers[at]
    assert refusal_of_vectors(path, network, hidden=hidden) == (
        f"{path}: a field is wrong (hidden {layer.name} is (7, 4, {layer.out_features}), "
        f"not (8, 4, {layer.out_features})); remake it with make golden"
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_number_of_hidden_layers_is_refused(network, tmp_path, count):
    path = tmp_path / "v.json"
    hidden = json.loads((GOLDEN / "digits.json").read_text())["hidden"]
    text = refusal_of_vectors(path, network, hidden=(2 * hidden)[:count])
    assert text.startswith(f"{path}: a field is wrong (")


@pytest.mark.parametrize("key", ["masks", "hidden", "logits", "sums", "votes"])
@pytest.mark.parametrize("value", [None, 7, "x", [], [[]], {}])
def test_vectors_with_something_else_for_a_result_are_refused(network, tmp_path, key, value):
    path = tmp_path / "v.json"
    text = refusal_of_vectors(path, network, **{key: value})
    assert text.startswith(f"{path}: a field is wrong (")
    assert text.endswith("); remake it with make golden")


@pytest.mark.parametrize(
    "value", ["x", "7", None, [7], 1.5, float("nan"), float("inf"), 2**63, 2**70]
)
@pytest.mark.parametrize("key", ["logits", "sums", "votes"])
def test_results_that_are_no_integers_are_refused(network, tmp_path, key, value):
    path = tmp_path / "v.json"
    values = json.loads((GOLDEN / "digits.json").read_text())[key]
    row = values[0][0] if key == "logits" else values[0]
    row[0] = value
    text = refusal_of_vectors(path, network, **{key: values})
    assert text.startswith(f"{path}: a field is wrong (")


@pytest.mark.parametrize("character", ["2", "9", "x", " ", "-"])
def test_mask_bits_other_than_0_and_1_are_refused(network, tmp_path, character):
    path = tmp_path / "v.json"
    masks = json.loads((GOLDEN / "digits.json").read_text())["masks"]
    masks[0][0] = character + masks[0][0][1:]
    text = refusal_of_vectors(path, network, masks=masks)
    assert text.startswith(f"{path}: a field is wrong (")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_vectors_that_are_no_json_are_refused(network, tmp_path, data):
    path = tmp_path / "v.json"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_vectors(path, network)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: cannot be read (")


@pytest.mark.parametrize("name", ["none.json", "."])
def test_vectors_that_cannot_be_opened_are_named(network, tmp_path, name):
    path = tmp_path / name
    with pytest.raises(UserError) as caught:
        read_vectors(path, network)
    assert str(caught.value).startswith(f"{path}: cannot be read (")


def test_retraining_gives_a_network_as_good_as_the_shipped_one(network):
    """Training is deterministic on one machine; another processor may round otherwise."""
    from scaledrop.data import load_digits
    from scaledrop.training import Checkpoint

    config = named_config("digits")
    again = freeze_checkpoint(Checkpoint(config, train(config, load_digits()).net, ""))
    images = images_for(network, 0)
    shipped, fresh = (evaluate(one, images, Passes(20, 1)).report for one in (network, again))
    assert shipped["accuracy"] >= 0.97
    assert fresh["accuracy"] >= 0.97
    assert json.loads(json.dumps(again.provenance)) == network.provenance
