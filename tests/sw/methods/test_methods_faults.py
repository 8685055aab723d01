# SPDX-License-Identifier: Apache-2.0
"""Faults: shares of what is flipped, what stays, and that every kind of model takes them."""

import dataclasses

import numpy as np
import pytest
import torch

from scaledrop.data import load_digits
from scaledrop.errors import UserError
from scaledrop.fast_engine import FastEngine
from scaledrop.freezing import freeze
from scaledrop.methods import METHODS, Needs, NetModel
from scaledrop.methods.deterministic import deterministic_site
from scaledrop.methods.ensembles import EnsembleModel
from scaledrop.methods.faults import Fault, faulty, faulty_network, flipped_words
from scaledrop.methods.net import MethodNet
from scaledrop.methods.scale_dropout import FrozenModel
from scaledrop.nn import NetworkConfig, ScaleDropNet, calibrate_norms
from scaledrop.training import named_config

CONFIG = NetworkConfig("small", (8, 8), 10, widths=(32,), p=0.2)
NEEDS = Needs(0, None, False, 1)
IMAGES = load_digits().test_images[:20]


def model():
    net = MethodNet(CONFIG, 0, deterministic_site)
    calibrate_norms(net, torch.from_numpy(load_digits().train_images), 1, 64, 0)
    return NetModel(net, CONFIG, NEEDS)


def signs(one):
    parts = [crossbar.binary_weight().detach().flatten() for crossbar, _ in one.net.layers]
    return torch.cat(parts).double().numpy()


@pytest.mark.parametrize(("kind", "wrong"), [("flipped", 1.0), ("stuck", 0.5)])
def test_the_asked_share_of_weights_is_wrong_and_the_model_itself_is_not_touched(kind, wrong):
    one, before = model(), signs(model())
    rate = 0.2
    found = signs(faulty(one, Fault(kind, rate), 1))
    share = (found != before).mean()
    error = 5 * np.sqrt(rate * wrong * (1 - rate * wrong) / len(before))
    assert abs(share - rate * wrong) < error
    assert set(np.unique(found)) == {-1.0, 1.0}
    assert (signs(one) == before).all()


def test_a_stuck_cell_holds_either_sign_alike():
    found = signs(faulty(model(), Fault("stuck", 1.0), 1))
    assert abs(found.mean()) < 5 / np.sqrt(len(found))


def test_a_spread_keeps_signs_and_has_its_deviation_and_sums_are_whole():
    one = faulty(model(), Fault("spread", 0.1), 1)
    found, before = signs(one), signs(model())
    ratio = found / before
    assert abs(ratio.mean() - 1) < 5 * 0.1 / np.sqrt(len(ratio))
    assert np.isclose(ratio.std(), 0.1, rtol=5 / np.sqrt(2 * len(ratio)))
    crossbar = one.net.layers[0][0]
    s = crossbar(torch.from_numpy(IMAGES).float().flatten(1))
    assert (s == s.round()).all()


@pytest.mark.parametrize("kind", ["flipped", "stuck", "spread"])
def test_no_fault_changes_nothing(kind):
    one = model()
    assert (faulty(one, Fault(kind, 0.0), 1).logits(IMAGES, 1, 0) == one.logits(IMAGES, 1, 0)).all()


def test_every_sign_flipped_gives_sums_of_the_other_sign():
    one = model()
    other, pixels = faulty(one, Fault("flipped", 1.0), 1), torch.from_numpy(IMAGES)
    a = pixels.float().flatten(1)
    assert (other.net.layers[0][0](a) == -one.net.layers[0][0](a)).all()


def test_bits_of_words_are_flipped_with_their_rate_and_all_of_them_at_one():
    words = np.random.default_rng(0).integers(0, 256, 20_000)
    rng = np.random.default_rng(1)
    assert (flipped_words(words, 8, 0.0, rng) == words).all()
    assert (flipped_words(words, 8, 1.0, rng) == 255 - words).all()
    found = flipped_words(words, 8, 0.1, rng) ^ words
    bits = (found[:, None] >> np.arange(8)) & 1
    assert np.allclose(bits.mean(axis=0), 0.1, atol=5 * np.sqrt(0.09 / len(words)))


