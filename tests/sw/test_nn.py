# SPDX-License-Identifier: Apache-2.0
"""Layers and network: signs, masks per sample, quantised scales, messages."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.nn import (
    BinaryLinear,
    HeadBatchNorm1d,
    NetworkConfig,
    ScaleBatchNorm1d,
    ScaleDropNet,
    ScaleDropout,
    SignActivation,
    adaptive_p,
)
from scaledrop.numbers import quantise_scale

CONFIG = NetworkConfig("net", input_shape=(4, 4), classes=3, hidden=(12, 8), p=0.25)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pixels(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (count, 16), generator=generator(seed))


def test_sign_of_zero_is_plus_one_and_its_gradient_is_hard_tanh() -> None:
    y = torch.tensor([-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0], requires_grad=True)
    a = SignActivation()(y)
    a.sum().backward()
    assert a.tolist() == [-1, -1, -1, 1, 1, 1, 1, 1]
    assert y.grad is not None and y.grad.tolist() == [0, 1, 1, 1, 1, 1, 1, 0]


def test_binary_weight_is_the_sign_after_centring_each_channel() -> None:
    layer = BinaryLinear(3, 3, generator())
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [-9.0, -1.0, -8.0]]))
    assert layer.binary_weight().tolist() == [[-1, 1, 1], [1, 1, 1], [-1, 1, -1]]
    assert layer(torch.tensor([[1.0, 10.0, 100.0]])).tolist() == [[109, 111, -91]]


def test_binary_weight_passes_the_gradient() -> None:
    layer = BinaryLinear(4, 2, generator())
    layer(torch.ones(1, 4)).square().sum().backward()
    layer(torch.tensor([[1.0, 2.0, 3.0, 4.0]])).square().sum().backward()
    assert layer.weight.grad is not None and layer.weight.grad.abs().sum() > 0


def test_clamp_brings_latent_values_back() -> None:
    net = ScaleDropNet(CONFIG)
    with torch.no_grad():
        net.blocks[0].linear.weight.fill_(7.0)
        net.blocks[0].scale.alpha.fill_(-7.0)
    net.clamp_()
    assert net.blocks[0].linear.weight.max() == 1
    assert net.blocks[0].scale.alpha.tolist() == [2.0**-6] * 12


def test_a_dropped_scale_becomes_one() -> None:
    scale = ScaleDropout(2, 0.1, generator=generator()).eval()
    with torch.no_grad():
        scale.alpha.copy_(torch.tensor([0.5, 2.25]))
    s = torch.tensor([[4.0, 8.0], [4.0, 8.0]])
    assert scale(s, torch.tensor([1, 0])).tolist() == [[2, 18], [4, 8]]
    assert scale(s, torch.tensor([[0], [1]])).tolist() == [[4, 8], [2, 18]]


def test_quantised_scale_is_the_contracts_with_ties_to_even() -> None:
    scale = ScaleDropout(4, 0.1, generator=generator()).eval()
    values = np.array([0.5, 1.5, 2.5, 200.4]) / 64
    with torch.no_grad():
        scale.alpha.copy_(torch.from_numpy(values))
    codes = (scale.quantised() * 64).tolist()
    assert codes == [0, 2, 2, 200] == quantise_scale(values, 8, 6).tolist()


def test_training_clamps_the_scale_to_its_format_and_passes_the_gradient() -> None:
    scale = ScaleDropout(3, 0.0, generator=generator())
    with torch.no_grad():
        scale.alpha.copy_(torch.tensor([-1.0, 1.1, 99.0]))
    shat = scale(torch.ones(1, 3))
    assert (shat * 64).tolist() == [[1, 70, 255]]
    shat.sum().backward()
    assert scale.alpha.grad is not None and scale.alpha.grad.tolist() == [0, 1, 0]


def test_one_bit_per_sample_for_the_whole_layer() -> None:
    scale = ScaleDropout(5, 0.5, generator=generator(3))
    with torch.no_grad():
        scale.alpha.fill_(2.0)
    shat = scale(torch.ones(64, 5))
    assert (shat == shat[:, :1]).all()
    assert set(shat[:, 0].tolist()) == {1.0, 2.0}


def test_drawn_bits_have_the_asked_probability() -> None:
    scale, samples = ScaleDropout(1, 0.1, generator=generator(1)), 200_000
    dropped = samples - int(scale.draw(samples).sum())
    deviation = math.sqrt(samples * scale.p * (1 - scale.p))
    assert abs(dropped - samples * scale.p) < 5 * deviation


def test_effective_p_is_the_drive_code() -> None:
    scale = ScaleDropout(1, 0.1, generator=generator())
    assert (scale.drop_code, scale.p) == (6554, 6554 / 65536)


def test_the_twin_without_dropout_never_drops() -> None:
    scale = ScaleDropout(1, 0.0, generator=generator())
    assert scale.draw(100_000).all()


def test_masks_come_from_the_networks_generator_only() -> None:
    def run(disturb: bool) -> torch.Tensor:
        net = ScaleDropNet(CONFIG, seed=5)
        if disturb:
            torch.manual_seed(99)
            torch.rand(7)
        result: torch.Tensor = net(pixels(32))
        return result

    before = torch.get_rng_state()
    first = run(disturb=False)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, run(disturb=True))


def test_set_seed_repeats_and_changes_the_masks() -> None:
    scale = ScaleDropNet(CONFIG, seed=5)
    bits = []
    for seed in (1, 1, 2):
        scale.set_seed(seed)
        bits.append(scale.blocks[1].scale.draw(64))
    assert torch.equal(bits[0], bits[1]) and not torch.equal(bits[0], bits[2])


def test_layers_share_one_stream() -> None:
    net = ScaleDropNet(CONFIG)
    assert not torch.equal(net.blocks[0].scale.draw(64), net.blocks[1].scale.draw(64))


def normalised_net() -> ScaleDropNet:
    """A network with the statistics of some images, and offsets: at a threshold of 0 the scale
    would have no say.
    """
    net = ScaleDropNet(dataclasses.replace(CONFIG, hidden=(32, 32)), seed=1)
    for block in net.blocks:
        block.norm.momentum = 1.0
        torch.nn.init.uniform_(block.norm.bias, -1, 1, generator=generator())
    net(pixels(256, seed=1))
    return net


def test_masks_differ_within_a_batch() -> None:
    logits = normalised_net()(pixels(1).repeat(64, 1))
    assert (logits != logits[0]).any()


@pytest.mark.parametrize("layer", range(3))
def test_the_bit_of_each_layer_matters_where_its_scale_is_not_one(layer: int) -> None:
    net = normalised_net().double().eval()
    masks = torch.ones(256, 3)
    _, kept = net.trace(pixels(256), masks)
    masks[:, layer] = 0
    _, dropped = net.trace(pixels(256), masks)
    assert not torch.equal(kept, dropped)


def test_masks_do_not_matter_where_every_scale_is_one() -> None:
    net = ScaleDropNet(dataclasses.replace(CONFIG, init_spread=0.0)).double().eval()
    masks = torch.cartesian_prod(*[torch.tensor([0, 1])] * 3)
    _, logits = net.trace(pixels(1).repeat(8, 1), masks)
    assert (logits == logits[0]).all()


def test_evaluation_does_not_depend_on_the_batch() -> None:
    net = ScaleDropNet(CONFIG, seed=2)
    for _ in range(3):
        net(pixels(64))
    net.double().eval()
    masks = torch.randint(0, 2, (33, 3), generator=generator())
    hidden, logits = net.trace(pixels(33), masks)
    for row in range(33):
        alone, logit = net.trace(pixels(33)[row : row + 1], masks[row : row + 1])
        assert torch.equal(logit[0], logits[row])
        assert all(torch.equal(a[0], h[row]) for a, h in zip(alone, hidden, strict=True))


def test_trace_and_forward_agree_and_shapes_are_as_documented() -> None:
    net = ScaleDropNet(CONFIG).double().eval()
    masks = torch.ones(5, 3)
    hidden, logits = net.trace(pixels(5), masks)
    assert [tuple(h.shape) for h in hidden] == [(5, 12), (5, 8)]
    assert all(h.dtype == torch.uint8 for h in hidden)
    assert torch.equal(logits, net(pixels(5).reshape(5, 4, 4), masks))


def test_hidden_norm_in_evaluation_is_batch_norm() -> None:
    norm = ScaleBatchNorm1d(6)
    norm(torch.randn(50, 6, generator=generator()) * 9 + 4)
    x = torch.randn(7, 6, generator=generator(1))
    expected = torch.nn.functional.batch_norm(
        x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps
    )
    torch.testing.assert_close(norm.eval()(x), expected)


def test_head_norm_in_evaluation_is_its_integer_affine() -> None:
    norm = HeadBatchNorm1d(4, gain_bits=12, scale_frac_bits=6).double()
    norm(torch.randn(50, 4, generator=generator(), dtype=torch.float64) * 9)
    gain, offset, frac = norm.integer_affine()
    shat = torch.randint(-9999, 9999, (7, 4), generator=generator(1))
    integers = gain * shat.numpy() + offset
    logits = norm.eval()(shat.double() / 64).detach().numpy()
    assert (logits * 2.0 ** (6 + frac) == integers).all()


def test_adaptive_p_grows_with_the_layer() -> None:
    assert adaptive_p([100, 10_000, 1000]) == pytest.approx((0.1, 0.2, 0.15))
    assert adaptive_p([7, 7], 0.05, 0.3) == (0.05, 0.05)
    config = dataclasses.replace(CONFIG, p="adaptive")
    assert config.layer_p == adaptive_p([192, 96, 24])


def test_one_number_stands_for_all_layers() -> None:
    assert CONFIG.p == (0.25, 0.25, 0.25)
    assert dataclasses.replace(CONFIG, p=(0, 0.5, 0.1)).p == (0.0, 0.5, 0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p": 1.0}, r"p\[0\]: dropout probability must be in \[0, 1\), not 1.0; give for"),
        ({"p": (0.1, -0.5, 0.1)}, r"p\[1\]: dropout probability must be in \[0, 1\), not -0.5"),
        ({"p": float("nan")}, r"p\[0\]: dropout probability must be in \[0, 1\), not nan"),
        ({"p": (0.1, 0.1)}, "p: must have one value per layer, 3, not 2; or give a single number"),
        ({"p": None}, r"p\[0\]: must be a number, not None; give for example 0.1"),
        ({"hidden": 128}, r"hidden: must be a list of sizes, not 128; try \(128, 128\)"),
        ({"p": "large"}, "p: must be numbers or 'adaptive', not 'large'; try 0.1"),
        ({"name": "a b"}, "name: 'a b' must be 1 to 64 letters, digits, '-' and '_' only"),
        ({"input_shape": ()}, r"input_shape: must have a dimension, not \(\); give for example"),
        ({"input_shape": (8, 0)}, "input_shape: must be 1 to 1048576, not 0; give sizes such"),
        ({"hidden": (16, -1)}, "hidden: must be 1 to 1048576, not -1; give sizes such as 128"),
        ({"hidden": (16, 2.5)}, "hidden: must be 1 to 1048576, not 2.5; give sizes such as 128"),
        ({"classes": 1}, "classes: must be 2 to 1048576, not 1; give the number of classes"),
        ({"input_bits": 17}, "input_bits: must be 1 to 16, not 17; 8 is usual"),
        ({"scale_bits": 0}, "scale_bits: must be 1 to 16, not 0; 8 is usual"),
        ({"scale_frac_bits": 8}, "scale_frac_bits: must be 0 to 7, not 8; 1.0 must be exact"),
        ({"gain_bits": 1}, "gain_bits: must be 2 to 24, not 1; 12 is usual"),
        ({"init_spread": -0.1}, "init_spread: must be 0 to 1, not -0.1; 0.3 is usual"),
    ],
)
def test_a_wrong_network_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        dataclasses.replace(CONFIG, **change)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0.1), "channels: must be at least 1, not 0; give for example 128"),
        ((4, 1.5), r"p: dropout probability must be in \[0, 1\), not 1.5; give for example 0.1"),
        ((4, 0.1, 8, 8), "scale_frac_bits: must be 0 to scale_bits - 1 .*, not 8 of 8; give for"),
        ((4, 0.1, 8, 6, 2.0), "init_spread: must be 0 to 1, not 2.0; give for example 0.3"),
    ],
)
def test_a_wrong_scale_layer_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        ScaleDropout(*arguments, generator=generator())


def test_a_wrong_binary_layer_is_refused() -> None:
    with pytest.raises(UserError, match=r"^in_features: must be at least 1, not 0; give for"):
        BinaryLinear(0, 4, generator())


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (None, "keep: evaluation needs the mask bits; give a (B,) tensor of 0/1"),
        (torch.ones(3), "keep: shape must be (2,) or (2, 1), not (3,); give one bit per sample"),
        (torch.tensor([0.5, 1.0]), "keep: must be 0 or 1; give 1 to keep the scale"),
    ],
)
def test_wrong_bits_are_refused(keep: torch.Tensor | None, message: str) -> None:
    scale = ScaleDropout(4, 0.1, generator=generator()).eval()
    with pytest.raises(UserError) as error:
        scale(torch.ones(2, 4), keep)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("images", "masks", "message"),
    [
        (torch.ones(2, 15), torch.ones(2, 3), "pixels: shape must be (B, 16), not (2, 15)"),
        (
            torch.full((2, 16), 0.5),
            torch.ones(2, 3),
            "pixels: must be whole numbers 0 to 255; do not scale or centre them",
        ),
        (
            torch.full((2, 16), 256),
            torch.ones(2, 3),
            "pixels: must be whole numbers 0 to 255; do not scale or centre them",
        ),
        (
            torch.ones(2, 16),
            None,
            "masks: evaluation needs them; give a (B, 3) tensor of 0/1",
        ),
        (
            torch.ones(2, 16),
            torch.ones(2, 4),
            "masks: shape must be (2, 3), not (2, 4); give one bit per sample and layer",
        ),
    ],
)
def test_wrong_inputs_are_refused(
    images: torch.Tensor, masks: torch.Tensor | None, message: str
) -> None:
    with pytest.raises(UserError) as error:
        ScaleDropNet(CONFIG).eval()(images, masks)
    assert str(error.value) == message


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UserError, match=r"^seed: must be 0 to .*, not -1; give a whole number"):
        ScaleDropNet(CONFIG, seed=-1)
