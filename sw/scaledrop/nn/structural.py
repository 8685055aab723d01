# SPDX-License-Identifier: Apache-2.0
"""What the nodes without weights do to values, in floats that hold integers exactly."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaledrop.graph import Add, Concat, MaxPool, Node, Quantise, Subsample, SumPool, Upsample
from scaledrop.nn.norm import saturate_stream
from scaledrop.nn.ste import quantise

__all__ = ["apply_node"]


def _max_pool(value: Tensor, size: int) -> Tensor:
    # Not max_pool2d: among equal codes it would send the whole gradient to the first.
    *lead, height, width = value.shape
    height, width = height // size, width // size
    whole = value[..., : height * size, : width * size]
    rows = whole.reshape(*lead, height, size, width * size).amax(dim=-2)
    return rows.reshape(*lead, height, width, size).amax(dim=-1)


def _upsample(value: Tensor, factor: int) -> Tensor:
    *lead, height, width = value.shape
    spread = value[..., :, None, :, None].expand(*lead, height, factor, width, factor)
    return spread.reshape(*lead, height * factor, width * factor)


def _subsample(value: Tensor, stride: int, channels: int) -> Tensor:
    some = value[..., ::stride, ::stride]
    return nn.functional.pad(some, (0, 0, 0, 0, 0, channels - value.shape[-3]))


def apply_node(node: Node, values: tuple[Tensor, ...], stream: tuple[int, int], ste: str) -> Tensor:
    """One node without weights; see its class in :mod:`scaledrop.graph`.

    Args:
        node: anything but a ``Layer``.
        values: (B, *shape) of its sources: codes as odd integers, streams in real units.
        stream: bits and fraction bits of the streams.
        ste: estimator of a ``Quantise``.

    Returns:
        (B, *shape), the dtype of the values.
    """
    first = values[0]
    if isinstance(node, MaxPool):
        result = _max_pool(first, node.size)
    elif isinstance(node, SumPool):
        result = first.sum(dim=(-2, -1))
    elif isinstance(node, Upsample):
        result = _upsample(first, node.factor)
    elif isinstance(node, Concat):
        result = torch.cat(values, dim=1)
    elif isinstance(node, Add):
        result = saturate_stream(first + values[1], *stream)
    elif isinstance(node, Subsample):
        result = _subsample(first, node.stride, node.channels)
    elif isinstance(node, Quantise):
        result = quantise(first, node.planes, ste)
    else:
        raise TypeError(f"{node.name}: a layer has weights; use layer_sum and layer_output")
    return result
