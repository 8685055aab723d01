# SPDX-License-Identifier: Apache-2.0
"""Crossbars: dense and convolutional sums over binary weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from scaledrop.errors import UserError
from scaledrop.nn.ste import check_ste, round_to, sign

__all__ = ["BinaryConv2d", "BinaryLinear"]


class _Crossbar(nn.Module):
    """Latent weights (out, ...) and their signs; see the two subclasses."""

    def __init__(
        self, shape: tuple[int, ...], ste: str, normalise: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        check_ste(ste)
        self.ste, self.normalise = ste, normalise
        weight = torch.randn(shape, generator=generator)
        self.weight = nn.Parameter(weight / math.prod(shape[1:]) ** 0.5)

    @property
    def fan_in(self) -> int:
        """Rows of the unrolled crossbar."""
        return self.weight[0].numel()

    def centred_weight(self) -> Tensor:
        """W less its mean per output channel, (out, ...); with ``normalise`` also divided by its
        standard deviation. What the straight-through estimator sees."""
        dims = tuple(range(1, self.weight.ndim))
        centred = self.weight - self.weight.mean(dim=dims, keepdim=True)
        if not self.normalise:
            return centred
        deviation = centred.std(dim=dims, keepdim=True, correction=0)
        scaled = centred / deviation.clamp(min=torch.finfo(centred.dtype).tiny)
        # A quotient that underflows would lose its sign.
        return torch.where(scaled == 0, centred, scaled)

    def binary_weight(self) -> Tensor:
        """B, shape of ``weight``, entries -1 and +1; sign(0) = +1."""
        return sign(self.centred_weight(), self.ste)

    @torch.no_grad()
    def clamp_(self) -> None:
        """Bring W back into [-1, 1], outside which its gradient may be cut. Call after each step.

        Normalised weights are brought into range by the normalisation and stay as they are.
        """
        if not self.normalise:
            self.weight.clamp_(-1, 1)


def _check_sizes(**sizes: int) -> None:
    for field, value in sizes.items():
        low = 0 if field == "padding" else 1
        if value < low:
            raise UserError(f"{field}: must be at least {low}, not {value}; give for example 1")


class BinaryLinear(_Crossbar):
    """s = B a with B = sign(W - mean of W per output channel), the crossbar of one dense layer.

    In float64 the sum is exact while ``|s| < 2**53``, so no order of summation can change it.

    Parameters:
        in_features, out_features: at least 1 each.
        generator: source of the initial weights, N(0, 1 / in_features).
        ste: straight-through estimator of the signs (see :mod:`scaledrop.nn.ste`).
        normalise: divide the centred weights of a channel by their standard deviation before the
            estimator (as IR-Net, arXiv 1909.10788); no sign changes.

    Attributes:
        weight: (out, in) latent weights W; only their signs after centring reach the hardware.

    Raises:
        UserError: a size below 1, or an unknown estimator.

    Source: arXiv 2311.15816.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        generator: torch.Generator,
        ste: str = "clip",
        normalise: bool = False,
    ) -> None:
        _check_sizes(in_features=in_features, out_features=out_features)
        super().__init__((out_features, in_features), ste, normalise, generator)
        self.in_features, self.out_features = in_features, out_features

    def forward(self, a: Tensor) -> Tensor:
        """(B, in), or (B, ...) that flattens to it, to (B, out)."""
        return nn.functional.linear(a.flatten(1), self.binary_weight())


class BinaryConv2d(_Crossbar):
    """The convolution of a with B, the signs of W after centring per output channel.

    Padding is worth 0: its rows of the crossbar are not driven. In float64 evaluation the sum is
    exact while ``|s| < 2**53``.

    Parameters:
        in_channels, out_channels, kernel, stride: at least 1 each; the kernel is square.
        padding: rows and columns of zeros at each edge.
        generator, ste, normalise: as :class:`BinaryLinear`.

    Attributes:
        weight: (out, in, K, K) latent weights W.

    Raises:
        UserError: a size out of range, or an unknown estimator.

    Source: arXiv 2311.15816.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        *,
        generator: torch.Generator,
        ste: str = "clip",
        normalise: bool = False,
    ) -> None:
        _check_sizes(in_channels=in_channels, out_channels=out_channels, kernel=kernel)
        _check_sizes(stride=stride, padding=padding)
        super().__init__((out_channels, in_channels, kernel, kernel), ste, normalise, generator)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, a: Tensor) -> Tensor:
        """(B, C, H, W) to (B, out, OH, OW)."""
        s = nn.functional.conv2d(a, self.binary_weight(), None, self.stride, self.padding)
        # Libraries may convolve by transforms (Winograd, FFT) that round; a sum is whole.
        return s if self.training else round_to(s, 0)
