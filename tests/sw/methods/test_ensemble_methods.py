# SPDX-License-Identifier: Apache-2.0
"""Posteriors and ensembles on the digits, from training to what they need."""

import dataclasses

import numpy as np
import pytest

from scaledrop.data import ImageSet, load_digits
from scaledrop.energy.sources import Grain
from scaledrop.methods import METHODS, memory_bits, prediction_of
from scaledrop.methods.deep_ensemble import DEEP_ENSEMBLE
from scaledrop.methods.ensembles import MEMBERS, EnsembleModel, member_seeds
from scaledrop.methods.structured_ensemble import mask_epochs, members_of
from scaledrop.metrics import accuracy
from scaledrop.nn import NetworkConfig
from scaledrop.training import TrainConfig

NETWORK = NetworkConfig("digits", (8, 8), 10, widths=(48, 32), p=0.0)
CONFIG = TrainConfig(NETWORK, epochs=4, learning_rate=0.01)
OURS = {"bayes-scale": 0.3, "spinbayes": 0.001, "deep-ensemble": 0.0, "structured-ensemble": 0.3}


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_digits()


@pytest.fixture(scope="module")
def models(digits):
    return {key: METHODS[key].fit(CONFIG, digits, value, "cpu") for key, value in OURS.items()}


@pytest.mark.parametrize("key", OURS)
def test_it_learns_the_digits(models, digits, key):
    found = prediction_of(models[key], digits.test_images, 20, 0)
    # Chance is 0.1; with 360 images 0.8 is not reached by luck.
    assert accuracy(found.mean, digits.test_labels) > 0.8
    assert float(found.mutual_information.mean()) > 0.001


@pytest.mark.parametrize("key", OURS)
def test_a_seed_gives_the_same_passes(models, digits, key):
    one, two = (models[key].logits(digits.test_images[:20], 3, 5) for _ in range(2))
    assert np.array_equal(one, two)
    assert one.shape == (20, MEMBERS if "ensemble" in key else 3, 10)
    other = models[key].logits(digits.test_images[:20], 3, 6)
    assert np.array_equal(one, other) == ("ensemble" in key)


@pytest.mark.parametrize("key", OURS)
def test_training_again_gives_the_same_bits(digits, key):
    few = dataclasses.replace(
        digits, train_images=digits.train_images[:200], train_labels=digits.train_labels[:200]
    )
    run = dataclasses.replace(CONFIG, epochs=1)
    one, two = (METHODS[key].fit(run, few, OURS[key], "cpu") for _ in range(2))
    images = digits.test_images[:20]
    assert np.array_equal(one.logits(images, 2, 0), two.logits(images, 2, 0))


def test_a_scale_needs_a_gaussian_a_channel_and_its_spread_beside_its_mean(models):
    needs = models["bayes-scale"].needs
    assert (needs.numbers_per_pass, needs.grain, needs.gaussian) == (90, Grain.CHANNEL, True)
    scaled = memory_bits(NETWORK, scales=1)
    assert needs.memory_bits == scaled + 90 * NETWORK.scale_bits


def test_a_deep_ensemble_is_five_deterministic_networks(models, digits):
    needs = models["deep-ensemble"].needs
    assert (needs.numbers_per_pass, needs.grain, needs.networks, needs.passes) == (0, None, 5, 1)
    assert needs.memory_bits == 5 * memory_bits(NETWORK)
    assert DEEP_ENSEMBLE.setting is METHODS["deterministic"].setting
    logits = models["deep-ensemble"].logits(digits.test_images[:50], 1, 0)
    assert len(np.unique(logits[:, :, 0].round(4), axis=1)) == 50
    assert all(np.ptp(row) > 0 for row in logits[:, :, 0])
    member = dataclasses.replace(CONFIG, seed=member_seeds(CONFIG.seed, 5)[3])
    alone = METHODS["deterministic"].fit(member, digits, 0.0, "cpu")
    assert np.array_equal(alone.logits(digits.test_images[:50], 1, 0)[:, 0], logits[:, 3])


def test_the_seeds_of_members_differ_from_each_other_and_by_run():
    found = [seed for run in range(20) for seed in member_seeds(run, MEMBERS)]
    assert len(set(found)) == 100 and min(found) > 20
    assert member_seeds(3, 5) == member_seeds(3, 5) and max(found) < 2**63


def test_a_structured_ensemble_weighs_its_members(models):
    model = models["structured-ensemble"]
    assert isinstance(model, EnsembleModel)
    networks = [member.network for member in model.members]
    assert len(networks) == MEMBERS
    assert model.needs.memory_bits == sum(memory_bits(network) for network in networks)
    assert (model.needs.networks, model.needs.passes, model.needs.grain) == (5, 1, None)
    widths = [[layer.channels for layer in network.graph.layers] for network in networks]
    # A quantile of 0.3 over 80 channels leaves 56 of them, and the head is whole.
    assert all(a + b == 56 and head == 10 for a, b, head in widths)


def test_members_keep_different_channels_of_one_untrained_network(digits):
    run = dataclasses.replace(CONFIG, epochs=1)
    members = members_of(run, digits, 0.5)
    firsts = [member.crossbars["dense0"].weight.detach() for member in members]
    rows = [{tuple(row.sign().tolist()) for row in first} for first in firsts]
    assert len(set().union(*rows)) <= 48
    assert all(a != b for i, a in enumerate(rows) for b in rows[:i])


def test_the_masks_take_a_fifth_of_the_epochs():
    found = [mask_epochs(dataclasses.replace(CONFIG, epochs=n)) for n in (1, 5, 20, 24)]
    assert found == [1, 1, 4, 4]