def test_scales_become_words_that_keep_their_sign():
    one = model()
    site = one.net.layers[0][1]
    with torch.no_grad():
        site.alpha.copy_(torch.linspace(-1.0, 4.5, 32))
    scales = faulty(one, Fault("scale", 0.0), 1).net.layers[0][1].alpha.detach()
    assert torch.equal(scales * 64, (scales * 64).round())
    assert float(scales.max()) == 255 / 64 and float(scales[0]) == -1.0
    assert float((scales - site.alpha.detach()).abs()[:-4].max()) <= 0.5 / 64
    flipped = faulty(one, Fault("scale", 1.0), 1).net.layers[0][1].alpha.detach()
    assert float(flipped[0]) == -(255 - 64) / 64


def test_a_frozen_network_takes_the_same_faults_in_integers():
    net = ScaleDropNet(CONFIG, 0)
    calibrate_norms(net, torch.from_numpy(load_digits().train_images), 1, 64, 0)
    network = freeze(net.eval(), {})
    broken = faulty_network(network, Fault("flipped", 1.0), np.random.default_rng(0))
    assert (broken.layers[0].weights == 1 - network.layers[0].weights).all()
    words = faulty_network(network, Fault("scale", 1.0), np.random.default_rng(0))
    assert (words.layers[1].scale == 255 - network.layers[1].scale).all()
    assert (words.layers[1].output.gain == network.layers[1].output.gain).all()
    one = FrozenModel(network, NEEDS)
    assert (faulty(one, Fault("flipped", 0.3), 1).network.layers[0].weights.mean()) != 0
    assert FastEngine(broken).logits(IMAGES, np.ones((20, 1, 2), dtype=np.uint8)).shape == (
        20,
        1,
        10,
    )
    with pytest.raises(UserError, match="integers have no cells that differ"):
        faulty_network(network, Fault("spread", 0.1), np.random.default_rng(0))


def test_cells_of_a_frozen_network_differ_from_each_other():
    net = ScaleDropNet(named_config("lenet5-mnist").network, 0)
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    calibrate_norms(net, torch.from_numpy(images), 1, 6, 0)
    one = FrozenModel(freeze(net.eval(), {}), NEEDS)
    plain = one.logits(images, 3, 0)
    assert (faulty(one, Fault("spread", 0.0), 1).logits(images, 3, 0) == plain).all()
    found = faulty(one, Fault("spread", 0.1), 1).logits(images, 3, 0)
    assert (found != plain).any() and (one.logits(images, 3, 0) == plain).all()


def test_members_of_an_ensemble_have_faults_of_their_own():
    pair = faulty(EnsembleModel([model(), model()]), Fault("flipped", 0.2), 1)
    one, two = (signs(member) for member in pair.members)
    assert (one != two).any()


def test_the_same_chip_has_the_same_faults():
    one, fault = model(), Fault("stuck", 0.3)
    assert (signs(faulty(one, fault, 4)) == signs(faulty(one, fault, 4))).all()
    assert (signs(faulty(one, fault, 4)) != signs(faulty(one, fault, 5))).any()


@pytest.mark.parametrize("key", ["spinbayes", "affine-dropout", "bayes-scale", "stochastic-depth"])
def test_faults_reach_what_a_method_runs(key):
    digits, method = load_digits(), METHODS[key]
    run = dataclasses.replace(named_config("digits"), epochs=1)
    found = method.fit(run, digits, method.setting.values[0], "cpu")
    plain = found.logits(IMAGES, 2, 0)
    for kind in ("flipped", "spread", "scale"):
        assert (faulty(found, Fault(kind, 0.3), 1).logits(IMAGES, 2, 0) != plain).any()
    same = faulty(found, Fault("flipped", 0.0), 1).logits(IMAGES, 2, 0)
    assert np.allclose(same, plain, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "rate", "message"),
    [
        ("burnt", 0.1, "kind: must be one of flipped, stuck, scale, spread, not 'burnt'"),
        ("stuck", 1.5, "rate: must be 0 to 1, not 1.5; 0.01 is one in a hundred"),
    ],
)
def test_what_is_no_fault_is_refused(kind, rate, message):
    with pytest.raises(UserError, match=message):
        Fault(kind, rate)
