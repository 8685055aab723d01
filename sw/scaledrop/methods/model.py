# SPDX-License-Identifier: Apache-2.0
"""A trained network as a model: trained, asked for passes, and its predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from scaledrop.checks import check_integer
from scaledrop.data import ImageSet
from scaledrop.images import checked_pixels
from scaledrop.methods.contract import Logits, Model, Needs
from scaledrop.methods.net import MethodNet, SiteFactory
from scaledrop.nn import Trainable
from scaledrop.nn.config import NetworkConfig
from scaledrop.nn.seeds import stream
from scaledrop.prediction import Prediction, summarise_floats
from scaledrop.training import TrainConfig, train
from scaledrop.training.process import pinned

__all__ = ["NetModel", "fit_net", "prediction_of"]

CHUNK = 256
"""Images of a forward pass."""

STREAM = 6
"""Of the seed, for what a model draws."""


class NetModel(Model):
    """A trained network in float32 evaluation, sampled pass by pass.

    Images are taken :data:`CHUNK` at a time, so memory does not grow with their number. All that
    is drawn comes from one generator of the seed: chunk by chunk, pass by pass, layer by layer.

    Parameters:
        net: trained; it is put into evaluation.
        network: its configuration, for shape and range of the images.
        needs: what it asks of hardware; without numbers there is one pass.
        threads: of PyTorch; another number gives other bits.
        device: where it is evaluated, a name of PyTorch's.
    """

    def __init__(
        self,
        net: Trainable,
        network: NetworkConfig,
        needs: Needs,
        *,
        threads: int = 1,
        device: str = "cpu",
    ) -> None:
        self.net, self.network = net.to(device).eval(), network
        self._needs, self.threads, self.device = needs, threads, device

    @property
    def needs(self) -> Needs:
        return self._needs

    @torch.inference_mode()
    def logits(self, images: npt.NDArray[Any], passes: int, seed: int) -> Logits:
        """(N, T, K) float32, (N, T, H, W, K) of a network that predicts at every position; T is
        1 where nothing is drawn.

        Raises:
            UserError: wrong images, fewer passes than 1, or a seed below 0.
        """
        check_integer(passes, 1, 2**31, "passes", "20 is usual")
        check_integer(seed, 0, 2**63 - 1, "seed", "give a whole number")
        pixels = checked_pixels(images, self.network.input_shape, self.network.input_bits)
        times = passes if self.needs.numbers_per_pass else 1
        generator, parts = stream(seed, STREAM), []
        with pinned(self.threads):
            for start in range(0, len(pixels), CHUNK):
                rows = pixels[start : start + CHUNK].reshape(-1, *self.network.input_shape)
                batch = torch.from_numpy(rows).to(self.device)
                drawn = [self.net.drawn(batch, generator) for _ in range(times)]
                parts.append(torch.stack(drawn, dim=1).movedim(2, -1).cpu().numpy())
        return np.concatenate(parts)


def prediction_of(
    model: Model, images: npt.NDArray[np.uint8], passes: int, seed: int
) -> Prediction:
    """Mean, uncertainty and votes of a model's passes.

    Args:
        model: any method's.
        images: (N, *shape) pixels.
        passes: T >= 1; a model without randomness has its own.
        seed: of what is drawn.
    """
    return summarise_floats(model.logits(images, passes, seed))


def fit_net(
    config: TrainConfig, data: ImageSet, site: SiteFactory, device: str = "cpu"
) -> MethodNet:
    """Train the network that all methods share, with one method's site at every layer.

    Args:
        config: the run; its seed is that of the network.
        data: images of the network's shape and classes; the test part is not looked at.
        site: the method.
        device: "cpu", "cuda" or "auto".

    Returns:
        In evaluation mode, float32, on the CPU.

    Raises:
        UserError: as :func:`scaledrop.training.train`.
    """

    def build(run: TrainConfig) -> MethodNet:
        return MethodNet(run.network, run.seed, site)

    return train(config, data, device=device, build=build).net
