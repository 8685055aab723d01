# SPDX-License-Identifier: Apache-2.0
"""The stochastic scale: unitary dropout, the format of alpha, where bits come from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.nn import ScaleDropout, adaptive_p
from scaledrop.nn.scale import draw_bits
from scaledrop.numbers import quantise_scale


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_dropped_scale_becomes_one() -> None:
    scale = ScaleDropout(2, 0.1, generator=generator()).eval()
    with torch.no_grad():
        scale.alpha.copy_(torch.tensor([0.5, 2.25]))
    s = torch.tensor([[4.0, 8.0], [4.0, 8.0]])
    assert scale(s, torch.tensor([1, 0])).tolist() == [[2, 18], [4, 8]]
    assert scale(s, torch.tensor([[0], [1]])).tolist() == [[4, 8], [2, 18]]


def test_one_bit_holds_for_every_position_of_a_map() -> None:
    scale = ScaleDropout(2, 0.1, generator=generator()).eval()
    with torch.no_grad():
        scale.alpha.copy_(torch.tensor([0.5, 2.0]))
    s = torch.ones(2, 2, 3, 3)
    expected = torch.tensor([[0.5, 2.0], [1.0, 1.0]])[:, :, None, None].expand(2, 2, 3, 3)
    assert torch.equal(scale(s, torch.tensor([True, False])), expected)


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


def test_a_dropped_scale_gets_no_gradient() -> None:
    scale = ScaleDropout(2, 0.5, generator=generator())
    scale(torch.ones(2, 2, 3, 3), torch.tensor([1, 0])).sum().backward()
    assert scale.alpha.grad is not None and scale.alpha.grad.tolist() == [9, 9]


@pytest.mark.parametrize(("mask", "kinds"), [("sample", 2), ("batch", 1)])
def test_bits_are_drawn_per_sample_or_per_batch(mask: str, kinds: int) -> None:
    scale = ScaleDropout(5, 0.5, mask=mask, generator=generator(3))
    with torch.no_grad():
        scale.alpha.fill_(2.0)
    shat = scale(torch.ones(64, 5))
    assert (shat == shat[:, :1]).all()
    assert len(set(shat[:, 0].tolist())) == kinds


def test_a_batch_mask_changes_from_batch_to_batch() -> None:
    scale = ScaleDropout(1, 0.5, mask="batch", generator=generator())
    bits = torch.stack([scale.draw(7) for _ in range(50)])
    assert (bits == bits[:, :1]).all() and 0 < bits[:, 0].sum() < 50


def test_drawn_bits_have_the_asked_probability() -> None:
    scale, samples = ScaleDropout(1, 0.1, generator=generator(1)), 200_000
    dropped = samples - int(scale.draw(samples).sum())
    deviation = math.sqrt(samples * scale.p * (1 - scale.p))
    assert abs(dropped - samples * scale.p) < 5 * deviation


def test_each_layer_has_its_own_probability_and_its_own_bits() -> None:
    samples = 100_000
    bits = draw_bits([0, 6554, 32768, 32768], samples, "sample", generator()).double()
    assert bits[:, 0].all()
    for column, p in ((1, 0.1), (2, 0.5), (3, 0.5)):
        deviation = math.sqrt(p * (1 - p) / samples)
        assert abs(1 - float(bits[:, column].mean()) - p) < 5 * deviation
    both = float((bits[:, 2] * bits[:, 3]).mean())
    assert abs(both - 0.25) < 5 * math.sqrt(0.25 * 0.75 / samples)


def test_effective_p_is_the_drive_code() -> None:
    scale = ScaleDropout(1, 0.1, generator=generator())
    assert (scale.drop_code, scale.p) == (6554, 6554 / 65536)


def test_the_twin_without_dropout_never_drops() -> None:
    assert ScaleDropout(1, 0.0, generator=generator()).draw(100_000).all()


def test_first_scales() -> None:
    start = torch.tensor([0.0, 0.5, 99.0])
    assert ScaleDropout(3, 0.1, generator=generator()).alpha.tolist() == [1, 1, 1]
    mean = ScaleDropout(3, 0.1, init="mean", start=start, generator=generator())
    assert mean.alpha.tolist() == [2.0**-6, 0.5, 255 / 64]
    spread = ScaleDropout(3, 0.1, init="spread", init_spread=0.25, generator=generator(4))
    expected = 1 + 0.25 * torch.randn(3, generator=generator(4))
    assert torch.equal(spread.alpha, expected)


def test_adaptive_p_grows_with_the_layer() -> None:
    assert adaptive_p([100, 10_000, 1000]) == pytest.approx((0.1, 0.2, 0.15))
    assert adaptive_p([7, 7], 0.05, 0.3) == (0.05, 0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channels": 0}, "channels: must be at least 1, not 0; give for example 128"),
        ({"p": 1.5}, r"p: dropout probability must be in \[0, 1\), not 1.5; give for example 0.1"),
        ({"scale_frac_bits": 8}, "scale_frac_bits: must be 0 to scale_bits - 1 .*, not 8 of 8"),
        ({"init_spread": 2.0}, "init_spread: must be 0 to 1, not 2.0; give for example 0.3"),
        ({"init": "zero"}, "init: must be one of ones, mean, spread, not 'zero'"),
        ({"init": "mean"}, r"start: init 'mean' needs a \(4,\) tensor of first scales"),
        ({"mask": "layer"}, "mask: must be one of sample, batch, not 'layer'"),
    ],
)
def test_a_wrong_scale_layer_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        ScaleDropout(**{"channels": 4, "p": 0.1, "generator": generator(), **arguments})


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
