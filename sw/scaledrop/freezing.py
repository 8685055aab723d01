# SPDX-License-Identifier: Apache-2.0
"""From a trained network to integers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Stream, Threshold
from scaledrop.graph import Kind, Layer
from scaledrop.nn import HeadBatchNorm, ScaleDropBlock, ScaleDropNet
from scaledrop.numbers import Coding, quantise_scale, scaled_bound, signed_width

__all__ = ["freeze"]

EXACT_WIDTH = 53
"""Widest signed integer whose whole range float64 holds, with one bit to spare."""


def _check_finite(net: ScaleDropNet) -> None:
    for key, tensor in net.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise UserError(
                f"{key}: has a value that is not a number; train again with a lower learning_rate"
            )
        if key.endswith("running_var") and (tensor < 0).any():
            raise UserError(f"{key}: has a negative variance; train again or repair it")


class _LayerFreezer:
    """One layer of a network in float64 evaluation; the order of its steps is that of the file."""

    def __init__(self, net: ScaleDropNet, node: Layer) -> None:
        self.node, self.config, self.graph = node, net.config, net.graph
        self.block: ScaleDropBlock = net.block(node.name)
        self.key = f"layers.{node.name}"
        self.scale = quantise_scale(
            self.block.scale.alpha.detach().numpy(),
            self.config.scale_bits,
            self.config.scale_frac_bits,
            f"{self.key}.scale.alpha",
        )
        self.bound = scaled_bound(self.graph.sum_bound(node), self.config.scale_bits)
        self._check_width("scaled sums", self.bound, "scale_bits")

    def _check_width(self, what: str, bound: int, field: str) -> None:
        width = signed_width(bound)
        if width > EXACT_WIDTH:
            raise UserError(
                f"{field}: {what} of {width} bits are not exact in float64, {EXACT_WIDTH} are; "
                f"lower {field}, now {getattr(self.config, field)} (layer {self.node.name!r})"
            )

    def layer(self) -> FrozenLayer:
        value = self.graph.input_of(self.node)
        return FrozenLayer(
            name=self.node.name,
            weights=self._weight_bits(),
            scale=self.scale,
            drop_code=self.block.scale.drop_code,
            coding=Coding.UNSIGNED if value.kind is Kind.PIXELS else Coding.BIPOLAR,
            planes=value.planes,
            output=self._threshold() if self.node.output is Kind.CODES else self._affine(),
            window=self.node.window,
            addends=value.addends,
            source=self.node.source,
        )

    def _weight_bits(self) -> npt.NDArray[np.uint8]:
        bits = (self.block.crossbar.binary_weight() > 0).flatten(1)
        result: npt.NDArray[np.uint8] = bits.to(torch.uint8).numpy()
        return result

    def _decisions(self, shat: Tensor) -> Tensor:
        """Whether the code of ``shat`` (levels, C) reaches 1, 2, ...: level by level, bool."""
        y = self.block.norm(shat.double() * 2.0**-self.config.scale_frac_bits)
        if not torch.isfinite(y).all():
            raise UserError(
                f"{self.key}.norm: overflows for some sums; train again with a lower learning_rate"
            )
        top = 2**self.node.planes - 1
        codes: Tensor = (self.block.activation(y) + top) / 2
        return codes >= torch.arange(1, top + 1)[:, None]

    def _threshold(self) -> Threshold:
        """Integer bisection over ``shat`` in [-bound, bound], all channels and levels at once.

        Where the two ends differ, decision(low) == decision(-bound) and decision(high) !=
        decision(-bound) throughout, and ``high`` ends as the first ``shat`` with the other one.
        """
        levels = 2**self.node.planes - 1
        low = torch.full((levels, self.node.channels), -self.bound, dtype=torch.int64)
        high = -low
        first, last = self._decisions(low), self._decisions(high)
        for _ in range((2 * self.bound).bit_length() + 1):
            middle = torch.div(low + high, 2, rounding_mode="floor")
            same = self._decisions(middle) == first
            low, high = torch.where(same, middle, low), torch.where(same, high, middle)
        return self._canonical(high, first, last)

    def _canonical(self, point: Tensor, first: Tensor, last: Tensor) -> Threshold:
        """Decisions that never change, in the form of :func:`numbers.activation_bit`.

        For k > 1 the levels of a channel share one ``flip``. A constant one that agrees with it
        stores the least ``shat``, else the first value above all that the channel's scale can give.
        """
        constant = first == last
        least = torch.full_like(point, -self.bound)
        if self.node.planes == 1:
            flip = torch.where(constant, ~first, first)[0]
            threshold = torch.where(constant, least, point)[0]
            return Threshold(threshold.numpy(), flip.to(torch.int64).numpy())
        flip = (first & ~last).any(dim=0)
        scale = np.maximum(self.scale, 1 << self.config.scale_frac_bits)
        beyond = torch.from_numpy(scale * self.graph.sum_bound(self.node) + 1)
        still = torch.where(first != flip, least, beyond.expand_as(least))
        threshold = torch.where(constant, still, point)
        return Threshold(threshold.T.contiguous().numpy(), flip.to(torch.int64).numpy())

    def _affine(self) -> Head | Stream:
        norm = self.block.norm
        assert isinstance(norm, HeadBatchNorm)
        try:
            gain, offset, frac = norm.integer_affine()
        except UserError as error:
            raise UserError(f"{self.key}.norm: {error}") from None
        head = self.node.output is Kind.LOGITS
        output = (Head if head else Stream)(gain, offset, norm.gain_bits, frac)
        half = 0 if head else 1 << max(self._shift(frac) - 1, 0)
        what = "logits" if head else "stream values"
        self._check_width(what, output.bound(self.bound) + half, "gain_bits")
        return output

    def _shift(self, frac: int) -> int:
        """Fraction bits that a stream output drops."""
        shift = self.config.scale_frac_bits + frac - self.config.stream_frac_bits
        if shift < 0:
            raise UserError(
                f"gain_bits: {self.config.gain_bits} leave {self.key}.norm {frac} fraction bits, "
                f"too few for a stream of {self.config.stream_frac_bits}; raise gain_bits"
            )
        return shift


def freeze(net: ScaleDropNet, provenance: Mapping[str, Any]) -> FrozenNetwork:
    """Every float of ``net`` as an integer; ``net`` itself is not changed.

    The work is done in float64 on the network's own evaluation: for every image and mask,
    ``scaledrop.engine.infer`` of the result equals ``net.double().eval().trace``, bit for bit, and
    the integer logit is the float one times ``2**logit_frac_bits``.

    Args:
        net: any graph, on any device, in training or evaluation mode.
        provenance: JSON values that tell where the network came from.

    Raises:
        UserError: a tensor holds NaN or infinity, or a value does not fit its format; the message
            names the tensor as ``state_dict`` does.

    Source: arXiv 2311.15816 for the layer; the folding rules are ``docs/design/0001-numbers.md``.
    """
    _check_finite(net)
    work = copy.deepcopy(net).cpu().double().eval()
    with torch.no_grad():
        nodes = tuple(
            _LayerFreezer(work, node).layer() if isinstance(node, Layer) else node
            for node in work.graph.nodes
        )
    config = net.config
    return FrozenNetwork(
        name=config.name,
        input_shape=config.input_shape,
        input_bits=config.input_bits,
        scale_bits=config.scale_bits,
        scale_frac_bits=config.scale_frac_bits,
        nodes=nodes,
        provenance=dict(provenance),
        stream_bits=config.stream_bits,
        stream_frac_bits=config.stream_frac_bits,
    )
