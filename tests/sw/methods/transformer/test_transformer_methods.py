# SPDX-License-Identifier: Apache-2.0
"""Transformers as methods: trained by the one trainer, same seed same bits, counts, decay."""

import dataclasses

import numpy as np
import pytest
import torch

from scaledrop.data import load_digits
from scaledrop.energy.sources import Grain
from scaledrop.errors import UserError
from scaledrop.methods import METHODS, prediction_of
from scaledrop.methods.transformer import (
    TRANSFORMERS,
    BinaryTransformer,
    Treatment,
    fit_transformer,
    needs_of,
    transformer_config,
)
from scaledrop.nn import NetworkConfig
from scaledrop.training import TrainConfig, scale_dropout_loss, train

RUN = TrainConfig(
    NetworkConfig("images", (8, 8), 10, widths=(2,)),
    epochs=2,
    batch_size=32,
    learning_rate=0.01,
    scale_pull=0.0,
    seed=3,
)
KEYS = ("vit", "vit-attention-dropout", "vit-scale-dropout")


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture(scope="module")
def few(digits):
    return dataclasses.replace(
        digits, train_images=digits.train_images[:320], train_labels=digits.train_labels[:320]
    )


def net_of(randomness="scale", seed=0, p=0.2, **treatment):
    config = transformer_config(RUN, randomness, p, Treatment(**treatment))
    return BinaryTransformer(config, seed)


def pixels(count=40):
    return torch.from_numpy(load_digits().test_images[:count])


def test_the_three_are_methods():
    assert tuple(method.key for method in TRANSFORMERS) == KEYS
    assert set(KEYS) <= set(METHODS)


@pytest.mark.parametrize("method", TRANSFORMERS, ids=KEYS)
def test_the_same_seed_gives_the_same_bits(method, few):
    first, again = (method.fit(RUN, few, method.setting.values[1], "cpu") for _ in range(2))
    images = few.test_images[:40]
    found = first.logits(images, 5, seed=1)
    assert np.array_equal(found, again.logits(images, 5, seed=1))
    assert found.shape == (40, 1 if method.key == "vit" else 5, 10)
    assert found.dtype == np.float32
    if method.key != "vit":
        assert not np.array_equal(found, first.logits(images, 5, seed=2))
        assert not np.array_equal(found[:, 0], found[:, 1])


def test_an_interrupted_training_goes_on_to_the_same_bits(digits):
    tiny = dataclasses.replace(
        digits, train_images=digits.train_images[:64], train_labels=digits.train_labels[:64]
    )
    network, points = transformer_config(RUN, "attention", 0.3), []

    def build(run):
        return BinaryTransformer(network, run.seed)

    whole = train(RUN, tiny, build=build, save=points.append).net
    again = train(RUN, tiny, build=build, resume=points[0]).net
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_it_learns(digits):
    run = dataclasses.replace(RUN, epochs=4, learning_rate=0.02)
    small = {"width": 32, "heads": 2, "blocks": 1, "hidden": 64}
    network = dataclasses.replace(transformer_config(run, "scale", 0.1), **small)
    found = prediction_of(fit_transformer(run, digits, network), digits.test_images, 4, seed=0)
    assert (found.predicted == digits.test_labels).mean() > 0.6


def test_counts_of_numbers_and_bits():
    """8 x 8 images: 16 tokens of 4 pixels, width 64, 4 heads, 2 blocks, hidden 128."""
    plain, attention, scale = (needs_of(net_of(one)) for one in ("none", "attention", "scale"))
    assert (plain.numbers_per_pass, plain.grain, plain.passes) == (0, None, 1)
    assert (attention.numbers_per_pass, attention.grain) == (2 * 4 * 16 * 16, Grain.NEURON)
    # A block has an input norm, Q-norm, K-norm, an input norm and the norm behind the MLP.
    assert (scale.numbers_per_pass, scale.grain) == (2 * 5 + 1, Grain.LAYER)
    maps = 4 * 64 + 2 * (4 * 64 * 64 + 2 * 64 * 128) + 64 * 10
    gammas = 2 * (64 + 16 + 16 + 64 + 64) + 64
    assert plain.memory_bits == maps + 32 * (gammas + 16 * 64 + 2 * 10)


