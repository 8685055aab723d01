# SPDX-License-Identifier: Apache-2.0
"""The studies' own parts: the comparison can fail, tables survive an interruption."""

import csv
import dataclasses
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from scaledrop.data import load_digits, load_set
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.nn import NetworkConfig, ScaleDropNet, calibrate_norms
from scaledrop.training import CONFIGS, TrainConfig
from scaledrop_flow.studies import STUDIES, energy, exactness, twins
from scaledrop_flow.studies.exactness import compare, every_mask
from scaledrop_flow.studies.scale import VARIANTS, variant_config
from scaledrop_flow.studies.table import write_table

ROOT = Path(__file__).parents[2]
CONV = TrainConfig(NetworkConfig("small", (8, 8), 10, "vgg_small", widths=(4, 6), p=0.3))


@pytest.fixture(scope="module")
def net():
    digits = load_digits()
    network = ScaleDropNet(CONV.network, seed=2)
    calibrate_norms(network, torch.from_numpy(digits.train_images), 1, 64, seed=3)
    return network.eval()


def test_every_digit_under_every_mask_is_equal(net):
    masks = every_mask(len(net.graph.layers))
    found = compare(net, load_digits().test_images, masks)
    assert len(masks) == 32
    assert (found.images, found.masks, found.differing) == (360, 32, 0)
    assert found.logits == 360 * 32 * 10


def test_one_wrong_threshold_is_seen(net, monkeypatch):
    network = freeze(net, {})
    layer = network.layers[1]
    moved = layer.output.threshold.copy()
    moved[0] += 64
    output = dataclasses.replace(layer.output, threshold=moved)
    nodes = tuple(
        dataclasses.replace(node, output=output) if node is layer else node
        for node in network.nodes
    )
    wrong = dataclasses.replace(network, nodes=nodes)
    monkeypatch.setattr(exactness, "freeze", lambda *_: wrong)
    assert compare(net, load_digits().test_images, every_mask(5)).differing > 0


@pytest.mark.parametrize("name", ["lenet5-mnist", "resnet20-cifar10"])
def test_the_real_networks_on_real_images(name):
    if not os.environ.get("SCALEDROP_DATA"):
        pytest.skip("data: SCALEDROP_DATA is not set")
    try:
        images = load_set(CONFIGS[name].data)
    except UserError as error:
        pytest.skip(f"data: {error}")
    net = exactness._seen(CONFIGS[name], images)
    layers = len(net.graph.layers)
    rng = np.random.default_rng(0)
    masks = every_mask(5) if layers == 5 else rng.integers(0, 2, (8, layers), dtype=np.uint8)
    assert compare(net, images.test_images[:4], masks).differing == 0


def test_a_table_keeps_what_it_has(tmp_path):
    def rows():
        yield {"name": "a", "value": 1 / 3}
        yield {"name": "b", "more": 2}
        raise KeyboardInterrupt

    path = tmp_path / "table.csv"
    with pytest.raises(KeyboardInterrupt):
        write_table(rows(), path, "scaledrop study x")
    with path.open() as lines:
        found = list(csv.DictReader(lines))
    assert found == [
        {"name": "a", "value": "0.333333", "more": ""},
        {"name": "b", "value": "", "more": "2"},
    ]
    assert json.loads(path.with_suffix(".json").read_text())["command"] == "scaledrop study x"
    assert write_table(iter([{"name": "c"}]), path, "scaledrop study y") == 1
    assert path.read_text() == "name\nc\n"
    assert json.loads(path.with_suffix(".json").read_text())["command"] == "scaledrop study y"


def test_a_row_of_twins_has_no_time_that_a_cache_may_give(monkeypatch, tmp_path, net):
    monkeypatch.setattr(twins, "trained", lambda *_, **__: SimpleNamespace(net=net))
    monkeypatch.setattr(twins, "load_set", lambda *_: load_digits())
    row = next(twins.twin_study(None, tmp_path, lambda _: None))
    assert (row["network"], row["seed"]) == ("lenet5-mnist", 0)
    assert 0 <= row["accuracy"] <= 1 and not [name for name in row if "seconds" in name]


def test_every_variant_of_the_scale_study_is_a_configuration():
    hashes = {variant_config(name, 0).config_hash() for name in VARIANTS}
    assert len(hashes) == len(VARIANTS)


def test_studies_by_name():
    known = "scale lenet5 exactness rtl netlists macrospin spin calibration energy analog"
    methods = "methods methods-tuning methods-differences methods-reliability methods-digits"
    asked = "facts first passes drift correlated shift ablation faults segmentation larger"
    named = f"{known} analog-check {methods} methods-cifar10 {asked} transformer"
    assert list(STUDIES) == named.split()


def test_the_energy_study_prices_every_network_both_ways(monkeypatch):
    monkeypatch.setattr(energy, "NETWORKS", {"lenet5": energy.NETWORKS["lenet5"]})
    rows = list(energy.energy_study(None, None, lambda _: None))
    assert len(rows) == 2 * len(energy.NODES) * len(energy.WAYS)
    by_way = {(row["convolution"], row["table"], row["way"]): row for row in rows}
    paper, shared = (by_way["unrolled", "mtj45", way] for way in (energy.PAPER.name, "shared"))
    assert float(shared["j"]) < float(paper["j"]) / 20 and shared["runs_today"]
    assert float(shared["j_low"]) < float(shared["j"]) < float(shared["j_high"])
    with (ROOT / "docs/studies/energy.csv").open(newline="") as kept:
        first = next(csv.DictReader(kept))
    assert first == {name: str(value) for name, value in paper.items()}
