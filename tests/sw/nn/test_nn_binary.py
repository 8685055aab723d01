# SPDX-License-Identifier: Apache-2.0
"""Crossbars: signs after centring, normalisation, exact sums, padding, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.nn import BinaryConv2d, BinaryLinear

ROWS = [[1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [-9.0, -1.0, -8.0]]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("normalise", [False, True])
def test_binary_weight_is_the_sign_after_centring_each_channel(normalise: bool) -> None:
    layer = BinaryLinear(3, 3, generator=generator(), normalise=normalise)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(ROWS))
    assert layer.binary_weight().tolist() == [[-1, 1, 1], [1, 1, 1], [-1, 1, -1]]
    assert layer(torch.tensor([[1.0, 10.0, 100.0]])).tolist() == [[109, 111, -91]]


@pytest.mark.parametrize("size", [1.0, 1e-30, 1e30, 1e-38])
def test_normalisation_changes_no_sign(size: float) -> None:
    plain = BinaryConv2d(3, 50, 3, generator=generator(1))
    scaled = BinaryConv2d(3, 50, 3, generator=generator(1), normalise=True)
    with torch.no_grad():
        for layer in (plain, scaled):
            layer.weight.mul_(size)
            layer.weight[0, 0, 0, 0] = 100 * size
    assert torch.equal(plain.binary_weight(), scaled.binary_weight())


def test_normalised_weights_have_unit_deviation_and_finite_gradients() -> None:
    layer = BinaryLinear(64, 5, generator=generator(), normalise=True)
    with torch.no_grad():
        layer.weight[3] = 7.0
    weight = layer.centred_weight()
    torch.testing.assert_close(weight.mean(dim=1), torch.zeros(5), atol=1e-6, rtol=0)
    deviation = weight.std(dim=1, correction=0)
    torch.testing.assert_close(deviation, torch.tensor([1.0, 1, 1, 0, 1]))
    layer(torch.randn(4, 64, generator=generator(1))).square().sum().backward()
    assert layer.weight.grad is not None and layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("ste", ["clip", "bireal", "tanh"])
def test_every_estimator_passes_a_gradient(ste: str, normalise: bool) -> None:
    layer = BinaryConv2d(2, 3, 3, ste=ste, normalise=normalise, generator=generator())
    layer(torch.randn(4, 2, 5, 5, generator=generator(1))).square().sum().backward()
    assert layer.weight.grad is not None and (layer.weight.grad != 0).sum() > 20


def test_only_weights_that_are_not_normalised_are_clamped() -> None:
    for normalise, largest in ((False, 1.0), (True, 7.0)):
        layer = BinaryLinear(2, 2, generator=generator(), normalise=normalise)
        with torch.no_grad():
            layer.weight.fill_(7.0)
        layer.clamp_()
        assert layer.weight.max() == largest


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(1, 1, 0), (3, 1, 1), (5, 2, 2)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_convolution_is_the_integer_sum(
    kernel: int, stride: int, padding: int, dtype: torch.dtype
) -> None:
    layer = BinaryConv2d(4, 6, kernel, stride, padding, generator=generator()).to(dtype).eval()
    a = torch.randint(0, 256, (3, 4, 9, 9), generator=generator(1))
    padded = np.pad(a.numpy(), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    views = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (2, 3))
    cells = layer.binary_weight().detach().long().numpy()
    expected = np.einsum("bcxyij,ocij->boxy", views[:, :, ::stride, ::stride], cells)
    assert np.array_equal(layer(a.to(dtype)).detach().numpy(), expected)


def test_evaluation_of_a_convolution_still_passes_the_gradient() -> None:
    layer = BinaryConv2d(1, 1, 3, generator=generator()).eval()
    a = torch.ones(1, 1, 3, 3, requires_grad=True)
    layer(a).sum().backward()
    assert a.grad is not None and torch.equal(a.grad, layer.binary_weight())


@pytest.mark.parametrize(
    ("kind", "sizes", "message"),
    [
        (BinaryLinear, (0, 4), "in_features: must be at least 1, not 0; give for example 1"),
        (BinaryLinear, (4, -1), "out_features: must be at least 1, not -1; give for example 1"),
        (BinaryConv2d, (4, 4, 0), "kernel: must be at least 1, not 0; give for example 1"),
        (BinaryConv2d, (4, 4, 3, 0), "stride: must be at least 1, not 0; give for example 1"),
        (BinaryConv2d, (4, 4, 3, 1, -1), "padding: must be at least 0, not -1; give for example 1"),
    ],
)
def test_a_wrong_crossbar_is_refused(kind: Any, sizes: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError) as error:
        kind(*sizes, generator=generator())
    assert str(error.value) == message


def test_an_unknown_estimator_is_refused() -> None:
    with pytest.raises(UserError, match=r"^ste: must be one of clip, bireal, tanh, not 'sign'"):
        BinaryLinear(2, 2, generator=generator(), ste="sign")