@pytest.mark.parametrize(
    ("treatment", "more"),
    [
        ({"branches": True}, 0),
        ({"placement": "dual"}, 4),
        ({"placement": "dual-norm"}, 4),
        ({"form": "product"}, 0),
    ],
)
@pytest.mark.parametrize("randomness", ["attention", "scale"])
def test_a_pass_draws_as_many_numbers_as_it_says(randomness, treatment, more):
    net, images = net_of(randomness, **treatment), pixels(3)
    generator, other = (torch.Generator().manual_seed(4) for _ in range(2))
    own = net.generator.get_state()
    net.eval().drawn(images, generator)
    drawn = 3 * net.numbers_per_pass
    torch.randint(0, 2**16, (drawn,), generator=other, dtype=torch.int32)
    assert generator.get_state().equal(other.get_state())
    assert net.generator.get_state().equal(own)
    assert net.numbers_per_pass == (11 + more if randomness == "scale" else 2048)


@pytest.mark.parametrize("form", ["product", "exponential"])
def test_product_forms_start_as_the_plain_one(form):
    plain, other = net_of("none"), net_of("none", form=form)
    assert torch.equal(plain.eval()(pixels()), other.eval()(pixels()))


def test_evaluation_drops_nothing_and_training_does():
    net = net_of("attention", p=0.5)
    calm = net_of("none")
    assert torch.equal(net.eval()(pixels()), calm.eval()(pixels()))
    assert not torch.equal(net.train()(pixels()), calm(pixels()))


def test_all_scales_dropped_are_scales_of_one():
    net, ones = net_of("scale", p=0.99998), net_of("none")
    with torch.no_grad():
        for place in net.places:
            place.vectors[0].alpha.mul_(3)
    dropped = net.eval().drawn(pixels(), torch.Generator().manual_seed(0))
    assert torch.equal(dropped, ones.eval()(pixels()))
    assert not torch.equal(net(pixels()), ones(pixels()))


@pytest.mark.parametrize(("name", "role"), [("input_decay", "input"), ("output_decay", "output")])
def test_decay_acts_on_the_vectors_of_its_role_alone(name, role):
    net = net_of("none", branches=True, placement="dual", **{name: 0.01})
    loss = net.extra_loss()
    loss.backward()
    for place in net.places:
        for vector in place.vectors:
            grad = vector.alpha.grad
            if place.role == role:
                assert torch.allclose(grad, torch.full_like(grad, 0.02))
            else:
                assert grad is None
    touched = {id(value) for place in net.places for value in place.parameters()}
    assert all(v.grad is None for v in net.parameters() if id(v) not in touched)
    vectors = [g for place in net.places if place.role == role for g in place.gammas()]
    assert loss.item() == pytest.approx(0.01 * sum(len(g) for g in vectors))


def test_roles_of_the_normalisations():
    parts = net_of(placement="dual-norm").named_modules()
    roles = {name: part.role for name, part in parts if hasattr(part, "role")}
    inputs = {name for name, role in roles.items() if role == "input"}
    assert inputs == {"norm", *(f"blocks.{i}.norm" for i in range(4))}
    assert len(roles) == 15


def test_decay_towards_one_does_nothing_at_the_start_and_none_adds_nothing():
    assert net_of(input_decay=0.1, decay_towards=1.0).extra_loss().item() == 0
    assert net_of().extra_loss() is None


def test_the_decay_is_part_of_the_loss():
    plain, decayed = net_of("none"), net_of("none", input_decay=0.01)
    logits, labels = torch.zeros(2, 10), torch.zeros(2, dtype=torch.int64)
    losses = [scale_dropout_loss(net, logits, labels, 0.0, 0.0)[0] for net in (plain, decayed)]
    assert (losses[1] - losses[0]).item() == pytest.approx(0.01 * 5 * 64)


def test_patches_are_cut_row_by_row():
    image = torch.arange(64, dtype=torch.uint8).reshape(1, 8, 8)
    patches = (net_of().patches(image) + 1) * 127.5
    assert patches.shape == (1, 16, 4)
    assert patches[0, 1].round().tolist() == [2, 3, 10, 11]
    assert patches[0, 4].round().tolist() == [16, 17, 24, 25]


def test_images_of_another_shape_are_refused():
    with pytest.raises(UserError, match=r"pixels: shape must be \(B, 8, 8\), not \(2, 7, 8\)"):
        net_of()(torch.zeros(2, 7, 8))
    run = dataclasses.replace(RUN, network=NetworkConfig("odd", (6, 6), 10))
    with pytest.raises(UserError, match=r"input_shape: must be square with sides that 4 divides"):
        transformer_config(run, "none")
    with pytest.raises(UserError, match="seed: must be 0 to"):
        net_of(seed=-1)
