# SPDX-License-Identifier: Apache-2.0
"""The binary network that all methods share, with a place for each at every layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from scaledrop.graph import INPUT, Kind, Layer
from scaledrop.nn.activation import QuantisedActivation
from scaledrop.nn.binary import BinaryConv2d, BinaryLinear
from scaledrop.nn.block import binary_crossbar
from scaledrop.nn.config import NetworkConfig
from scaledrop.nn.seeds import stream
from scaledrop.nn.structural import apply_node
from scaledrop.nn.trainable import Trainable

__all__ = ["MethodNet", "Site", "SiteFactory"]


class Site(nn.Module):
    """What a method does at one layer; this one is the deterministic network's.

    Parameters:
        layer: the node of the graph.
        shape: (C, H, W) or (C,) of the layer's sums.

    Attributes:
        alpha: (C,) learned scales, from 1; behind the sums, before BatchNorm.
        norm: BatchNorm over the channels, of (B, C) and (B, C, H, W).
        generator: source of all that is drawn, on the CPU; set by the network.
        sampling: draw in evaluation too.
    """

    generator: torch.Generator

    def __init__(self, layer: Layer, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layer, self.shape, self.sampling = layer, shape, False
        self.alpha = nn.Parameter(torch.ones(layer.channels))
        self.norm: nn.Module = (
            nn.BatchNorm2d(layer.channels) if len(shape) == 3 else nn.BatchNorm1d(layer.channels)
        )

    @property
    def drawing(self) -> bool:
        """Whether random numbers are drawn: in training, and where passes are sampled."""
        return self.training or self.sampling

    def inputs(self, a: Tensor) -> Tensor:
        """What the crossbar takes, of (B, *source) codes as odd integers or pixels."""
        return a

    def sums(self, s: Tensor) -> Tensor:
        """Crossbar sums (B, C, ...) scaled and normalised, in the same shape."""
        y: Tensor = self.norm(s * per_channel(self.alpha, s))
        return y

    def outputs(self, a: Tensor) -> Tensor:
        """The layer's output (B, C, ...) behind its activation, before pooling."""
        return a

    @property
    def scales(self) -> Sequence[nn.Parameter]:
        """Parameters that learn at ``scale_learning_rate``; all that is not listed learns as the
        weights do."""
        return [self.alpha]

    def penalty(self) -> Tensor:
        """Scalar, added to the loss times ``scale_pull``: the pull on the scales."""
        return (1 - self.alpha.mean()).square()

    def extra_loss(self) -> Tensor | None:
        """Scalar, added to the loss as it is: a divergence, divided by the training images. None
        adds nothing."""
        return None

    def clamp_(self) -> None:
        """Bring parameters back into range after an optimiser step."""


SiteFactory = Callable[[Layer, tuple[int, ...], int], Site]
"""From a layer, the shape of its sums and its index to what a method does there."""


def per_channel(values: Tensor, like: Tensor) -> Tensor:
    """(C,) or (B, C) as broadcasts over the positions of (B, C, ...)."""
    lead = values if values.ndim == 2 else values[None]
    return lead.reshape(*lead.shape, *[1] * (like.ndim - 2))


