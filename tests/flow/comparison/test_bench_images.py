# SPDX-License-Identifier: Apache-2.0
"""Which images the comparison takes: fixed, disjoint, by class, and every budget there is."""

import dataclasses
import os

import numpy as np
import pytest

from scaledrop.data import load_digits
from scaledrop.errors import UserError
from scaledrop_flow.comparison import bench as bench_module
from scaledrop_flow.comparison.bench import bench
from scaledrop_flow.comparison.budgets import BUDGETS, MAIN


def rows(images):
    return {one.tobytes() for one in images}


@pytest.mark.parametrize("name", ["digits", "smoke"])
def test_parts_are_of_the_training_part_and_share_nothing(name):
    budget, ready, whole = BUDGETS[name], bench(name, None), load_digits()
    data = ready.data
    assert len(data.valid_images) == budget.valid
    assert len(data.train_images) == (budget.train or len(whole.train_images) - budget.valid)
    assert rows(data.train_images) | rows(data.valid_images) <= rows(whole.train_images)
    assert len(rows(data.train_images) & rows(data.valid_images)) == 0
    assert (data.test_images == whole.test_images[: budget.test or None]).all()
    shares = np.bincount(data.valid_labels) / len(data.valid_labels)
    assert np.abs(shares - np.bincount(whole.train_labels) / len(whole.train_labels)).max() < 0.02


def test_the_same_images_come_again_and_others_have_another_digest(monkeypatch):
    first = bench("smoke", None)
    bench.cache_clear()
    assert bench("smoke", None).digest == first.digest
    bench.cache_clear()
    changed = dataclasses.replace(BUDGETS["smoke"], foreign=63)
    monkeypatch.setattr(bench_module, "BUDGETS", {"smoke": changed})
    assert bench("smoke", None).digest != first.digest
    bench.cache_clear()


def test_what_is_unknown_has_the_shape_of_the_known():
    ready = bench("smoke", None)
    assert list(ready.unknown) == ["rotate:90", "noise"]
    for images in ready.unknown.values():
        assert images.shape == (64, 8, 8) and images.dtype == np.uint8
    assert ready.unknown["noise"].max() == ready.data.test_images.max()
    turned = np.rot90(ready.data.test_images, axes=(1, 2))
    assert (ready.unknown["rotate:90"] == turned).all()


def test_grey_images_become_colour_with_zeros_around():
    grey = np.full((2, 28, 28), 7, dtype=np.uint8)
    found = bench_module._shaped(grey, (3, 32, 32), "x")
    assert found.shape == (2, 3, 32, 32)
    assert found[:, :, 2:30, 2:30].min() == 7 and found[:, :, :2].max() == 0
    with pytest.raises(UserError, match=r"^unknown: x is larger than \(8, 8\); choose another set"):
        bench_module._shaped(grey, (8, 8), "x")


def test_a_set_without_a_validation_part_is_refused(monkeypatch):
    bare = dataclasses.replace(BUDGETS["smoke"], valid=0)
    monkeypatch.setattr(bench_module, "BUDGETS", {"smoke": bare})
    bench.cache_clear()
    with pytest.raises(UserError, match=r"^smoke: has no validation part; say how many images"):
        bench("smoke", None)
    bench.cache_clear()


def test_the_reduced_run_on_colour_is_a_network_of_its_shape():
    budget = BUDGETS["cifar10"]
    network = budget.run(0).network
    assert (network.input_shape, network.classes) == ((3, 32, 32), 10)
    assert network.widths == budget.widths and "reduced" in budget.measured_on


@pytest.mark.parametrize("name", MAIN)
def test_the_sets_of_the_table(name):
    if not os.environ.get("SCALEDROP_DATA"):
        pytest.skip("data: SCALEDROP_DATA is not set")
    try:
        ready = bench(name, None)
    except UserError as error:
        pytest.skip(f"data: {error}")
    budget, data = BUDGETS[name], ready.data
    assert budget.run(0).network.input_shape == data.shape
    assert len(data.train_images) == (budget.train or len(data.train_images))
    assert len(ready.unknown) == 2
    assert all(0 < len(images) <= budget.foreign for images in ready.unknown.values())
    # PneumoniaMNIST as published has images that stand in two of its parts.
    if budget.valid:
        assert not rows(data.train_images) & rows(data.valid_images)
