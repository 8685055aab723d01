# SPDX-License-Identifier: Apache-2.0
"""SpinBayes: a posterior kept in memory as a few sampled crossbars, of which one is picked."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from scaledrop.data import ImageSet
from scaledrop.energy.sources import Grain
from scaledrop.graph import Layer
from scaledrop.methods.bayes_scale import BayesScaleSite
from scaledrop.methods.contract import Method, Model, Needs, Setting
from scaledrop.methods.gaussian import gaussian_kl, reparametrised
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.model import NetModel
from scaledrop.methods.net import MethodNet, Site, per_channel
from scaledrop.nn import calibrate_norms
from scaledrop.nn.binary import BinaryConv2d, BinaryLinear
from scaledrop.nn.config import NetworkConfig
from scaledrop.nn.seeds import stream
from scaledrop.nn.ste import round_to
from scaledrop.training import TrainConfig, parts_of, train
from scaledrop.training.process import pinned

__all__ = [
    "CROSSBARS",
    "SPINBAYES",
    "SpinBayesNet",
    "SpinBayesSite",
    "picked_sums",
    "quantised_scales",
]

CROSSBARS = 8
"""N, sampled sets of a layer."""

START_NOISE = 0.5
"""Standard deviation of a latent weight before training, in units of its prior's."""

SCALE_PRIOR_STD = 1.0

STREAM = 7
"""Of a run's seed: what is stored."""

Crossbar = BinaryLinear | BinaryConv2d


def quantised_scales(alpha: Tensor, bits: int, frac_bits: int) -> Tensor:
    """The nearest values of the unsigned format that are above 0; any shape.

    The error is half a unit, ``2**-(frac_bits + 1)``, at most, where alpha lies between the first
    unit of the format and its largest value; elsewhere the result is the nearer of these two.
    """
    unit = 2.0**-frac_bits
    return round_to(alpha, frac_bits).clamp(unit, (2**bits - 1) * unit)


def picked_sums(crossbar: Crossbar, sets: Tensor, picks: Tensor, a: Tensor) -> Tensor:
    """Sums of each image through the crossbar picked for it.

    Args:
        crossbar: whose shape is meant; its weights are not used.
        sets: (N, *shape of its weights) signs, both of them in every row.
        picks: (B,) 0 to N - 1, on the CPU.
        a: (B, ...) what the crossbar takes.

    Returns:
        (B, C, ...).
    """
    order = torch.argsort(picks, stable=True)
    counts = torch.bincount(picks, minlength=len(sets)).tolist()
    groups = torch.split(a[order.to(a.device)], counts)
    sums = [
        functional_call(crossbar, {"weight": signs}, (group,))
        for signs, group in zip(sets, groups, strict=True)
        if len(group)
    ]
    return torch.cat(sums)[torch.argsort(order).to(a.device)]


class SpinBayesSite(BayesScaleSite):
    """Latent weights W ~ N(M, S^2) and scales alpha ~ N(mu, sigma^2), all independent.

    Before :meth:`store` a pass draws one set of weights for the batch and scales for each image;
    after it, one of N stored sets for each image, all equally likely.

    Parameters:
        layer, shape: as :class:`BayesScaleSite`.
        fan_in: weights of a channel; their prior is N(0, 1 / fan_in), as they start.
        images: training images that share the divergence, 1 or more.
        factor: of the divergence, >= 0; 1 is the evidence lower bound.

    Attributes:
        noise: (C, fan_in) ln S.
        sets: (N, C, fan_in) stored signs; empty before :meth:`store`.
        levels: (N, C) stored scales.
    """

    sets: Tensor
    levels: Tensor

    def __init__(
        self, layer: Layer, shape: tuple[int, ...], fan_in: int, images: int, factor: float
    ) -> None:
        super().__init__(layer, shape, SCALE_PRIOR_STD, images)
        self.factor, self.weight_prior = factor, fan_in**-0.5
        start = math.log(START_NOISE * self.weight_prior)
        self.noise = nn.Parameter(torch.full((layer.channels, fan_in), start))
        self.register_buffer("sets", torch.empty(0))
        self.register_buffer("levels", torch.empty(0))
        self.mean_weight = torch.empty(0)

    @property
    def stored(self) -> bool:
        return len(self.sets) > 0

    @property
    def scales(self) -> Sequence[nn.Parameter]:
        return [self.alpha, self.log_std, self.noise]

    def sampled_weight(self, weight: Tensor) -> Tensor:
        """One draw of W, of the shape of M."""
        return reparametrised(weight, self.noise.view_as(weight), None, self.generator)

    def through(self, crossbar: Crossbar, a: Tensor) -> Tensor:
        """What the crossbar takes to sums, scaled and normalised."""
        if self.stored and self.drawing:
            picks = torch.randint(len(self.sets), (len(a),), generator=self.generator)
            sets = self.sets.view(-1, *crossbar.weight.shape)
            s = picked_sums(crossbar, sets, picks, a)
            y: Tensor = self.norm(s * per_channel(self.levels[picks.to(s.device)], s))
            return y
        if self.drawing:
            sample = self.sampled_weight(crossbar.weight)
            return self.sums(functional_call(crossbar, {"weight": sample}, (a,)))
        return self.sums(crossbar(a))

    def weight_divergence(self, weight: Tensor) -> Tensor:
        """KL(q || p) of the layer's latent weights, nats, scalar."""
        return gaussian_kl(weight, self.noise.view_as(weight), 0.0, self.weight_prior)

    def share(self, weight: Tensor) -> Tensor:
        """Share of one training image in the divergence of weights and scales, scalar."""
        whole = self.weight_divergence(weight) + self.divergence()
        return whole * (self.factor / self.images)

    @torch.no_grad()
    def store(self, crossbar: Crossbar, bits: int, frac_bits: int) -> None:
        """Draw :data:`CROSSBARS` sets from q, and keep signs and quantised scales.

        Args:
            crossbar: of the layer.
            bits, frac_bits: unsigned format of the scales.
        """
        work, signs = copy.deepcopy(crossbar), []
        for _ in range(CROSSBARS):
            work.weight.copy_(self.sampled_weight(crossbar.weight))
            signs.append(work.binary_weight().flatten(1))
        self.sets = torch.stack(signs)
        alpha = reparametrised(self.alpha, self.log_std, CROSSBARS, self.generator)
        self.levels = quantised_scales(alpha, bits, frac_bits)