class MethodNet(Trainable):
    """The graph of a configuration with binary crossbars, and a :class:`Site` at every layer.

    Parameters:
        config: the network; its dropout probabilities are not used.
        seed: of weights and of what is drawn in training; >= 0. Weights start as those of
            :class:`scaledrop.nn.ScaleDropNet` do: centred and clipped, signs by the estimator.
        site: the method.

    Attributes:
        generator: the only source of what is drawn, on the CPU.
    """

    def __init__(self, config: NetworkConfig, seed: int, site: SiteFactory) -> None:
        super().__init__()
        self.config, self.graph = config, config.graph
        self.crossbars, self.sites = nn.ModuleDict(), nn.ModuleDict()
        self.activations = nn.ModuleDict()
        start = stream(seed, 0)
        for index, node in enumerate(self.graph.layers):
            self.crossbars[node.name] = binary_crossbar(config, node, start)
            self.sites[node.name] = site(node, self.graph.values[node.name].shape, index)
            act: nn.Module = nn.Identity()
            if node.output is Kind.CODES:
                act = QuantisedActivation(node.planes, config.ste)
            self.activations[node.name] = act
        self.set_seed(seed)

    @property
    def layers(self) -> list[tuple[BinaryLinear | BinaryConv2d, Site]]:
        """Crossbar and site of each layer, in the graph's order."""
        found = []
        for node in self.graph.layers:
            crossbar, site = self.crossbars[node.name], self.sites[node.name]
            assert isinstance(crossbar, BinaryLinear | BinaryConv2d) and isinstance(site, Site)
            found.append((crossbar, site))
        return found

    @property
    def weights(self) -> Sequence[nn.Parameter]:
        """Latent weights of each layer, (out, ...)."""
        return [crossbar.weight for crossbar, _ in self.layers]

    @property
    def scales(self) -> Sequence[nn.Parameter]:
        """Those of all sites."""
        return [scale for _, site in self.layers for scale in site.scales]

    def penalty(self) -> Tensor:
        """Sum of those of all sites, scalar."""
        return torch.stack([site.penalty() for _, site in self.layers]).sum()

    def extra_loss(self) -> Tensor | None:
        """Sum of those of all sites, scalar; None where no site has one."""
        terms = [term for _, site in self.layers if (term := site.extra_loss()) is not None]
        return torch.stack(terms).sum() if terms else None

    def set_seed(self, seed: int) -> None:
        """Start the stream of random numbers again."""
        self._draw_from(stream(seed, 1))

    def _draw_from(self, generator: torch.Generator) -> None:
        self.generator = generator
        for _, site in self.layers:
            site.generator = generator

    def sample(self, on: bool = True) -> None:
        """Draw in evaluation too, or no longer."""
        for _, site in self.layers:
            site.sampling = on

    @contextmanager
    def drawing_from(self, generator: torch.Generator) -> Iterator[None]:
        """Draw, in evaluation too, and from another generator; afterwards as before."""
        before, flags = self.generator, [site.sampling for _, site in self.layers]
        self._draw_from(generator)
        self.sample()
        try:
            yield
        finally:
            self._draw_from(before)
            for (_, site), flag in zip(self.layers, flags, strict=True):
                site.sampling = flag

    def drawn(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Logits of one pass, in either mode, with all numbers drawn from ``generator``."""
        with self.drawing_from(generator):
            logits: Tensor = self(pixels)
        return logits

    def clamp_(self) -> None:
        """Bring latent weights and sites back into range. Call after each optimiser step."""
        for crossbar, site in self.layers:
            crossbar.clamp_()
            site.clamp_()

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (B, K) of one pass over (B, *input_shape) whole numbers."""
        weight = self.layers[0][0].weight
        shape = self.graph.values[INPUT].shape
        values = {INPUT: pixels.to(weight.device, weight.dtype).reshape(-1, *shape)}
        stream_format = self.config.stream_bits, self.config.stream_frac_bits
        value = values[INPUT]
        for node in self.graph.nodes:
            inputs = tuple(values[name] for name in self.graph.sources[node.name])
            if isinstance(node, Layer):
                value = self._layer(node, inputs[0])
            else:
                value = apply_node(node, inputs, stream_format, self.config.ste)
            values[node.name] = value
            for finished in self.graph.finished[node.name]:
                del values[finished]
        return value

    def _layer(self, node: Layer, a: Tensor) -> Tensor:
        site = self.sites[node.name]
        assert isinstance(site, Site)
        s = self.crossbars[node.name](site.inputs(a))
        return site.outputs(self.activations[node.name](site.sums(s)))
