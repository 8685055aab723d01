# SPDX-License-Identifier: Apache-2.0
"""From a trained network to integers, by construction equal to its float64 evaluation."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Threshold
from scaledrop.nn import HeadBatchNorm1d, ScaleBatchNorm1d, ScaleDropBlock, ScaleDropNet
from scaledrop.numbers import (
    Coding,
    quantise_scale,
    scaled_bound,
    sign_bit,
    signed_width,
    sum_bound,
)

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


@torch.no_grad()
def _bits(norm: ScaleBatchNorm1d, shat: torch.Tensor, frac: int, key: str) -> torch.Tensor:
    y = norm((shat.double() * 2.0**-frac)[None, :])[0]
    if not torch.isfinite(y).all():
        raise UserError(f"{key}: overflows for some sums; train again with a lower learning_rate")
    bits: torch.Tensor = sign_bit(y)
    return bits


def _threshold(norm: ScaleBatchNorm1d, bound: int, frac: int, key: str) -> Threshold:
    """Integer bisection over ``shat`` in [-bound, bound], all channels at once.

    Where the two ends differ, bit(low) == bit(-bound) and bit(high) != bit(-bound) throughout, and
    ``high`` ends as the first ``shat`` with the other bit. A channel that never changes takes the
    form that :func:`scaledrop.numbers.activation_bit` gives it.
    """
    low = torch.full((norm.num_features,), -bound, dtype=torch.int64)
    high = -low
    first, last = _bits(norm, low, frac, key), _bits(norm, high, frac, key)
    for _ in range((2 * bound).bit_length() + 1):
        middle = torch.div(low + high, 2, rounding_mode="floor")
        same = _bits(norm, middle, frac, key) == first
        low, high = torch.where(same, middle, low), torch.where(same, high, middle)
    constant = first == last
    threshold = torch.where(constant, torch.full_like(high, -bound), high)
    flip = torch.where(constant, ~first, first)
    return Threshold(threshold.numpy(), flip.to(torch.int64).numpy())


def _head(norm: HeadBatchNorm1d, bound: int) -> Head:
    gain, offset, frac = norm.integer_affine()
    largest = max(
        abs(g) * bound + abs(o) for g, o in zip(gain.tolist(), offset.tolist(), strict=True)
    )
    if signed_width(largest) > EXACT_WIDTH:
        raise UserError(
            f"gain_bits: logits of {signed_width(largest)} bits are not exact in float64, "
            f"{EXACT_WIDTH} are; lower gain_bits, now {norm.gain_bits}"
        )
    return Head(gain, offset, norm.gain_bits, frac)


def _weight_bits(block: ScaleDropBlock) -> npt.NDArray[np.uint8]:
    bits: npt.NDArray[np.uint8] = (block.linear.binary_weight() > 0).to(torch.uint8).numpy()
    return bits


def _layer(net: ScaleDropNet, index: int) -> FrozenLayer:
    config, block = net.config, net.blocks[index]
    coding = Coding.BIPOLAR if index else Coding.UNSIGNED
    planes = 1 if index else config.input_bits
    bound = scaled_bound(sum_bound(block.linear.in_features, coding, planes), config.scale_bits)
    norm, frac = block.norm, config.scale_frac_bits
    return FrozenLayer(
        name=f"dense{index}",
        weights=_weight_bits(block),
        scale=quantise_scale(
            block.scale.alpha.detach().numpy(),
            config.scale_bits,
            frac,
            f"layers.{index}.scale.alpha",
        ),
        drop_code=block.scale.drop_code,
        coding=coding,
        planes=planes,
        output=_head(norm, bound)
        if isinstance(norm, HeadBatchNorm1d)
        else _threshold(norm, bound, frac, f"layers.{index}.norm"),
    )


def freeze(net: ScaleDropNet, provenance: Mapping[str, Any]) -> FrozenNetwork:
    """Every float of ``net`` as an integer; ``net`` itself is not changed.

    The work is done in float64 on the network's own evaluation: for every image and mask,
    ``scaledrop.engine.infer`` of the result equals ``net.double().eval().trace``, bit for bit, and
    the integer logit is the float one times ``2**logit_frac_bits``.

    Args:
        net: on any device, in training or evaluation mode.
        provenance: JSON values that tell where the network came from.

    Raises:
        UserError: a tensor holds NaN or infinity, or a value does not fit its format; the message
            names the tensor as ``state_dict`` does.

    Source: arXiv 2311.15816 for the layer; the folding rules are ``docs/design/0001-numbers.md``.
    """
    _check_finite(net)
    work = copy.deepcopy(net).cpu().double().eval()
    with torch.no_grad():
        layers = tuple(_layer(work, index) for index in range(len(work.blocks)))
    config = net.config
    return FrozenNetwork(
        name=config.name,
        input_shape=config.input_shape,
        input_bits=config.input_bits,
        scale_bits=config.scale_bits,
        scale_frac_bits=config.scale_frac_bits,
        layers=layers,
        provenance=dict(provenance),
    )