class SpinBayesNet(MethodNet):
    """A :class:`SpinBayesSite` at every layer, which draws the weights of the layer as well.

    Parameters:
        config: the network.
        seed: as :class:`MethodNet`.
        images: training images, 1 or more.
        factor: of the divergence, >= 0.
    """

    def __init__(self, config: NetworkConfig, seed: int, images: int, factor: float) -> None:
        def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
            fan_in = config.graph.weight_shape(layer)[1]
            return SpinBayesSite(layer, shape, fan_in, images, factor)

        super().__init__(config, seed, site)

    @property
    def pairs(self) -> list[tuple[Crossbar, SpinBayesSite]]:
        """As ``layers``, with the type of the sites."""
        found = []
        for crossbar, site in self.layers:
            assert isinstance(site, SpinBayesSite)
            found.append((crossbar, site))
        return found

    def extra_loss(self) -> Tensor | None:
        """``factor * KL / images`` of all layers, scalar."""
        return torch.stack([site.share(crossbar.weight) for crossbar, site in self.pairs]).sum()

    def store(self) -> None:
        """Put :data:`CROSSBARS` sets of every layer into memory; passes pick from now on."""
        for crossbar, site in self.pairs:
            site.store(crossbar, self.config.scale_bits, self.config.scale_frac_bits)

    def _layer(self, node: Layer, a: Tensor) -> Tensor:
        site, crossbar = self.sites[node.name], self.crossbars[node.name]
        assert isinstance(site, SpinBayesSite) and isinstance(crossbar, BinaryLinear | BinaryConv2d)
        return site.outputs(self.activations[node.name](site.through(crossbar, site.inputs(a))))


def _fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    images = len(data.train_images)

    def build(run: TrainConfig) -> SpinBayesNet:
        return SpinBayesNet(run.network, run.seed, images, value)

    net, network = train(config, data, device=device, build=build).net, config.network
    with pinned(config.threads), net.drawing_from(stream(config.seed, STREAM)):
        net.store()
        if config.calibrate_passes:
            pixels, size = parts_of(config, data, "train")[0], config.batch_size
            calibrate_norms(net, pixels, config.calibrate_passes, size, config.seed)
    return NetModel(net, network, _needs(network), threads=config.threads)


def _needs(network: NetworkConfig) -> Needs:
    bits = math.ceil(math.log2(CROSSBARS)) * len(network.graph.layers)
    memory = memory_bits(network, scales=CROSSBARS, weight_bits=CROSSBARS)
    return Needs(bits, Grain.LAYER, False, memory, before=True)


SPINBAYES = Method(
    "spinbayes",
    "SpinBayes",
    "among the methods of arXiv 2401.06195; its definition from memory, unverified",
    Setting("factor of the divergence", (0.001, 0.01, 0.1)),
    _fit,
)
"""What is stored are signs and a scale vector for each crossbar; the bits pick one of them a layer
and pass. The sums of the first layer already depend on its pick."""
