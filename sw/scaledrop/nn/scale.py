# SPDX-License-Identifier: Apache-2.0
"""The stochastic scale: one learned factor per output channel, one bit for the whole layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from scaledrop.errors import UserError
from scaledrop.nn.ste import round_to
from scaledrop.numbers import DROP_BITS, drop_code

__all__ = [
    "INITS",
    "MASKS",
    "ScaleDropout",
    "adaptive_p",
    "check_bits",
    "check_choice",
    "draw_bits",
]

INITS = ("ones", "mean", "spread")
MASKS = ("sample", "batch")


def check_choice(field: str, value: Any, choices: Sequence[str]) -> None:
    """Refuse what is not among the names.

    Raises:
        UserError: names the field, the value and the choices.
    """
    if value not in choices:
        raise UserError(f"{field}: must be one of {', '.join(choices)}, not {value!r}")


def check_bits(field: str, bits: Tensor) -> None:
    """Refuse mask bits other than 0 and 1. Bools need no look at their values, which would make a
    device wait; nor are values looked at in compiled code.

    Raises:
        UserError: names the field.
    """
    if bits.dtype == torch.bool or torch.compiler.is_compiling():
        return
    if not ((bits == 0) | (bits == 1)).all():
        raise UserError(f"{field}: must be 0 or 1; give 1 to keep the scale")


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


def draw_bits(
    drop_codes: Sequence[int], samples: int, mask: str, generator: torch.Generator
) -> Tensor:
    """Fresh mask bits for one pass of a batch, (samples, L) bool, 1 keeps a layer's scale.

    Args:
        drop_codes: dropout probability per layer, in units of ``2**-16``.
        samples: B.
        mask: "sample" draws a bit per sample, "batch" one for all of them.
        generator: where the bits come from; they are on its device.
    """
    rows = samples if mask == "sample" else 1
    shape, device = (rows, len(drop_codes)), generator.device
    words = torch.randint(0, 2**DROP_BITS, shape, generator=generator, device=device)
    keep = words >= torch.tensor(drop_codes, device=device)
    return keep.expand(samples, -1)


class ScaleDropout(nn.Module):
    """shat = s * (m * alpha + (1 - m) * 1): a kept scale multiplies, a dropped one becomes 1.

    ``m`` is ONE bit for the whole layer, 1 with probability ``1 - p``. Training draws it per
    sample: with one bit for the whole batch, BatchNorm of that batch divides the scale out again,
    and alpha neither matters nor learns. ``mask="batch"`` is kept to show just that.

    Parameters:
        channels: C, at least 1.
        p: probability that the scale is dropped, in [0, 1); ``drop_code / 2**16`` is what is used.
        scale_bits, scale_frac_bits: format of alpha, unsigned; 1.0 is exact, so frac < bits.
        init: alpha starts as "ones", as "spread", N(1, init_spread**2), or as "mean", ``start``;
            always within :attr:`limits`.
        init_spread: 0 to 1.
        start: (C,) first scales for "mean": the mean magnitude of a channel's weights.
        mask: "sample" or "batch".
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
        *,
        init: str = "ones",
        init_spread: float = 0.3,
        start: Tensor | None = None,
        mask: str = "sample",
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
        check_choice("init", init, INITS)
        check_choice("mask", mask, MASKS)
        if init == "mean" and (start is None or start.shape != (channels,)):
            raise UserError(f"start: init 'mean' needs a ({channels},) tensor of first scales")
        self.drop_code, self.mask = drop_code(p), mask
        self.scale_bits, self.scale_frac_bits = scale_bits, scale_frac_bits
        self.generator = generator
        alpha = torch.ones(channels)
        if init == "spread":
            alpha = alpha + init_spread * torch.randn(channels, generator=generator)
        elif start is not None and init == "mean":
            alpha = start.detach().clone()
        self.alpha = nn.Parameter(alpha)
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
        return round_to(alpha, self.scale_frac_bits)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def draw(self, samples: int) -> Tensor:
        """Fresh mask bits (samples,) from the layer's generator."""
        return draw_bits([self.drop_code], samples, self.mask, self.generator)[:, 0]

    def forward(self, s: Tensor, keep: Tensor | None = None) -> Tensor:
        """Scale the sums.

        Args:
            s: (B, C) or (B, C, H, W) crossbar sums, floating.
            keep: (B,) or (B, 1) bits, 1 keeps the scale. None draws them, in training only.

        Returns:
            The shape and dtype of ``s``; float32 for a half-precision ``s``.

        Raises:
            UserError: ``keep`` is missing in evaluation, has another shape, or is not 0 and 1.
        """
        if keep is None:
            if not self.training:
                raise UserError("keep: evaluation needs the mask bits; give a (B,) tensor of 0/1")
            keep = self.draw(len(s))
        _check_keep(keep, len(s))
        m = keep.reshape(-1, 1).to(device=s.device, dtype=self.alpha.dtype)
        factor = m * self.quantised() + (1 - m)
        return s * factor.reshape(*factor.shape, *[1] * (s.ndim - 2))

    @torch.no_grad()
    def clamp_(self) -> None:
        """Bring alpha back into :attr:`limits`. Call after each optimiser step."""
        self.alpha.clamp_(*self.limits)


def _check_keep(keep: Tensor, samples: int) -> None:
    if keep.shape not in ((samples,), (samples, 1)):
        raise UserError(
            f"keep: shape must be ({samples},) or ({samples}, 1), not {tuple(keep.shape)}; "
            "give one bit per sample"
        )
    check_bits("keep", keep)
