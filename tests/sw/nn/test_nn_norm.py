# SPDX-License-Identifier: Apache-2.0
"""BatchNorm in evaluation: PyTorch's for hidden layers, integers for heads and streams."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scaledrop.nn import HeadBatchNorm, ScaleBatchNorm, StreamBatchNorm
from scaledrop.numbers import stream_value


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


SHAPES = [(50, 4), (50, 4, 3, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_hidden_norm_in_evaluation_is_batch_norm(shape: tuple[int, ...]) -> None:
    norm = ScaleBatchNorm(4)
    norm(torch.randn(shape, generator=generator()) * 9 + 4)
    x = torch.randn(shape, generator=generator(1))
    expected = torch.nn.functional.batch_norm(
        x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps
    )
    torch.testing.assert_close(norm.eval()(x), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_training_is_batch_norm(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=generator()) * 9 + 4
    twin = (torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d)(4)
    expected = twin(x)
    for norm in (ScaleBatchNorm(4), HeadBatchNorm(4, 12, 6), StreamBatchNorm(4, 12, 6, 16, 8)):
        assert torch.equal(norm(x), expected)
        assert torch.equal(norm.running_var, twin.running_var)


def test_a_map_without_positions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(B, C\) or \(B, C, H, W\), not \(2, 4, 3\)"):
        ScaleBatchNorm(4)(torch.ones(2, 4, 3))


@pytest.mark.parametrize("shape", SHAPES)
def test_head_norm_in_evaluation_is_its_integer_affine(shape: tuple[int, ...]) -> None:
    norm = HeadBatchNorm(4, gain_bits=12, scale_frac_bits=6).double()
    norm(torch.randn(shape, generator=generator(), dtype=torch.float64) * 9)
    gain, offset, frac = norm.integer_affine()
    shat = torch.randint(-9999, 9999, shape, generator=generator(1))
    by_channel = (-1, *[1] * (len(shape) - 2))
    integers = gain.reshape(by_channel) * shat.numpy() + offset.reshape(by_channel)
    logits = norm.eval()(shat.double() / 64).detach().numpy()
    assert (logits * 2.0 ** (6 + frac) == integers).all()


@pytest.mark.parametrize("stream", [(16, 8), (10, 6), (6, 0)])
def test_stream_norm_in_evaluation_is_the_rule_of_streams(stream: tuple[int, int]) -> None:
    bits, frac_bits = stream
    norm = StreamBatchNorm(4, 12, 6, *stream).double()
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, -0.3, 0.0, 5.0]))
        norm.bias.copy_(torch.tensor([0.5, -0.25, 1.5, 0.0]))
    norm(torch.randn(60, 4, generator=generator(), dtype=torch.float64) * 9)
    gain, offset, frac = norm.integer_affine()
    shat = torch.randint(-9999, 9999, (500, 4), generator=generator(1))
    expected = stream_value(shat.numpy(), gain, offset, 6 + frac - frac_bits, bits)
    values = norm.eval()(shat.double() / 64).detach().numpy() * 2.0**frac_bits
    assert np.array_equal(values, expected)
    assert np.abs(expected[:, 3]).max() >= 2 ** (bits - 1) - 1 or bits == 16


def test_streams_round_ties_up_and_saturate() -> None:
    norm = StreamBatchNorm(1, 12, 0, 4, 1).double().eval()
    norm.eps = 0.0
    with torch.no_grad():
        norm.weight.fill_(0.25)
    x = torch.tensor([[-99.0], [-3.0], [-1.0], [0.0], [1.0], [3.0], [99.0]], dtype=torch.float64)
    assert norm(x).flatten().tolist() == [-4.0, -0.5, 0.0, 0.0, 0.5, 1.0, 3.5]


def test_streams_saturate_in_training_and_pass_the_gradient_inside() -> None:
    norm = StreamBatchNorm(1, 12, 6, 4, 2)
    x = torch.tensor([[-9.0], [-1.0], [1.0], [9.0]], requires_grad=True)
    with torch.no_grad():
        norm.weight.fill_(3.0)
    y = norm(x)
    assert y.flatten().tolist()[::3] == [-2.0, 1.75]
    y.sum().backward()
    assert norm.bias.grad is not None and norm.bias.grad.item() == 2
    norm.eval()(x).sum().backward()
    assert x.grad is not None and x.grad[1] != 0
