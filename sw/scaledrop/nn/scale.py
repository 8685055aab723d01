# SPDX-License-Identifier: Apache-2.0
"""The stochastic scale: one learned factor per output channel, one bit for the whole layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from scaledrop.errors import UserError
from scaledrop.numbers import DROP_BITS, drop_code

__all__ = ["ScaleDropout", "adaptive_p"]


def adaptive_p(
    parameter_counts: Sequence[int], low: float = 0.1, high: float = 0.2
) -> tuple[float, ...]:
    """Layer-dependent dropout probabilities: small layers get ``low``, large ones ``high``.

    ``p_l = low + (high - low) * (ln n_l - ln n_min) / (ln n_max - ln n_min)``; layers of one size
    all get ``low``. That p grows with the size of the layer is the rule of arXiv 2311.15816; the
    logarithm is ours, and the range 0.1 to 0.2 is recalled from memory: unverified.

    Raises:
        UserError: a count below 1, none at all, or not ``0 <= low <= high < 1``.
    """
    if not parameter_counts or min(parameter_counts) < 1:
        raise UserError(f"parameter_counts: must be 1 or more each, not {list(parameter_counts)}")
    if not 0 <= low <= high < 1:
        raise UserError(f"low: must be 0 <= low <= high < 1, not {low} and {high}; try 0.1 and 0.2")
    logs = [math.log(n) for n in parameter_counts]
    span = max(logs) - min(logs)
    return tuple(low + (high - low) * ((x - min(logs)) / span if span else 0.0) for x in logs)


class _Round(torch.autograd.Function):
    """Round to a multiple of ``2**-frac_bits``, ties to even; the gradient passes unchanged."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, frac_bits: int) -> Tensor:
        return torch.round(x * 2.0**frac_bits) * 2.0**-frac_bits

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


class ScaleDropout(nn.Module):
    """shat = s * (m * alpha + (1 - m) * 1): a kept scale multiplies, a dropped one becomes 1.

    ``m`` is ONE bit per sample for the whole layer, 1 with probability ``1 - p``. Bits are drawn
    per sample because one bit for a whole batch would be divided out again by BatchNorm.

    Parameters:
        channels: C, at least 1.
        p: probability that the scale is dropped, in [0, 1); ``drop_code / 2**16`` is what is used.
        scale_bits, scale_frac_bits: format of alpha, unsigned; 1.0 is exact, so frac < bits.
        init_spread: alpha starts as N(1, init_spread**2), within the format.
        generator: source of the initial scales and of the bits that training draws.

    Attributes:
        alpha: (C,) latent scales; the forward pass sees them quantised.
        drop_code: ``p`` in units of ``2**-16``.
        generator: may be replaced; the layers of one network share one.

    Raises:
        UserError: a parameter out of range.

    Source: arXiv 2311.15816 ("unitary dropout" of the scale vector).
    """

    def __init__(
        self,
        channels: int,
        p: float,
        scale_bits: int = 8,
        scale_frac_bits: int = 6,
        init_spread: float = 0.0,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if channels < 1:
            raise UserError(f"channels: must be at least 1, not {channels}; give for example 128")
        if not 0 <= scale_frac_bits < scale_bits <= 16:
            raise UserError(
                f"scale_frac_bits: must be 0 to scale_bits - 1 and scale_bits at most 16, "
                f"not {scale_frac_bits} of {scale_bits}; give for example 6 of 8"
            )
        if not 0.0 <= init_spread <= 1.0:
            raise UserError(f"init_spread: must be 0 to 1, not {init_spread}; give for example 0.3")
        self.drop_code = drop_code(p)
        self.scale_bits, self.scale_frac_bits = scale_bits, scale_frac_bits
        self.generator = generator
        self.alpha = nn.Parameter(1 + init_spread * torch.randn(channels, generator=generator))
        self.clamp_()

    @property
    def p(self) -> float:
        """The dropout probability in effect."""
        return self.drop_code / float(2**DROP_BITS)

    @property
    def limits(self) -> tuple[float, float]:
        """Least and largest alpha of training: one unit of the format and its largest value."""
        unit = 2.0**-self.scale_frac_bits
        return unit, (2**self.scale_bits - 1) * unit

    def quantised(self) -> Tensor:
        """alpha as the hardware holds it, (C,); in training clamped to :attr:`limits` first.

        In evaluation nothing is clamped, so that a scale outside the format is refused by
        :func:`scaledrop.freezing.freeze` rather than changed in silence.
        """
        alpha = self.alpha.clamp(*self.limits) if self.training else self.alpha
        result: Tensor = _Round.apply(alpha, self.scale_frac_bits)  # type: ignore[no-untyped-call]
        return result

    def draw(self, samples: int) -> Tensor:
        """Fresh mask bits (samples, 1) of 0 and 1 from the layer's generator."""
        words = torch.randint(
            0,
            2**DROP_BITS,
            (samples, 1),
            generator=self.generator,
            device=self.generator.device,
        )
        return words >= self.drop_code

    def forward(self, s: Tensor, keep: Tensor | None = None) -> Tensor:
        """Scale the sums.

        Args:
            s: (B, C) crossbar sums, floating.
            keep: (B,) or (B, 1) bits, 1 keeps the scale. None draws them, in training only.

        Returns:
            (B, C), the dtype of ``s``.

        Raises:
            UserError: ``keep`` is missing in evaluation, has another shape, or is not 0 and 1.
        """
        if keep is None:
            if not self.training:
                raise UserError("keep: evaluation needs the mask bits; give a (B,) tensor of 0/1")
            keep = self.draw(len(s))
        elif keep.shape not in ((len(s),), (len(s), 1)):
            raise UserError(
                f"keep: shape must be ({len(s)},) or ({len(s)}, 1), not {tuple(keep.shape)}; "
                "give one bit per sample"
            )
        elif not ((keep == 0) | (keep == 1)).all():
            raise UserError("keep: must be 0 or 1; give 1 to keep the scale")
        m = keep.reshape(-1, 1).to(device=s.device, dtype=s.dtype)
        return s * (m * self.quantised() + (1 - m))

    @torch.no_grad()
    def clamp_(self) -> None:
        """Bring alpha back into :attr:`limits`. Call after each optimiser step."""
        self.alpha.clamp_(*self.limits)
