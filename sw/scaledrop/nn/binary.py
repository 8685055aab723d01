# SPDX-License-Identifier: Apache-2.0
"""Binary weights and binary activations with straight-through gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from scaledrop.errors import UserError
from scaledrop.numbers import sign_bit

__all__ = ["BinaryLinear", "SignActivation"]


class _Sign(torch.autograd.Function):
    """sign(x) with sign(0) = +1; the gradient passes where ``|x| <= 1`` and is cut elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        bits: Tensor = sign_bit(x)
        return 2 * bits.to(x.dtype) - 1

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        x: Tensor = ctx.saved_tensors[0]
        return grads[0] * (x.abs() <= 1).to(grads[0].dtype)


def _sign(x: Tensor) -> Tensor:
    result: Tensor = _Sign.apply(x)  # type: ignore[no-untyped-call]
    return result


class SignActivation(nn.Module):
    """a = sign(y), entries -1 and +1, sign(0) = +1; gradient of hard tanh.

    Any shape, any floating dtype; the result has the dtype of the input.
    """

    def forward(self, y: Tensor) -> Tensor:
        return _sign(y)


class BinaryLinear(nn.Module):
    """s = B a with B = sign(W - mean of W per output channel), the crossbar of one dense layer.

    In float64 the sum is exact while ``|s| < 2**53``, so no order of summation can change it.

    Parameters:
        in_features, out_features: at least 1 each.
        generator: source of the initial weights, N(0, 1 / in_features).

    Attributes:
        weight: (out, in) latent weights W; only their signs after centring reach the hardware.

    Raises:
        UserError: a size below 1.

    Source: arXiv 2311.15816; the gradient is the clipped straight-through estimator of
    Courbariaux et al., arXiv 1602.02830.
    """

    def __init__(self, in_features: int, out_features: int, generator: torch.Generator) -> None:
        super().__init__()
        for field, value in (("in_features", in_features), ("out_features", out_features)):
            if value < 1:
                raise UserError(f"{field}: must be at least 1, not {value}; give for example 128")
        self.in_features, self.out_features = in_features, out_features
        weight = torch.randn(out_features, in_features, generator=generator)
        self.weight = nn.Parameter(weight / in_features**0.5)

    def binary_weight(self) -> Tensor:
        """B, (out, in), entries -1 and +1."""
        return _sign(self.weight - self.weight.mean(dim=1, keepdim=True))

    def forward(self, a: Tensor) -> Tensor:
        """(B, in) to (B, out)."""
        return nn.functional.linear(a, self.binary_weight())

    @torch.no_grad()
    def clamp_(self) -> None:
        """Bring W back into [-1, 1], outside which its gradient is cut. Call after each step."""
        self.weight.clamp_(-1, 1)
