# SPDX-License-Identifier: Apache-2.0
"""BatchNorm that evaluates in operations exact enough to be folded into integers.

All three take (B, C) and (B, C, H, W) and give the same shape; in training they are the BatchNorm
of PyTorch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from scaledrop.nn.ste import round_half_up
from scaledrop.numbers import quantise_affine

__all__ = ["HeadBatchNorm", "ScaleBatchNorm", "StreamBatchNorm", "saturate_stream"]


def _like(values: Tensor, x: Tensor) -> Tensor:
    """(C,) as (C, 1, ...) so that it broadcasts over the positions of ``x``."""
    return values.reshape(-1, *[1] * (x.ndim - 2))


class _FixedBatchNorm(_BatchNorm):
    """Affine, with running statistics; both are needed for freezing."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in (2, 4):
            raise ValueError(f"expected (B, C) or (B, C, H, W), not {tuple(input.shape)}")


class ScaleBatchNorm(_FixedBatchNorm):
    """BatchNorm of a hidden layer. In evaluation

        inv_std = 1 / sqrt(var + eps)
        y = (((x - mean) * inv_std) * gamma) + beta

    as separate elementwise operations in exactly this order. Each rounds once, whatever the shape
    of the batch, and none can be fused with another; each is monotone in ``x``. Hence in float64
    a code of ``y`` over integers changes at one point per level and channel at most, and freezing
    finds that point by bisection on this very method.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        inv_std = 1.0 / torch.sqrt(self.running_var + self.eps)
        centred = x - _like(self.running_mean, x)
        normalised = centred * _like(inv_std, x)
        scaled = normalised * _like(self.weight, x)
        return scaled + _like(self.bias, x)


class HeadBatchNorm(_FixedBatchNorm):
    """BatchNorm of the last layer. In evaluation it applies the affine map that is frozen:

        logit = gain * x + offset,  gain and offset rounded by :func:`numbers.quantise_affine`

    so that in float64 a logit is exactly its integer times ``2**-logit_frac_bits``, as long as the
    integer fits 53 bits.

    Parameters:
        channels: C.
        gain_bits: signed width of a gain.
        scale_frac_bits: unit of the input, ``2**-scale_frac_bits``.
    """

    def __init__(self, channels: int, gain_bits: int, scale_frac_bits: int) -> None:
        super().__init__(channels)
        self.gain_bits, self.scale_frac_bits = gain_bits, scale_frac_bits

    @torch.no_grad()
    def integer_affine(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
        """Gain (C,), offset (C,) and the fraction bits of the gain, from the running statistics.

        Raises:
            UserError: a gain or offset is not a number or does not fit.
        """
        mean, var, gamma, beta = (
            t.detach().cpu().double().numpy()
            for t in (self.running_mean, self.running_var, self.weight, self.bias)
        )
        with np.errstate(invalid="ignore"):
            gain = gamma / np.sqrt(var + self.eps)
        return quantise_affine(gain, beta - mean * gain, self.gain_bits, self.scale_frac_bits)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _affine(self, x: Tensor) -> tuple[Tensor, Tensor]:
        gain, offset, frac = self.integer_affine()
        unit = 2.0 ** -(frac + self.scale_frac_bits)
        values = torch.from_numpy(gain * 2.0**-frac), torch.from_numpy(offset * unit)
        return _like(values[0].to(x), x), _like(values[1].to(x), x)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        gain, offset = self._affine(x)
        y: Tensor = x * gain + offset
        return y


class StreamBatchNorm(HeadBatchNorm):
    """BatchNorm of a layer that feeds residual additions; saturates to the stream's format.

    In evaluation the affine map of :class:`HeadBatchNorm`, rounded half up to the stream's unit:
    :func:`numbers.stream_value` in floats, and in float64 exactly its integer times
    ``2**-stream_frac_bits``. In training BatchNorm, saturated.

    Parameters:
        channels, gain_bits, scale_frac_bits: as :class:`HeadBatchNorm`.
        stream_bits, stream_frac_bits: signed format of the stream.
    """

    def __init__(
        self,
        channels: int,
        gain_bits: int,
        scale_frac_bits: int,
        stream_bits: int,
        stream_frac_bits: int,
    ) -> None:
        super().__init__(channels, gain_bits, scale_frac_bits)
        self.stream_bits, self.stream_frac_bits = stream_bits, stream_frac_bits

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x)
        if not self.training:
            y = round_half_up(y, self.stream_frac_bits)
        return saturate_stream(y, self.stream_bits, self.stream_frac_bits)


def saturate_stream(value: Tensor, bits: int, frac_bits: int) -> Tensor:
    """The nearest value of the signed format; any shape. See :func:`numbers.saturate`."""
    top = 2 ** (bits - 1)
    return value.clamp(-top * 2.0**-frac_bits, (top - 1) * 2.0**-frac_bits)
