# SPDX-License-Identifier: Apache-2.0
"""The frozen network equals the float64 network: every bit, every logit, every mask."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch

from scaledrop.data import ImageSet, load_digits
from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork, Threshold
from scaledrop.nn import NetworkConfig, ScaleBatchNorm1d, ScaleDropNet
from scaledrop.numbers import activation_bit, scaled_bound
from scaledrop.record import PassRecord
from scaledrop.training import CONFIGS, train

GAMMAS = [1.0, -1.0, 0.0, -0.0, 1e-30, -1e-30, 1e-300, -1e-300, 3.7, -0.2]
BETAS = [0.0, -0.0, 0.5, -0.5, 1e-30, -1e-30]


def all_masks(layers: int) -> npt.NDArray[np.uint8]:
    return np.array(list(itertools.product((0, 1), repeat=layers)), dtype=np.uint8)


def evaluate(net: ScaleDropNet, images: npt.NDArray[np.uint8], frac: int) -> PassRecord:
    """The float64 network under every mask, as the record of a back end."""
    masks = all_masks(len(net.layers))
    count, passes = len(images), len(masks)
    pixels = torch.from_numpy(images.astype(np.float64)).reshape(count, -1)
    hidden, logits = net.trace(
        pixels.repeat_interleave(passes, dim=0), torch.from_numpy(masks).repeat(count, 1)
    )
    integers = logits.numpy() * 2.0**frac
    assert (integers == np.rint(integers)).all()
    return PassRecord.of_passes(
        np.broadcast_to(masks, (count, *masks.shape)),
        tuple(h.numpy().reshape(count, passes, -1) for h in hidden),
        integers.astype(np.int64).reshape(count, passes, -1),
    )


def first_difference(
    net: ScaleDropNet, frozen: FrozenNetwork, images: npt.NDArray[np.uint8]
) -> str:
    expected = evaluate(net, images, frozen.logit_frac_bits)
    got = infer(frozen, images, expected.masks)
    for index, (a, b) in enumerate(zip(expected.hidden, got.hidden, strict=True)):
        if not np.array_equal(a, b):
            return f"hidden {index}"
    return "" if np.array_equal(expected.logits, got.logits) else "logits"


def randomise_norm(norm: torch.nn.BatchNorm1d, spread: float, random: np.random.Generator) -> None:
    """Statistics on and off the grid of sums, variances down to 0, every kind of gamma."""
    channels = norm.num_features
    mean = random.normal(0, spread, channels)
    on_grid = random.random(channels) < 0.5
    values = {
        "running_mean": np.where(on_grid, np.rint(mean * 64) / 64, mean),
        "running_var": spread**2 * random.choice([0.0, 1e-9, 1.0, 4.0], channels),
        "weight": random.choice(GAMMAS, channels) * random.choice([1.0, 0.37], channels),
        "bias": random.choice(BETAS, channels),
    }
    if not isinstance(norm, ScaleBatchNorm1d):
        values["running_var"] = np.full(channels, spread**2)
        values["weight"][0] = 1.0
    with torch.no_grad():
        for key, value in values.items():
            getattr(norm, key).copy_(torch.from_numpy(value))


def random_net(seed: int, config: NetworkConfig) -> ScaleDropNet:
    random = np.random.default_rng(seed)
    net = ScaleDropNet(config, seed).double().eval()
    for index, block in enumerate(net.blocks):
        top = 1 if index else 2**config.input_bits - 1
        randomise_norm(block.norm, top * block.linear.in_features**0.5, random)
        with torch.no_grad():
            block.scale.alpha.copy_(
                torch.from_numpy(random.uniform(0, 255.4 / 64, block.linear.out_features))
            )
    return net


def random_config(seed: int) -> NetworkConfig:
    random = np.random.default_rng(seed)
    hidden = tuple(int(w) for w in random.integers(1, 40, random.integers(0, 4)))
    return NetworkConfig(
        "random",
        (int(random.integers(1, 30)),),
        int(random.integers(2, 11)),
        hidden,
        p=0.2,
        input_bits=int(random.choice([1, 4, 8])),
    )


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_equal_their_frozen_form_under_every_mask(seed: int) -> None:
    config = random_config(seed)
    net = random_net(seed, config)
    images = np.random.default_rng(seed).integers(
        0, 2**config.input_bits, (40, config.input_size), dtype=np.uint8
    )
    assert first_difference(net, freeze(net, {}), images) == ""


def test_every_image_of_a_small_network() -> None:
    config = NetworkConfig("small", (4,), 3, (6, 5), input_bits=2)
    net = random_net(7, config)
    images = np.array(list(itertools.product(range(4), repeat=4)), dtype=np.uint8)
    assert first_difference(net, freeze(net, {}), images) == ""


@pytest.mark.parametrize("seed", range(3))
def test_thresholds_agree_at_every_sum(seed: int) -> None:
    config = NetworkConfig("sums", (6,), 2, (60,), input_bits=3)
    net = random_net(seed, config)
    frozen = freeze(net, {})
    output = frozen.layers[0].output
    assert isinstance(output, Threshold)
    bound = scaled_bound(frozen.layers[0].sum_bound, config.scale_bits)
    shat = np.arange(-bound, bound + 1)[:, None]
    with torch.no_grad():
        y = net.blocks[0].norm(torch.from_numpy(shat / 64.0).expand(-1, 60))
    assert np.array_equal(activation_bit(shat, output.threshold, output.flip), y.numpy() >= 0)


def one_channel(gamma: float, beta: float, mean: float) -> tuple[int, int]:
    net = ScaleDropNet(NetworkConfig("one", (2,), 2, (1,), input_bits=1)).double()
    norm = net.blocks[0].norm
    with torch.no_grad():
        norm.weight.fill_(gamma)
        norm.bias.fill_(beta)
        norm.running_mean.fill_(mean)
    output = freeze(net, {}).layers[0].output
    assert isinstance(output, Threshold)
    return int(output.threshold[0]), int(output.flip[0])


@pytest.mark.parametrize(
    ("gamma", "beta", "mean", "expected"),
    [
        (1.0, 0.0, 0.0, (0, 0)),  # sign(0) = +1
        (1.0, 0.0, 0.25, (16, 0)),
        (-1.0, 0.0, 0.25, (17, 1)),  # +1 on the point itself, so stored one above
        (1.0, 0.0, 0.26, (17, 0)),
        (-1.0, 0.0, 0.26, (17, 1)),
        (0.0, 0.5, 0.0, (-510, 0)),  # always
        (0.0, 0.0, 0.0, (-510, 0)),
        (-0.0, -0.0, 0.0, (-510, 0)),
        (0.0, -0.5, 0.0, (-510, 1)),  # never
        (1.0, 0.0, -1e6, (-510, 0)),
        (1.0, 0.0, 1e6, (-510, 1)),
        (1.0, 0.0, 510 / 64, (510, 0)),  # at the very last sum
        (-1.0, 0.0, -510 / 64, (-509, 1)),  # at the very first
    ],
)
def test_the_canonical_forms(
    gamma: float, beta: float, mean: float, expected: tuple[int, int]
) -> None:
    assert one_channel(gamma, beta, mean) == expected


def test_a_shifted_threshold_is_caught() -> None:
    config = NetworkConfig("small", (4,), 3, (6,), input_bits=4)
    net = ScaleDropNet(config, 1).double().eval()
    frozen = freeze(net, {})
    output = frozen.layers[0].output
    assert isinstance(output, Threshold)
    wrong = Threshold(output.threshold + 64, output.flip)
    layers = (dataclasses.replace(frozen.layers[0], output=wrong), *frozen.layers[1:])
    images = np.array(list(itertools.product(range(0, 16, 3), repeat=4)), dtype=np.uint8)
    broken = dataclasses.replace(frozen, layers=layers)
    assert first_difference(net, frozen, images) == ""
    assert first_difference(net, broken, images) == "hidden 0"


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_digits()


@pytest.fixture(scope="module")
def trained(digits: ImageSet) -> ScaleDropNet:
    return train(dataclasses.replace(CONFIGS["digits"], epochs=10), digits).net


def test_a_trained_network_on_all_test_images(trained: ScaleDropNet, digits: ImageSet) -> None:
    frozen = freeze(trained, {})
    double = ScaleDropNet(trained.config)
    double.load_state_dict(trained.state_dict())
    assert first_difference(double.double().eval(), frozen, digits.test_images) == ""


def test_freezing_leaves_the_network_as_it_was(trained: ScaleDropNet) -> None:
    before = {key: value.clone() for key, value in trained.state_dict().items()}
    trained.train()
    frozen = freeze(trained, {"from": "a test"})
    assert trained.training
    trained.eval()
    assert all(torch.equal(v, before[k]) for k, v in trained.state_dict().items())
    assert all(v.dtype == before[k].dtype for k, v in trained.state_dict().items())
    assert frozen.provenance == {"from": "a test"}
    assert [layer.drop_code for layer in frozen.layers] == [6554] * 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "key",
    [
        "layers.0.linear.weight",
        "layers.1.scale.alpha",
        "layers.0.norm.weight",
        "layers.0.norm.running_mean",
        "layers.1.norm.running_var",
        "layers.1.norm.bias",
    ],
)
def test_what_is_not_a_number_is_refused(key: str, value: float) -> None:
    net = ScaleDropNet(NetworkConfig("small", (4,), 3, (6,)))
    net.state_dict()[key].view(-1)[1] = value
    with pytest.raises(UserError) as error:
        freeze(net, {})
    assert str(error.value) == (
        f"{key}: has a value that is not a number; train again with a lower learning_rate"
    )


def test_other_values_that_cannot_be_frozen_are_refused() -> None:
    net = ScaleDropNet(NetworkConfig("small", (4,), 3, (6,)))
    with torch.no_grad():
        net.blocks[0].scale.alpha[2] = 4.5
    with pytest.raises(UserError, match=r"^layers.0.scale.alpha: 4.5 does not fit 8 bits"):
        freeze(net, {})
    net = ScaleDropNet(NetworkConfig("small", (4,), 3, (6,)))
    net.blocks[1].norm.running_var[0] = -1.0
    with pytest.raises(UserError, match=r"^layers.1.norm.running_var: has a negative variance"):
        freeze(net, {})
    net = ScaleDropNet(NetworkConfig("small", (4,), 3, (6,))).double()
    net.blocks[0].norm.running_mean[0] = 1e308
    net.blocks[0].norm.weight.data[0] = 10.0
    with pytest.raises(UserError, match=r"^layers.0.norm: overflows for some sums"):
        freeze(net, {})
    wide = NetworkConfig(
        "wide", (4096,), 2, (), input_bits=16, scale_bits=16, scale_frac_bits=8, gain_bits=24
    )
    with pytest.raises(UserError, match=r"^gain_bits: logits of 68 bits are not exact in float64"):
        freeze(ScaleDropNet(wide), {})
