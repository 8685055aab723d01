# SPDX-License-Identifier: Apache-2.0
"""What a network must have so that the one trainer can train it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Trainable"]


class Trainable(nn.Module, ABC):
    """A network that draws random numbers while it is trained.

    Called with (B, *input_shape) pixels it gives the logits of one pass, drawn from ``generator``
    in training. Its only BatchNorms are those of PyTorch, whose statistics are estimated again at
    the end of training.

    Attributes:
        generator: the only source of what is drawn, on the CPU.
    """

    generator: torch.Generator

    @property
    @abstractmethod
    def weights(self) -> Sequence[nn.Parameter]:
        """Latent weights, one tensor a layer: what the loss decays."""

    @property
    @abstractmethod
    def scales(self) -> Sequence[nn.Parameter]:
        """Scales and what else learns at ``scale_learning_rate``; may be empty."""

    @abstractmethod
    def penalty(self) -> Tensor:
        """Scalar, added to the loss times ``scale_pull``."""

    def extra_loss(self) -> Tensor | None:
        """Scalar, added to the loss as it is, such as a divergence per training image; None adds
        nothing."""
        return None

    @abstractmethod
    def clamp_(self) -> None:
        """Bring parameters back into range. Called after each optimiser step."""

    @abstractmethod
    def drawn(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Logits of one stochastic pass, in training or evaluation mode, all of whose random
        numbers come from ``generator``; :attr:`generator` does not move."""
