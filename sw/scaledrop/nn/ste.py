# SPDX-License-Identifier: Apache-2.0
"""Steps with straight-through gradients: signs, k-bit codes and rounding.

A step has no useful derivative, so training puts that of a smooth neighbour in its place:

========  ======================================  ===================================
name      derivative of sign at x                 source
========  ======================================  ===================================
clip      1 where ``|x| <= 1``, else 0            Courbariaux et al., arXiv 1602.02830
bireal    ``2 - 2|x|`` where ``|x| <= 1``, else 0  Bi-Real Net, arXiv 1808.00278
tanh      ``1 - tanh(x)**2``                      the derivative of tanh
========  ======================================  ===================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from scaledrop.errors import UserError
from scaledrop.numbers import sign_bit

__all__ = ["ESTIMATORS", "check_ste", "quantise", "round_half_up", "round_to", "sign"]


def _clip(x: Tensor) -> Tensor:
    return (x.abs() <= 1).to(x.dtype)


def _bireal(x: Tensor) -> Tensor:
    return (2 - 2 * x.abs()).clamp(min=0)


def _tanh(x: Tensor) -> Tensor:
    return 1 - torch.tanh(x).square()


ESTIMATORS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"clip": _clip, "bireal": _bireal, "tanh": _tanh}
)
"""Derivatives by name."""


def check_ste(name: Any) -> None:
    """Refuse an unknown estimator.

    Raises:
        UserError: ``name`` is not a key of :data:`ESTIMATORS`.
    """
    if not isinstance(name, str) or name not in ESTIMATORS:
        raise UserError(f"ste: must be one of {', '.join(ESTIMATORS)}, not {name!r}")


class _Quantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, planes: int, ste: str) -> Tensor:
        ctx.save_for_backward(y)
        ctx.planes, ctx.ste = planes, ste
        if planes == 1:
            bits: Tensor = sign_bit(y)
            signs: Tensor = bits.to(y.dtype) * 2 - 1
            return signs
        # The shift by one is made after the floor, where it cannot round.
        half, top = 2 ** (planes - 1), 2**planes - 1
        codes: Tensor = (torch.floor(y * half) + half).clamp(0, top)
        values: Tensor = codes * 2 - top
        return values

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (y,) = ctx.saved_tensors
        slope = (2**ctx.planes - 1) * ESTIMATORS[ctx.ste](y)
        return grads[0] * slope.to(grads[0].dtype), None, None


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, frac_bits: int, half_up: bool) -> Tensor:
        units = x * 2.0**frac_bits
        whole = torch.floor(units + 0.5) if half_up else torch.round(units)
        return whole * 2.0**-frac_bits

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0], None, None


def quantise(y: Tensor, planes: int, ste: str) -> Tensor:
    """k-bit activation: the odd integer ``2c - (2**k - 1)`` of the code

        c = clamp(floor((y + 1) * 2**(k - 1)), 0, 2**k - 1)

    as :func:`scaledrop.numbers.stream_code` and :func:`scaledrop.numbers.decode` have it; for
    k = 1 it is sign(y) with sign(0) = +1. The gradient is ``2**k - 1`` times that of the estimator.

    Args:
        y: any shape, floating; the result has its dtype.
        planes: k, 1 to 8.
        ste: key of :data:`ESTIMATORS`.
    """
    result: Tensor = _Quantise.apply(y, planes, ste)  # type: ignore[no-untyped-call]
    return result


def sign(x: Tensor, ste: str) -> Tensor:
    """-1 and +1, sign(0) = +1: :func:`quantise` to one bit."""
    return quantise(x, 1, ste)


def round_to(x: Tensor, frac_bits: int) -> Tensor:
    """Nearest multiple of ``2**-frac_bits``, ties to even; the gradient passes unchanged."""
    result: Tensor = _Round.apply(x, frac_bits, False)  # type: ignore[no-untyped-call]
    return result


def round_half_up(x: Tensor, frac_bits: int) -> Tensor:
    """Nearest multiple of ``2**-frac_bits``, ties upwards; the gradient passes unchanged."""
    result: Tensor = _Round.apply(x, frac_bits, True)  # type: ignore[no-untyped-call]
    return result
