# SPDX-License-Identifier: Apache-2.0
"""Steps and their straight-through gradients against formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.nn import QuantisedActivation
from scaledrop.nn.ste import ESTIMATORS, quantise, round_half_up, round_to, sign
from scaledrop.numbers import decode, stream_code

POINTS = [-2.0, -1.0, -0.75, -0.5, -0.0, 0.0, 0.25, 1.0, 1.5]
SLOPES = {
    "clip": [0, 1, 1, 1, 1, 1, 1, 1, 0],
    "bireal": [0, 0, 0.5, 1, 2, 2, 1.5, 0, 0],
    "tanh": [1 - math.tanh(x) ** 2 for x in POINTS],
}


def test_sign_of_zero_is_plus_one() -> None:
    assert sign(torch.tensor(POINTS), "clip").tolist() == [-1, -1, -1, -1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("planes", [1, 2, 3])
@pytest.mark.parametrize("ste", SLOPES)
def test_gradients_are_those_of_the_papers(ste: str, planes: int) -> None:
    y = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    weights = torch.arange(1.0, 10.0, dtype=torch.float64)
    (quantise(y, planes, ste) * weights).sum().backward()
    expected = [(2**planes - 1) * w * d for w, d in zip(range(1, 10), SLOPES[ste], strict=True)]
    assert y.grad is not None and y.grad.tolist() == pytest.approx(expected, abs=1e-13)


def test_every_estimator_is_tested() -> None:
    assert set(SLOPES) == set(ESTIMATORS)


@pytest.mark.parametrize("planes", range(1, 9))
def test_codes_are_those_of_the_contract(planes: int) -> None:
    units = np.arange(-(2**11), 2**11)
    expected = decode(stream_code(units, 9, planes), planes)
    y = torch.from_numpy(units * 2.0**-9)
    for dtype in (torch.float64, torch.float32):
        assert quantise(y.to(dtype), planes, "clip").tolist() == expected.tolist()


@pytest.mark.parametrize("planes", [1, 2, 5])
def test_a_tiny_negative_number_lies_below_the_edge_at_zero(planes: int) -> None:
    y = torch.tensor([-1e-300, 0.0], dtype=torch.float64)
    assert quantise(y, planes, "clip").tolist() == [-1, 1]


def test_two_bits_by_hand() -> None:
    y = torch.tensor([-9.0, -1.0, -0.51, -0.5, -0.01, 0.0, 0.49, 0.5, 1.0, 9.0])
    assert QuantisedActivation(2)(y).tolist() == [-3, -3, -3, -1, -1, 1, 1, 3, 3, 3]


def test_codes_are_exact_in_half_precision() -> None:
    y = torch.linspace(-1.5, 1.5, 999).to(torch.bfloat16)
    codes = quantise(y, 8, "clip")
    assert codes.dtype == torch.bfloat16
    assert torch.equal(codes.double(), quantise(y.double(), 8, "clip"))


def test_rounding_and_its_gradient() -> None:
    x = torch.tensor([-0.75, -0.25, 0.25, 0.75, 0.3], requires_grad=True)
    assert round_to(x, 1).tolist() == [-1.0, 0.0, 0.0, 1.0, 0.5]
    assert round_half_up(x, 1).tolist() == [-0.5, 0.0, 0.5, 1.0, 0.5]
    (round_to(x, 1) + round_half_up(x, 1)).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [2.0] * 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "planes: must be 1 to 8, not 0; 1 is usual"),
        ((9,), "planes: must be 1 to 8, not 9; 1 is usual"),
        ((1, "step"), "ste: must be one of clip, bireal, tanh, not 'step'"),
    ],
)
def test_a_wrong_activation_is_refused(arguments: tuple[int, str], message: str) -> None:
    with pytest.raises(UserError) as error:
        QuantisedActivation(*arguments)
    assert str(error.value) == message
