# SPDX-License-Identifier: Apache-2.0
"""Scale vectors: learned in one of three forms, and dropped to 1 by one bit a place."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from scaledrop.methods.transformer.config import TransformerConfig
from scaledrop.methods.transformer.source import BitSource
from scaledrop.numbers import drop_code

__all__ = ["EPSILON", "Norm", "Role", "ScalePlace", "ScaleVector"]

Role = Literal["input", "output"]
EPSILON = 1e-6
"""Added to the mean square under the root of a normalisation."""


class ScaleVector(nn.Module):
    """gamma (C,), starting at 1.

    Parameters:
        channels: C.
        form: gamma = alpha ("plain"), beta * alpha ("product") or exp(beta) * alpha
            ("exponential").
        spread: standard deviation that alpha starts with.
        generator: source of that start; not touched at 0.

    Attributes:
        alpha: (C,) direction, or gamma itself.
        beta: scalar magnitude, from 1 or from 0; None with "plain".

    Source: OR and ER of arXiv 2605.26895, from secondary notes; which is which is a guess.
    """

    beta: nn.Parameter | None

    def __init__(self, channels: int, form: str, spread: float, generator: torch.Generator) -> None:
        super().__init__()
        self.form = form
        alpha = torch.ones(channels)
        if spread:
            alpha = alpha + spread * torch.randn(channels, generator=generator)
        self.alpha = nn.Parameter(alpha)
        start = {"product": torch.tensor(1.0), "exponential": torch.tensor(0.0)}.get(form)
        self.beta = None if start is None else nn.Parameter(start)

    def forward(self) -> Tensor:
        """gamma, (C,)."""
        if self.beta is None:
            return self.alpha
        return (self.beta.exp() if self.form == "exponential" else self.beta) * self.alpha


class ScalePlace(nn.Module):
    """The scale vectors of one normalisation layer, which share ONE bit a sample and pass.

    gamma_hat = m gamma + (1 - m) 1: a dropped vector becomes 1, as the scale of
    :class:`scaledrop.nn.ScaleDropout` does.

    Parameters:
        config: the network; its bits are drawn only with randomness "scale".
        channels: C.
        role: "input" where a linear map takes what is scaled, "output" behind one.
        source: of the bits.
        start: source of the initial values.
        count: vectors, more than one where each branch has its own.
    """

    def __init__(
        self,
        config: TransformerConfig,
        channels: int,
        role: Role,
        source: BitSource,
        start: torch.Generator,
        count: int = 1,
    ) -> None:
        super().__init__()
        self.role: Role = role
        self.source = source
        self.drop_code = drop_code(config.p) if config.randomness == "scale" else None
        treatment = config.treatment
        self.vectors = nn.ModuleList(
            ScaleVector(channels, treatment.form, treatment.start_spread, start)
            for _ in range(count)
        )

    def gammas(self) -> list[Tensor]:
        """All gamma, (C,) each, as learned."""
        return [vector() for vector in self.vectors]

    def scaled(self, x: Tensor) -> tuple[Tensor, ...]:
        """x (B, ..., C) times each vector; draws one bit a sample for all of them."""
        gammas = self.gammas()
        if self.drop_code is not None and self.source.on:
            keep = self.source.keep(self.drop_code, len(x)).to(x.device)
            keep = keep.reshape(-1, *[1] * (x.ndim - 1))
            gammas = [torch.where(keep, gamma, 1.0) for gamma in gammas]
        return tuple(x * gamma for gamma in gammas)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, ..., C) times the first vector."""
        return self.scaled(x)[0]


class Norm(ScalePlace):
    """x / sqrt(mean of x**2 over the channels + 1e-6), times gamma.

    Parameters as :class:`ScalePlace`.

    Source: root-mean-square normalisation, arXiv 1910.07467.
    """

    def scaled(self, x: Tensor) -> tuple[Tensor, ...]:
        return super().scaled(nn.functional.rms_norm(x, x.shape[-1:], eps=EPSILON))
