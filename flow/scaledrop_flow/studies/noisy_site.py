# SPDX-License-Identifier: Apache-2.0
"""Plain noise next to BatchNorm, for the study of its variance shift."""

from __future__ import annotations

import torch
from torch import Tensor

from scaledrop.graph import Layer
from scaledrop.methods.net import Site

__all__ = ["BETA", "NoisySite", "P"]

P, BETA = 0.3, 0.3


class NoisySite(Site):
    """Plain noise on the scaled sums, in front of the norm, or behind the last one.

    Parameters:
        layer, shape: as :class:`scaledrop.methods.net.Site`.
        kind: "dropout", inverted with :data:`P`, or "uniform", ``x (1 + r)`` with r of ±BETA.
        behind: noise on the logits instead, behind the norm; of the last layer only.
        last: whether this is the last layer.
    """

    def __init__(
        self, layer: Layer, shape: tuple[int, ...], kind: str, *, behind: bool, last: bool
    ) -> None:
        super().__init__(layer, shape)
        self.kind, self.front, self.back = kind, not behind, behind and last

    def noisy(self, x: Tensor) -> Tensor:
        """Every element with a number of its own; unchanged where nothing is drawn."""
        if not self.drawing:
            return x
        drawn = torch.rand(x.shape, generator=self.generator).to(x)
        if self.kind == "uniform":
            return x * (1 + BETA * (2 * drawn - 1))
        return x * (drawn >= P) / (1 - P)

    def sums(self, s: Tensor) -> Tensor:
        """Scaled, normalised, and with noise before or after."""
        x = s * self.alpha.reshape(-1, *[1] * (s.ndim - 2))
        y: Tensor = self.norm(self.noisy(x) if self.front else x)
        return self.noisy(y) if self.back else y
