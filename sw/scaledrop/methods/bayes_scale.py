# SPDX-License-Identifier: Apache-2.0
"""Sub-set inference: only the scale vector is Bayesian, by variational inference."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from scaledrop.data import ImageSet
from scaledrop.energy.sources import Grain
from scaledrop.graph import Layer
from scaledrop.methods.contract import Method, Model, Needs, Setting
from scaledrop.methods.gaussian import gaussian_kl, reparametrised
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.model import NetModel, fit_net
from scaledrop.methods.net import Site, per_channel
from scaledrop.training import TrainConfig

__all__ = ["BAYES_SCALE", "PRIOR_MEAN", "START_STD", "BayesScaleSite"]

PRIOR_MEAN = 1.0
START_STD = 0.1
"""Of every scale before training."""

STD_RANGE = (1e-4, 1e2)


class BayesScaleSite(Site):
    """y = norm(alpha * s) with alpha_c ~ N(mu_c, sigma_c^2), a fresh sample per image and channel.

    The objective is the evidence lower bound for a training image:
    ``cross entropy + KL(q || N(1, s^2)) / images``.

    Where alpha acts. BatchNorm of a batch divides a positive factor of a channel out. Hence

    - one sample for the whole batch changes nothing in training, so each image has its own;
    - of (mu, sigma) the data see only sigma / |mu|; their common magnitude is set by the prior,
      at ``mu = (1 + sqrt(1 + 4 s^2 (1 + r^2))) / (2 (1 + r^2))`` for r = sigma / mu;
    - an activation of one bit compares s with theta / alpha, theta where the channel's code changes
      at alpha = 1: the nearer theta is to 0, the less it matters what alpha is. A channel with
      theta = 0 changes only where alpha < 0.

    Parameters:
        layer, shape: as :class:`Site`.
        prior_std: s of the prior N(1, s^2) of every scale, > 0.
        images: training images that share the divergence, 1 or more.

    Attributes:
        alpha: (C,) mu, from 1.
        log_std: (C,) ln sigma, from ln :data:`START_STD`.

    Source: "Bayesian sub-set parameter inference" among the methods of arXiv 2401.06195; that only
    the scales are Bayesian, by variational inference, and their prior are from memory, unverified.
    """

    def __init__(self, layer: Layer, shape: tuple[int, ...], prior_std: float, images: int) -> None:
        super().__init__(layer, shape)
        self.prior_std, self.images = prior_std, images
        self.log_std = nn.Parameter(torch.full((layer.channels,), math.log(START_STD)))

    def sums(self, s: Tensor) -> Tensor:
        alpha: Tensor = self.alpha
        if self.drawing:
            alpha = reparametrised(self.alpha, self.log_std, len(s), self.generator)
        y: Tensor = self.norm(s * per_channel(alpha, s))
        return y

    def divergence(self) -> Tensor:
        """KL(q || p) of the layer's scales, nats, scalar."""
        return gaussian_kl(self.alpha, self.log_std, PRIOR_MEAN, self.prior_std)

    def penalty(self) -> Tensor:
        """None: the prior takes the place of the pull."""
        return torch.zeros((), device=self.alpha.device)

    @property
    def scales(self) -> Sequence[nn.Parameter]:
        return [self.alpha, self.log_std]

    def extra_loss(self) -> Tensor | None:
        return self.divergence() / self.images

    @torch.no_grad()
    def clamp_(self) -> None:
        self.log_std.clamp_(*map(math.log, STD_RANGE))


def _fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    images = len(data.train_images)

    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        return BayesScaleSite(layer, shape, value, images)

    net, network = fit_net(config, data, site, device), config.network
    channels = sum(layer.channels for layer in network.graph.layers)
    needs = Needs(channels, Grain.CHANNEL, True, memory_bits(network, scales=2))
    return NetModel(net, network, needs, threads=config.threads)


BAYES_SCALE = Method(
    "bayes-scale",
    "Bayesian scale vector",
    'the "Bayesian sub-set parameter inference" of arXiv 2401.06195; its definition from memory, '
    "unverified",
    Setting("standard deviation s of the prior", (0.1, 0.3, 1.0)),
    _fit,
)
"""One Gaussian sample a channel and pass; a mean and a standard deviation of every scale are kept.
The divergence has its full weight, as the evidence lower bound asks."""
