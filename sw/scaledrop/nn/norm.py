# SPDX-License-Identifier: Apache-2.0
"""BatchNorm that evaluates in operations exact enough to be folded into integers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from scaledrop.numbers import quantise_affine

__all__ = ["HeadBatchNorm1d", "ScaleBatchNorm1d"]


class _FixedBatchNorm1d(nn.BatchNorm1d):
    """Affine BatchNorm over (B, C) with running statistics; both are needed for freezing."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels)


class ScaleBatchNorm1d(_FixedBatchNorm1d):
    """BatchNorm of a hidden layer. In evaluation

        inv_std = 1 / sqrt(var + eps)
        y = (((x - mean) * inv_std) * gamma) + beta

    as separate elementwise operations in exactly this order. Each rounds once, whatever the shape
    of the batch, and none can be fused with another; each is monotone in ``x``. Hence in float64
    the sign of ``y`` over integers changes at one point per channel at most, and freezing finds
    that point by bisection on this very method.

    Shape: (B, C) to (B, C). In training it is ``torch.nn.BatchNorm1d``.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        inv_std = 1.0 / torch.sqrt(self.running_var + self.eps)
        centred = x - self.running_mean
        normalised = centred * inv_std
        scaled = normalised * self.weight
        return scaled + self.bias


class HeadBatchNorm1d(_FixedBatchNorm1d):
    """BatchNorm of the last layer. In evaluation it applies the affine map that is frozen:

        logit = gain * x + offset,  gain and offset rounded by :func:`numbers.quantise_affine`

    so that in float64 a logit is exactly its integer times ``2**-logit_frac_bits``, as long as the
    integer fits 53 bits.

    Parameters:
        channels: C.
        gain_bits: signed width of a gain.
        scale_frac_bits: unit of the input, ``2**-scale_frac_bits``.

    Shape: (B, C) to (B, C). In training it is ``torch.nn.BatchNorm1d``.
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

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        gain, offset, frac = self.integer_affine()
        gain_value = torch.from_numpy(gain * 2.0**-frac).to(x)
        offset_value = torch.from_numpy(offset * 2.0 ** -(frac + self.scale_frac_bits)).to(x)
        return x * gain_value + offset_value
