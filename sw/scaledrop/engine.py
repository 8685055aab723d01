# SPDX-License-Identifier: Apache-2.0
"""The golden model: a frozen network in plain 64-bit integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Stream, Threshold
from scaledrop.graph import (
    INPUT,
    Add,
    Concat,
    MaxPool,
    Node,
    Quantise,
    Subsample,
    SumPool,
    Upsample,
    Window,
)
from scaledrop.images import checked_pixels
from scaledrop.numbers import (
    activation_bit,
    activation_code,
    decode,
    saturate,
    scaled_sum,
    stream_code,
    stream_value,
)
from scaledrop.record import PassRecord

__all__ = [
    "CrossbarSum",
    "check_images",
    "check_masks",
    "check_passes",
    "crossbar_sum",
    "infer",
    "patches",
]

MAX_SUM_WIDTH = 63


def check_images(network: FrozenNetwork, images: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Images (N, *input_shape) or (N, input_size) as (N, input_size) integers.

    Raises:
        UserError: wrong shape, or a pixel outside ``0 .. 2**input_bits - 1``.
    """
    return checked_pixels(images, network.input_shape, network.input_bits).astype(np.int64)


def check_passes(network: FrozenNetwork, passes: int) -> None:
    """Whether logits summed over ``passes`` passes fit the 64-bit integers of the golden model.

    Raises:
        UserError: no pass at all, or sums that would not fit.
    """
    if passes < 1:
        raise UserError(f"passes: must be 1 or more, not {passes}")
    if network.logit_width + passes.bit_length() > MAX_SUM_WIDTH:
        raise UserError(
            f"passes: sums of {passes} logits of {network.logit_width} bits do not fit "
            f"{MAX_SUM_WIDTH} bits; use fewer passes or a lower gain_bits"
        )


def check_masks(
    network: FrozenNetwork, masks: npt.NDArray[np.integer], images: int
) -> npt.NDArray[np.uint8]:
    """Masks (N, T, L) as bits.

    Raises:
        UserError: wrong shape or a value other than 0 and 1.
    """
    masks = np.asarray(masks)
    if masks.ndim != 3 or masks.shape[0] != images or masks.shape[2] != len(network.layers):
        raise UserError(
            f"masks: shape must be ({images}, T, {len(network.layers)}), not {masks.shape}"
        )
    check_passes(network, masks.shape[1])
    if not np.isin(masks, (0, 1)).all():
        raise UserError("masks: must be 0 or 1")
    return masks.astype(np.uint8)


Integers = npt.NDArray[np.int64]
CrossbarSum = Callable[[FrozenLayer, Integers], Integers]
"""From a layer and its inputs (N, T, *shape) to its sums (N, T, C) or (N, T, C, H, W)."""


def patches(values: Integers, window: Window) -> Integers:
    """(..., C, H, W) to (..., OH, OW, C * K * K); padding is worth 0."""
    edge = (window.padding, window.padding)
    padded = np.pad(values, [(0, 0)] * (values.ndim - 2) + [edge, edge])
    size, stride = (window.size, window.size), window.stride
    views = np.lib.stride_tricks.sliding_window_view(padded, size, (-2, -1))
    views = np.moveaxis(views[..., ::stride, ::stride, :, :], -5, -3)
    return views.reshape(*views.shape[:-3], -1)


def crossbar_sum(layer: FrozenLayer, values: Integers) -> Integers:
    """(N, T, *shape) to (N, T, C) or (N, T, C, H, W), read without loss."""
    cells = 2 * layer.weights.astype(np.int64) - 1
    if layer.window is None:
        dense: Integers = values.reshape(*values.shape[:2], -1) @ cells.T
        return dense
    sums: Integers = patches(values, layer.window) @ cells.T
    return np.moveaxis(sums, -1, 2)


def _by_channel(values: Integers, dims: int) -> Integers:
    """(C, ...) spread over ``dims`` axes behind the channels."""
    return values.reshape(len(values), *[1] * dims, *values.shape[1:])


