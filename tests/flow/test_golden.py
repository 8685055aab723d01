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
from scaledrop.training import named_config, train
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
    assert report.total_checked == 1_944_046


def test_vectors_of_another_network_are_refused(network, tmp_path):
    path = tmp_path / "v.json"
    path.write_text(
        (GOLDEN / "digits.json").read_text().replace('"model_sha256": "', '"model_sha256": "0')
    )
    with pytest.raises(UserError, match="model_sha256 is of another network"):
        read_vectors(path, network)


def test_retraining_gives_a_network_as_good_as_the_shipped_one(network):
    """Training is deterministic on one machine; another processor may round otherwise."""
    from scaledrop.data import load_digits
    from scaledrop.training import Checkpoint

    config = named_config("digits")
    again = freeze_checkpoint(Checkpoint(config, train(config, load_digits()).net, ""))
    images = images_for(network, 0)
    shipped, fresh = (evaluate(one, images, passes=20, seed=1) for one in (network, again))
    assert shipped["accuracy"] >= 0.97
    assert fresh["accuracy"] >= 0.97
    assert json.loads(json.dumps(again.provenance)) == network.provenance
