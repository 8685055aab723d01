# SPDX-License-Identifier: Apache-2.0
"""One Scale-Dropout layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaledrop.graph import Kind, Layer
from scaledrop.nn.activation import QuantisedActivation
from scaledrop.nn.binary import BinaryConv2d, BinaryLinear
from scaledrop.nn.config import NetworkConfig
from scaledrop.nn.norm import HeadBatchNorm, ScaleBatchNorm, StreamBatchNorm
from scaledrop.nn.scale import ScaleDropout

__all__ = ["ScaleDropBlock", "binary_crossbar"]


class ScaleDropBlock(nn.Module):
    """Crossbar, scale dropout, BatchNorm and, for codes, the activation.

    Parameters:
        config: the network.
        index: which of its layers, in the order of the mask bits.
        generator: source of the initial weights and scales.

    Attributes:
        node: the layer of the graph.
        crossbar: :class:`BinaryLinear` or :class:`BinaryConv2d`.
        scale: :class:`ScaleDropout`.
        norm: :class:`ScaleBatchNorm` for codes, :class:`StreamBatchNorm` for a stream,
            :class:`HeadBatchNorm` for logits.
        activation: :class:`QuantisedActivation` for codes, else the identity.
    """

    def __init__(self, config: NetworkConfig, index: int, generator: torch.Generator) -> None:
        super().__init__()
        self.node = config.graph.layers[index]
        self.crossbar = binary_crossbar(config, self.node, generator)
        self.scale = ScaleDropout(
            self.node.channels,
            config.layer_p[index],
            config.scale_bits,
            config.scale_frac_bits,
            init=config.init,
            init_spread=config.init_spread,
            start=self.crossbar.centred_weight().abs().flatten(1).mean(dim=1),
            mask=config.mask,
            generator=generator,
        )
        self.norm = _norm(config, self.node)
        self.activation: nn.Module = nn.Identity()
        if self.node.output is Kind.CODES:
            self.activation = QuantisedActivation(self.node.planes, config.ste)

    def output(self, s: Tensor, keep: Tensor | None = None, pool: int = 1) -> Tensor:
        """What follows the crossbar: sums (B, C, ...) to codes, stream values or logits.

        ``pool`` above 1 takes the largest of each window before the activation, for evaluation: the
        codes are those of a :class:`scaledrop.graph.MaxPool` behind it, since an activation is
        monotone. In training it would send the gradient to the largest value alone and not to all
        that share its code, and train worse (LeNet-5 on MNIST, 20 epochs, one seed: 0.9823 against
        0.9845).
        """
        y: Tensor = self.norm(self.scale(s, keep))
        if pool > 1:
            y = nn.functional.max_pool2d(y, pool)
        result: Tensor = self.activation(y)
        return result

    def forward(self, a: Tensor, keep: Tensor | None = None) -> Tensor:
        """(B, *shape of the source) to (B, C) or (B, C, H, W); ``keep`` as in ScaleDropout."""
        return self.output(self.crossbar(a), keep)


def binary_crossbar(
    config: NetworkConfig, node: Layer, generator: torch.Generator
) -> BinaryLinear | BinaryConv2d:
    value, window = config.graph.input_of(node), node.window
    if window is None:
        return BinaryLinear(
            value.size,
            node.channels,
            generator=generator,
            ste=config.ste,
            normalise=config.normalise,
        )
    return BinaryConv2d(
        value.shape[0],
        node.channels,
        window.size,
        window.stride,
        window.padding,
        generator=generator,
        ste=config.ste,
        normalise=config.normalise,
    )


def _norm(config: NetworkConfig, node: Layer) -> ScaleBatchNorm | HeadBatchNorm:
    if node.output is Kind.CODES:
        return ScaleBatchNorm(node.channels)
    affine = (node.channels, config.gain_bits, config.scale_frac_bits)
    if node.output is Kind.STREAM:
        return StreamBatchNorm(*affine, config.stream_bits, config.stream_frac_bits)
    return HeadBatchNorm(*affine)
