# SPDX-License-Identifier: Apache-2.0
"""How well a network does on the validation part while it trains."""

from __future__ import annotations

import torch
from torch import Tensor

from scaledrop.data import ImageSet
from scaledrop.errors import UserError
from scaledrop.nn import Trainable
from scaledrop.nn.seeds import stream
from scaledrop.training.batches import parts_of
from scaledrop.training.config import TrainConfig

__all__ = ["PASSES", "Validation"]

PASSES = 4


class Validation:
    """Accuracy of the mean of :data:`PASSES` stochastic passes in float32 evaluation.

    The random numbers are the same at every call and come from a stream of their own, so that
    looking changes neither the curve's noise nor the training.

    Parameters:
        config: the run.
        data: its images; without a validation part nothing is measured.
        device: of the network.
    """

    def __init__(self, config: TrainConfig, data: ImageSet, device: torch.device) -> None:
        self.config = config
        self.parts: tuple[Tensor, Tensor] | None = None
        if data.valid_images is not None and len(data.valid_images):
            images, labels = parts_of(config, data, "valid")
            self.parts = images.to(device), labels.to(device)

    @torch.no_grad()
    def accuracy(self, net: Trainable) -> float | None:
        """Share of the images, or pixels, that are right; ``net`` is left in training mode.

        None without a validation part, or while the gains of the network do not fit their format.
        """
        if self.parts is None:
            return None
        net.eval()
        try:
            return self._share(net, *self.parts)
        except UserError:
            return None
        finally:
            net.train()

    def _share(self, net: Trainable, images: Tensor, labels: Tensor) -> float:
        generator, right = stream(self.config.seed, 4), 0
        size = self.config.batch_size
        parts = zip(torch.split(images, size), torch.split(labels, size), strict=True)
        for batch, truth in parts:
            drawn = [net.drawn(batch, generator) for _ in range(PASSES)]
            mean = torch.stack(drawn).softmax(dim=2).mean(dim=0)
            right += int((mean.argmax(dim=1) == truth).sum())
        return right / labels.numel()
