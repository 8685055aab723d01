# SPDX-License-Identifier: Apache-2.0
"""One call: the same prediction from every evaluator, every plan, every size of block."""

import dataclasses

import numpy as np
import pytest
import torch

from networks import GRAPHS, random_graph_network, random_images, random_network
from scaledrop import predict as module
from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.fast_engine import FastEngine
from scaledrop.freezing import freeze
from scaledrop.nn import NetworkConfig, ScaleDropNet, TorchEvaluator
from scaledrop.predict import predict
from scaledrop.prediction import Prediction, summarise
from scaledrop.sampling import Exact, Given, Passes, Probable
from scaledrop.spin import masks_from_words, uniform_words

FIELDS = [field.name for field in dataclasses.fields(Prediction)]


def assert_same(one, other):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def assert_close(one, other):
    for name in set(FIELDS) - {"predicted", "votes", "bound"}:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-12)
    np.testing.assert_allclose(one.votes, other.votes, atol=1e-12)


def case(name, images=3):
    shape, nodes = GRAPHS[name]
    network = random_graph_network(1, shape, nodes, p=0.2)
    return network, random_images(2, network, images)


@pytest.mark.parametrize("name", GRAPHS)
def test_shared_passes_are_separate_passes_to_the_last_bit(name):
    network, images = case(name)
    shared = predict(network, images, Passes(9, 3))
    assert_same(shared, predict(network, images, Passes(9, 3, shared=False)))
    words = uniform_words(3, len(images) * 9 * len(network.layers))
    masks = masks_from_words(network, words, len(images), 9)
    golden = summarise(infer(network, images, masks).logits, network.logit_frac_bits)
    assert_same(shared, golden)
    assert_same(shared, predict(network, images, Given(masks)))


@pytest.mark.parametrize("name", ["lenet5", "resnet, projections", "unet"])
def test_memory_bounds_the_blocks_and_changes_nothing_but_rounding(name, monkeypatch):
    network, images = case(name)
    expected = {s: predict(network, images, s) for s in (Passes(9, 3), Probable(50))}
    seen = []
    original = FastEngine.leaf_logits

    def spy(self, pixels, plan):
        seen.append(plan.leaves.size)
        return original(self, pixels, plan)

    monkeypatch.setattr(FastEngine, "leaf_logits", spy)
    monkeypatch.setattr(module, "MEMORY", 1)
    for sampling, whole in expected.items():
        assert_close(predict(network, images, sampling), whole)
    assert set(seen) == {1}


def test_the_exact_marginal_is_the_weighted_sum_over_all_masks():
    network, images = case("lenet5")
    exact = predict(network, images, Exact())
    masks = np.array(list(np.ndindex(*[2] * 5)), dtype=np.uint8)
    p = np.array([layer.drop_probability for layer in network.layers])
    weights = np.where(masks, 1 - p, p).prod(axis=1)
    logits = infer(network, images, np.broadcast_to(masks, (3, 32, 5))).logits
    assert_close(exact, summarise(logits, network.logit_frac_bits, weights))
    assert exact.bound == 0.0
    many = predict(network, images, Passes(20000, 1))
    assert np.abs(many.mean - exact.mean).max() < 5 * 0.5 / 20000**0.5


@pytest.mark.parametrize("masks", [1, 2, 5, 17, 31, 32])
def test_what_is_left_out_changes_no_probability_by_more_than_the_bound(masks):
    network, images = case("lenet5", images=8)
    exact, part = predict(network, images, Exact()), predict(network, images, Probable(masks))
    assert np.abs(part.mean - exact.mean).max() <= part.bound + 1e-15
    assert (part.bound == 0) == (masks == 32)


NETS = [
    ("mlp", (8, 8), (12, 9), 10),
    ("lenet5", (28, 28), (3, 4, 12, 8), 10),
    ("resnet18", (3, 8, 8), (4, 5), 4),
    ("resnet20", (3, 8, 8), (4, 5), 4),
    ("unet", (12, 12), (3, 4, 5), 3),
]


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize(("topology", "shape", "widths", "classes"), NETS)
def test_pytorch_predicts_what_the_integers_predict(topology, shape, widths, classes, planes):
    config = NetworkConfig("a", shape, classes, topology, widths, planes=planes, p=0.3)
    net = ScaleDropNet(config, seed=1)
    images = np.random.default_rng(0).integers(0, 256, (4, *shape), dtype=np.uint8)
    net.train()(torch.from_numpy(images))
    network = freeze(net.eval(), {})
    exact, single = TorchEvaluator(net, torch.float64), TorchEvaluator(net)
    for shared in (True, False):
        sampling = Passes(11, 2, shared)
        integer = predict(network, images, sampling)
        assert_close(predict(exact, images, sampling), integer)
        np.testing.assert_allclose(predict(single, images, sampling).mean, integer.mean, atol=1e-4)
    assert integer.mutual_information.max() > 1e-4, "the passes agree"


def test_the_deterministic_twin_has_no_mutual_information():
    net = ScaleDropNet(NetworkConfig("a", (8, 8), 10, widths=(16,), p=0.0), seed=1)
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8), dtype=np.uint8)
    net.train()(torch.from_numpy(images))
    found = predict(freeze(net.eval(), {}), images, Passes(7))
    assert found.mutual_information.max() < 1e-12 and found.variance.max() < 1e-24


def test_wrong_images_are_named():
    network = random_network(1, (6, 3), input_bits=2)
    with pytest.raises(UserError, match=r"^images: is empty; give one or more$"):
        predict(network, np.zeros((0, 6), dtype=np.int64))
    with pytest.raises(UserError, match=r"^images: pixels must be 0 to 3, not 4$"):
        predict(network, np.full((1, 6), 4))


def test_both_evaluators_take_and_refuse_the_same_images():
    net = ScaleDropNet(NetworkConfig("a", (8, 8), 10, widths=(16,)), seed=1).eval()
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8), dtype=np.uint8)
    evaluators = (FastEngine(freeze(net, {})), TorchEvaluator(net, torch.float64))
    expected = predict(evaluators[0], images, Exact())
    for evaluator in evaluators:
        for kind in (np.uint16, ">u2", np.int32, np.uint64):
            assert_close(predict(evaluator, images.astype(kind), Exact()), expected)
        turned = predict(evaluator, images[::-1], Exact())
        np.testing.assert_allclose(turned.mean, expected.mean[::-1], atol=1e-12)
        for wrong, text in (
            (images / 1.0, "images: must be integers of 8 bits, not float64"),
            (images.astype(np.int64) - 300, "images: pixels must be 0 to 255, not -300"),
            (images[:, :7], r"images: shape must be \(N, 64\), not \(9, 7, 8\)"),
        ):
            wrong.flat[0] = -300 if wrong.dtype == np.int64 else wrong.flat[0]
            with pytest.raises(UserError, match=text):
                predict(evaluator, wrong, Exact())


def test_the_number_of_cores_changes_nothing(monkeypatch):
    from scaledrop import workers

    network, images = case("unet")
    one = predict(network, images, Passes(300, 1))
    monkeypatch.setattr(workers, "cores", lambda: 7)
    assert_same(one, predict(network, images, Passes(300, 1)))
