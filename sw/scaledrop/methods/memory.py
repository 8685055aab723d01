# SPDX-License-Identifier: Apache-2.0
"""Bits that a network stores, counted alike for all methods."""

from __future__ import annotations

from scaledrop.graph import Graph, Kind, Layer
from scaledrop.nn.config import NetworkConfig
from scaledrop.numbers import scaled_bound, signed_width

__all__ = ["memory_bits"]

DIRECTION = 2
"""Bits of a threshold beside the sum's: its direction, and room for one that no sum reaches."""


def _norm_bits(config: NetworkConfig, graph: Graph, node: Layer, scaled: bool) -> int:
    """Of one channel: the thresholds of its codes, or gain and offset."""
    bound = graph.sum_bound(node)
    if scaled:
        bound = scaled_bound(bound, config.scale_bits)
    if node.output is Kind.CODES:
        levels = (1 << node.planes) - 1
        return levels * (signed_width(bound) + DIRECTION)
    return config.gain_bits + signed_width(bound << config.gain_bits - 1)


def memory_bits(
    config: NetworkConfig,
    *,
    scales: int = 0,
    norms: int = 1,
    weight_bits: int = 1,
    head_scales: int | None = None,
) -> int:
    """Bits that hold a network, as :mod:`scaledrop.footprint` counts them but without the rounding
    of memories to lanes and words, buffers of activations and what the host loads for control.

    A weight is one bit; a scale ``config.scale_bits``. BatchNorm of a layer of k-bit codes is
    ``2**k - 1`` thresholds a channel, each of the sum's width, its direction and room for one
    that no sum reaches; that of the head and of streams a gain and an offset. A scale that never
    changes is in them and takes nothing. They are of the scaled sum's width where scales are kept.

    Args:
        config: the network.
        scales: vectors of a value a channel that are kept beside what normalises.
        norms: sets of what normalises, 1 or more.
        head_scales: as ``scales``, of the last layer; the same when None.
        weight_bits: of one weight; more for weights of several levels or several sets.
    """
    graph, total = config.graph, 0
    for node in graph.layers:
        channels, fan_in = graph.weight_shape(node)
        kept = scales
        if node.output is Kind.LOGITS and head_scales is not None:
            kept = head_scales
        norm = norms * _norm_bits(config, graph, node, kept > 0)
        total += channels * (fan_in * weight_bits + kept * config.scale_bits + norm)
    return total
