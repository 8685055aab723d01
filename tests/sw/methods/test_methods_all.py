# SPDX-License-Identifier: Apache-2.0
"""Every method end to end on a few digits, and what each asks of hardware."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from scaledrop.data import ImageSet, load_digits
from scaledrop.energy.sources import Grain
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.methods import METHODS, Model, memory_bits, prediction_of
from scaledrop.methods.affine_dropout import AFFINE_DROPOUT
from scaledrop.methods.residual import residual_run
from scaledrop.methods.scale_dropout import FrozenModel
from scaledrop.nn import NetworkConfig
from scaledrop.predict import predict
from scaledrop.sampling import Passes
from scaledrop.training import CONFIGS, TrainConfig

NODES = (
    Layer("conv", 8, Window(3, padding=1)),
    MaxPool("pool"),
    Layer("dense1", 32),
    Layer("dense2", 10, output=Kind.LOGITS),
)
RUN = TrainConfig(
    NetworkConfig("tiny", (8, 8), 10, "custom", nodes=NODES),
    epochs=4,
    batch_size=32,
    learning_rate=0.02,
)
STILL = ("deterministic", "residual")


LENET = CONFIGS["lenet5-fashion-mnist"]
NUMBERS = {
    "deterministic": (0, None),
    "scale-dropout": (5, Grain.LAYER),
    # Inputs: 6 x 14 x 14, 16 x 5 x 5, 120, 84.
    "mc-dropout": (1176 + 400 + 120 + 84, Grain.NEURON),
    # Outputs before pooling: 6 x 28 x 28, 16 x 10 x 10, 120, 84.
    "spindrop": (4704 + 1600 + 120 + 84, Grain.NEURON),
    "spatial-spindrop": (6 + 16 + 120 + 84, Grain.CHANNEL),
    "affine-dropout": (2 * 4, Grain.LAYER),
    # Places of 5 x 5 blocks: 6 x 24 x 24, 16 x 6 x 6.
    "dropblock": (3456 + 576 + 120 + 84, Grain.NEURON),
    # All sums, the head's too.
    "gaussian-dropout": (4704 + 1600 + 120 + 84 + 10, Grain.OUTPUT),
    "residual": (0, None),
    "stochastic-depth": (3, Grain.LAYER),
}


@pytest.fixture(scope="module")
def few() -> ImageSet:
    data = load_digits()
    return dataclasses.replace(
        data, train_images=data.train_images[:640], train_labels=data.train_labels[:640]
    )


@pytest.fixture(scope="module")
def models(few: ImageSet) -> dict[str, Model]:
    """One of each, of the middle value of its setting."""
    chosen = [METHODS[key] for key in NUMBERS]
    return {one.key: one.fit(RUN, few, one.setting.values[1], "cpu") for one in chosen}


@pytest.mark.parametrize("key", NUMBERS)
def test_a_method_learns_and_repeats_itself(
    key: str, models: dict[str, Model], few: ImageSet
) -> None:
    model, images = models[key], few.test_images
    one = model.logits(images, 6, 3)
    assert one.shape == (len(images), 1 if key in STILL else 6, 10) and one.dtype.kind == "f"
    assert (model.logits(images, 6, 3) == one).all()
    assert (prediction_of(model, images, 6, 3).predicted == few.test_labels).mean() > 0.5
    if key not in STILL:
        assert not (one[:, 0] == one[:, 1]).all()
        assert not (model.logits(images, 6, 4) == one).all()
        assert model.needs.grain is not None and model.needs.passes == 20


def test_the_run_decides_every_bit(models: dict[str, Model], few: ImageSet) -> None:
    images = few.test_images[:50]
    again = AFFINE_DROPOUT.fit(RUN, few, AFFINE_DROPOUT.setting.values[1], "cpu")
    assert (again.logits(images, 2, 0) == models["affine-dropout"].logits(images, 2, 0)).all()
    other = AFFINE_DROPOUT.fit(dataclasses.replace(RUN, seed=1), few, 0.2, "cpu")
    assert not (other.logits(images, 2, 0) == again.logits(images, 2, 0)).all()


def test_scale_dropout_is_the_frozen_network(models: dict[str, Model], few: ImageSet) -> None:
    model = models["scale-dropout"]
    assert isinstance(model, FrozenModel)
    assert {layer.drop_code for layer in model.network.layers} == {round(0.2 * 2**16)}
    expected = predict(model.network, few.test_images, Passes(7, seed=5))
    found = prediction_of(model, few.test_images, 7, 5)
    for field in ("mean", "entropy", "expected_entropy", "mutual_information", "variance", "votes"):
        assert (getattr(found, field) == getattr(expected, field)).all(), field
    logits = model.logits(few.test_images, 7, 5) * 2.0**model.network.logit_frac_bits
    assert (logits == np.round(logits)).all() and np.abs(logits).max() > 0


@pytest.mark.parametrize("key", NUMBERS)
def test_what_lenet5_needs(key: str) -> None:
    blank = dataclasses.replace(LENET, epochs=1, batch_size=2, calibrate_passes=0)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    labels = np.array([0, 1])
    data = ImageSet(pixels, labels, pixels, labels, (28, 28), 10, "two")
    needs = METHODS[key].fit(blank, data, METHODS[key].setting.values[0], "cpu").needs
    assert (needs.numbers_per_pass, needs.grain) == NUMBERS[key]
    assert needs.gaussian == (key == "gaussian-dropout") and needs.networks == 1
    assert needs.passes == (1 if key in STILL else 20)
    network = LENET.network
    expected = {
        "scale-dropout": memory_bits(network, scales=1),
        "affine-dropout": memory_bits(network, scales=2, head_scales=0),
        "residual": memory_bits(residual_run(LENET).network),
        "stochastic-depth": memory_bits(residual_run(LENET).network),
    }
    assert needs.memory_bits == expected.get(key, memory_bits(network))


def test_each_says_what_it_is() -> None:
    for key, method in METHODS.items():
        assert key == method.key and re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", key)
        assert method.title and len(set(method.setting.values)) == 3
    unread = ("mc-dropout", "spindrop", "spatial-spindrop", "affine-dropout", "dropblock")
    assert all("from memory" in METHODS[key].source for key in unread)
