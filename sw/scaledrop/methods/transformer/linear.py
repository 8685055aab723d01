# SPDX-License-Identifier: Apache-2.0
"""A binary linear map over tokens, with what stands on both sides of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from scaledrop.methods.transformer.config import TransformerConfig
from scaledrop.methods.transformer.scale_vector import Norm, Role, ScalePlace
from scaledrop.methods.transformer.source import BitSource
from scaledrop.nn.binary import BinaryLinear
from scaledrop.nn.ste import quantise

__all__ = ["BinaryMap", "Maker"]


@dataclass(frozen=True, eq=False)
class Maker:
    """What every part of a network is made from.

    Attributes:
        config: the network.
        source: of dropout bits.
        start: source of initial values.
    """

    config: TransformerConfig
    source: BitSource
    start: torch.Generator

    def norm(self, channels: int, role: Role, count: int = 1) -> Norm:
        """A normalisation with ``count`` scale vectors."""
        return Norm(self.config, channels, role, self.source, self.start, count)

    def linear(self, inputs: int, outputs: int, *, planes: int | None = None) -> BinaryMap:
        """A map whose inputs are quantised as the configuration has it, or to ``planes`` bits."""
        bits = self.config.planes if planes is None else planes
        return BinaryMap(inputs, outputs, bits, self.config.ste, self.start)

    def behind(self, channels: int) -> nn.Module:
        """What ``placement`` puts behind a map that an input norm feeds."""
        match self.config.treatment.placement:
            case "dual":
                return ScalePlace(self.config, channels, "output", self.source, self.start)
            case "dual-norm":
                return self.norm(channels, "output")
        return nn.Identity()


class BinaryMap(nn.Module):
    """y = B q(x) / sqrt(in): signs B, and inputs of k bits.

    q cuts -1 to 1 into ``2**k`` equal steps, odd multiples of ``1 / (2**k - 1)``; k = 0 leaves x as
    it is. Division by the root keeps the variance of a sum of independent inputs near theirs, so
    that what follows stays where the straight-through estimators pass gradients.

    Parameters:
        inputs, outputs: channels.
        planes: k, 0 to 8.
        ste: straight-through estimator of weights and inputs.
        start: source of the initial weights.
    """

    def __init__(
        self, inputs: int, outputs: int, planes: int, ste: str, start: torch.Generator
    ) -> None:
        super().__init__()
        self.planes, self.ste = planes, ste
        self.crossbar = BinaryLinear(inputs, outputs, generator=start, ste=ste)

    def quantised(self, x: Tensor) -> Tensor:
        """q(x), the shape of x."""
        if not self.planes:
            return x
        codes: Tensor = quantise(x, self.planes, self.ste) / (2**self.planes - 1)
        return codes

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        sums = self.crossbar(self.quantised(x).flatten(0, -2)) / self.crossbar.in_features**0.5
        result: Tensor = sums.reshape(*x.shape[:-1], -1)
        return result
