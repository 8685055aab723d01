# SPDX-License-Identifier: Apache-2.0
"""A trained network of any method: trained by the one trainer, asked for passes by seed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from scaledrop.data import ImageSet, load_digits
from scaledrop.energy.sources import Grain
from scaledrop.errors import UserError
from scaledrop.graph import Layer
from scaledrop.methods import (
    METHODS,
    MethodNet,
    Needs,
    NetModel,
    Site,
    fit_net,
    memory_bits,
    prediction_of,
)
from scaledrop.nn import NetworkConfig, calibrate_norms
from scaledrop.prediction import summarise_floats
from scaledrop.training import ResumePoint, TrainConfig, scale_dropout_loss, train

NETWORK = NetworkConfig("small", (8, 8), 10, widths=(24,))
RUN = TrainConfig(NETWORK, epochs=2, batch_size=32)
DRAWS = Needs(1, Grain.LAYER, False, 0)


@pytest.fixture(scope="module")
def few() -> ImageSet:
    data = load_digits()
    return dataclasses.replace(
        data,
        train_images=data.train_images[:256],
        train_labels=data.train_labels[:256],
        valid_images=data.train_images[256:320],
        valid_labels=data.train_labels[256:320],
    )


class Noisy(Site):
    """Adds one random number a sample, and has a loss of its own."""

    def sums(self, s: Tensor) -> Tensor:
        y = super().sums(s)
        if not self.drawing:
            return y
        shape = (len(s), *[1] * (s.ndim - 1))
        return y + torch.rand(shape, generator=self.generator)

    def extra_loss(self) -> Tensor:
        return self.alpha.square().sum()


def noisy(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
    return Noisy(layer, shape)


def test_a_resumed_run_is_the_same_bits(few: ImageSet) -> None:
    def build(config: TrainConfig) -> MethodNet:
        return MethodNet(config.network, config.seed, noisy)

    points: list[ResumePoint] = []
    whole = train(RUN, few, save=points.append, build=build)
    resumed = train(RUN, few, resume=points[0], build=build)
    assert whole.history == resumed.history
    found, state = whole.net.state_dict(), resumed.net.state_dict()
    assert all(torch.equal(found[name], state[name]) for name in found)
    assert whole.history[0].validation_accuracy is not None


def test_the_loss_has_the_sites_own_terms() -> None:
    net = MethodNet(NETWORK, 0, noisy)
    for _, site in net.layers:
        site.alpha.data.fill_(1.5)
    logits, labels = torch.zeros(4, 10), torch.tensor([0, 1, 2, 3])
    loss, task = scale_dropout_loss(net, logits, labels, 0.5, 0.25)
    weights = sum(crossbar.weight.detach().square().sum() for crossbar, _ in net.layers)
    # Two sites with a pull of (1 - 1.5)^2 each, and 34 scales of 1.5.
    assert task.item() == pytest.approx(np.log(10))
    expected = np.log(10) + 0.5 * float(weights) + 0.25 * 2 * 0.25 + 34 * 2.25
    assert loss.item() == pytest.approx(expected)


def test_scales_learn_at_their_own_rate(few: ImageSet) -> None:
    slow = dataclasses.replace(RUN, epochs=1, scale_learning_rate=1e-12)
    net = fit_net(slow, few, noisy)
    assert all((site.alpha - 1).abs().max() < 1e-6 for _, site in net.layers)
    assert any((site.norm.weight - 1).abs().max() > 1e-3 for _, site in net.layers)


def test_calibration_draws_from_its_seed_alone(few: ImageSet) -> None:
    images = torch.from_numpy(few.train_images[:64])
    means = []
    for seed in (0, 0, 1):
        net = MethodNet(NETWORK, 0, noisy)
        before = net.generator.get_state()
        calibrate_norms(net, images, 2, 32, seed)
        assert torch.equal(net.generator.get_state(), before)
        assert net.training and not net.layers[0][1].sampling
        norm = net.layers[1][1].norm
        assert isinstance(norm, nn.BatchNorm1d) and norm.running_mean is not None
        means.append(norm.running_mean.clone())
    assert torch.equal(means[0], means[1]) and not torch.equal(means[0], means[2])


def test_the_seed_decides_every_bit_of_the_passes(few: ImageSet) -> None:
    model = NetModel(MethodNet(NETWORK, 0, noisy), NETWORK, DRAWS)
    images = few.test_images[:300]
    one = model.logits(images, 3, 7)
    torch.manual_seed(5)
    again, other = model.logits(images, 3, 7), model.logits(images, 3, 8)
    assert one.shape == (300, 3, 10) and one.dtype == np.float32
    assert (one == again).all() and not (one == other).all()
    assert not (one[:, 0] == one[:, 1]).all()


def test_without_randomness_there_is_one_pass(few: ImageSet) -> None:
    model = METHODS["deterministic"].fit(dataclasses.replace(RUN, epochs=1), few, 0.0, "cpu")
    one = model.logits(few.test_images[:20], 20, 0)
    assert one.shape == (20, 1, 10)
    assert (one == model.logits(few.test_images[:20], 1, 9)).all()
    prediction = prediction_of(model, few.test_images[:20], 20, 0)
    assert prediction.mutual_information.max() < 1e-12
    np.testing.assert_allclose(
        prediction.mean, np.exp(one[:, 0]) / np.exp(one[:, 0]).sum(1, keepdims=True), rtol=1e-5
    )


def test_what_cannot_be_asked_is_refused(few: ImageSet) -> None:
    model = NetModel(MethodNet(NETWORK, 0, noisy), NETWORK, DRAWS)
    cases = [
        ((few.test_images, 0, 0), "passes: must be 1 to 2147483648, not 0; 20 is usual"),
        (
            (few.test_images, 1, -1),
            "seed: must be 0 to 9223372036854775807, not -1; give a whole number",
        ),
        ((few.test_images[:, :4], 1, 0), "images: shape must be (N, 64), not (360, 4, 8)"),
    ]
    for given, message in cases:
        with pytest.raises(UserError) as error:
            model.logits(*given)
        assert str(error.value) == message


def test_logits_in_floats_are_summarised_as_the_integers_are() -> None:
    wrong = [
        (np.zeros((2, 3)), "logits: shape must be (N, T, K), not (2, 3); give every pass"),
        (
            np.zeros((2, 3, 4), dtype=int),
            "logits: must be floats, not int64; summarise takes integers",
        ),
        (
            np.full((2, 3, 4), np.nan),
            "logits: must be finite; train with a lower learning_rate",
        ),
    ]
    for logits, message in wrong:
        with pytest.raises(UserError) as error:
            summarise_floats(logits)
        assert str(error.value) == message


def test_memory_is_counted_by_hand() -> None:
    # 64 x 24 pixels of 8 bits: |s| <= 64 * 255, 15 bits; 24 x 10 signs: |s| <= 24, 6 bits.
    weights = 64 * 24 + 24 * 10
    norms = 24 * (15 + 2) + 10 * (12 + (24 << 11).bit_length() + 1)
    assert memory_bits(NETWORK) == weights + norms
    # One scale of 8 bits makes |shat| <= 64 * 255 * 255, 23 bits, and 24 * 255 << 11, 25 bits.
    scaled = 24 * (8 + 23 + 2) + 10 * (8 + 12 + 25)
    assert memory_bits(NETWORK, scales=1) == weights + scaled
    apart = 24 * (2 * 8 + 23 + 2) + 10 * (12 + (24 << 11).bit_length() + 1)
    assert memory_bits(NETWORK, scales=2, head_scales=0) == weights + apart
    assert memory_bits(NETWORK, weight_bits=4, norms=2) == 4 * weights + 2 * norms