def _output(network: FrozenNetwork, layer: FrozenLayer, shat: Integers) -> Integers:
    dims, output = shat.ndim - 3, layer.output
    if isinstance(output, Threshold):
        flip = _by_channel(output.flip, dims)
        if output.planes == 1:
            bits = activation_bit(shat, _by_channel(output.threshold, dims), flip)
            return np.asarray(bits, dtype=np.int64)
        levels = _by_channel(output.threshold, dims)
        return np.asarray(activation_code(shat[..., None], levels, flip[..., None]))
    gain, offset = (_by_channel(value, dims) for value in (output.gain, output.offset))
    if isinstance(output, Head):
        return gain * shat + offset
    shift = network.stream_shift(output)
    return np.asarray(stream_value(shat, gain, offset, shift, network.stream_bits))


def _between(network: FrozenNetwork, node: Node, values: list[Integers]) -> Integers:
    """What a node without weights makes of its inputs (N, T, *shape)."""
    first = result = values[0]
    match node:
        case MaxPool(size=size):
            height, width = (edge // size for edge in first.shape[-2:])
            whole = first[..., : height * size, : width * size]
            tiles = whole.reshape(*first.shape[:-2], height, size, width, size)
            result = tiles.max(axis=(-3, -1))
        case SumPool():
            result = first.sum(axis=(-2, -1))
        case Upsample(factor=factor):
            result = first.repeat(factor, axis=-2).repeat(factor, axis=-1)
        case Concat():
            runs = np.broadcast_shapes(*(value.shape[:2] for value in values))
            result = np.concatenate(
                [np.broadcast_to(value, (*runs, *value.shape[2:])) for value in values], axis=2
            )
        case Add():
            result = saturate(first + values[1], network.stream_bits)
        case Subsample(stride=stride, channels=channels):
            some = first[..., ::stride, ::stride]
            result = np.pad(some, [(0, 0)] * 2 + [(0, channels - some.shape[2])] + [(0, 0)] * 2)
        case Quantise(planes=planes):
            result = decode(stream_code(first, network.stream_frac_bits, planes), planes)
    return result


def infer(
    network: FrozenNetwork,
    images: npt.NDArray[np.integer],
    masks: npt.NDArray[np.integer],
    crossbar_sum: CrossbarSum = crossbar_sum,
) -> PassRecord:
    """Run every pass of every image.

    Args:
        images: (N, input_size) or (N, *input_shape) unsigned pixels.
        masks: (N, T, L) bits, 1 keeps the scale of that layer in that pass.
        crossbar_sum: what the array makes of a layer's inputs; the exact sum when not given.

    Returns:
        The full record. What depends on no bit yet is computed once per image.
    """
    pixels = check_images(network, images)
    keep = check_masks(network, masks, len(pixels))
    graph, bit = network.graph, iter(range(keep.shape[2]))
    shape = graph.values[INPUT].shape
    values: dict[str, Integers] = {INPUT: pixels.reshape(len(pixels), 1, *shape)}
    hidden: list[npt.NDArray[np.integer]] = []
    for node in network.nodes:
        inputs = [values[source] for source in graph.sources[node.name]]
        if not isinstance(node, FrozenLayer):
            values[node.name] = _between(network, node, inputs)
            continue
        s = crossbar_sum(node, inputs[0])
        dims = s.ndim - 3
        kept = keep[:, :, next(bit)].reshape(*keep.shape[:2], *[1] * (dims + 1))
        shat = scaled_sum(s, _by_channel(node.scale, dims), kept, network.scale_frac_bits)
        result = _output(network, node, shat)
        if isinstance(node.output, Threshold):
            hidden.append(result.astype(np.uint8))
            result = decode(result, node.output.planes)
        elif isinstance(node.output, Stream):
            hidden.append(result)
        values[node.name] = result
    logits = np.moveaxis(values[network.nodes[-1].name], 2, -1)
    return PassRecord.of_passes(keep, tuple(hidden), logits)
