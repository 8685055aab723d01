# SPDX-License-Identifier: Apache-2.0
"""The golden model of a layer's sum, tile by tile, each read by a converter of few bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from scaledrop.array_shape import ArrayShape
from scaledrop.converter import Converter
from scaledrop.engine import CrossbarSum, crossbar_sum, patches
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork
from scaledrop.layer_mapping import LayerMapping
from scaledrop.layout import NetworkLayout
from scaledrop.line_planes import line_planes, plane_weights

__all__ = ["Converters", "converted_sum", "converters_of", "mapping_sums", "tile_sum_rule"]

Integers = npt.NDArray[np.int64]
Converters = Converter | None | Sequence[Converter | None]
"""One for all layers or one for each; None is lossless."""


def converters_of(network: FrozenNetwork, converters: Converters) -> tuple[Converter | None, ...]:
    """One converter for each layer of ``network``.

    Raises:
        UserError: as many as there are layers are not given.
    """
    layers = len(network.layers)
    if converters is None or isinstance(converters, Converter):
        return (converters,) * layers
    if len(converters) != layers:
        raise UserError(
            f"converters: must be one, or one for each of the {layers} layers, not "
            f"{len(converters)}"
        )
    return tuple(converters)


def converted_sum(
    mapped: LayerMapping, values: Integers, convert: Callable[[Integers], Integers]
) -> Integers:
    """(N, T, *shape) to (N, T, C) or (N, T, C, H, W): ``convert`` of every tile's column sums of
    every bit plane, added."""
    layer = mapped.layer
    if layer.window is None:
        lines = values.reshape(*values.shape[:2], -1)
    else:
        lines = patches(values, layer.window)
    cells = (2 * layer.weights.astype(np.int64) - 1).T
    total = np.zeros((*lines.shape[:-1], layer.out_features), dtype=np.int64)
    rows = [tile[tile >= 0] for tap in mapped.row_index for tile in tap]
    for weight, plane in zip(plane_weights(layer), line_planes(layer, lines), strict=True):
        for used in rows:
            total += weight * convert(plane[..., used] @ cells[used])
    return total if layer.window is None else np.moveaxis(total, -1, 2)


def mapping_sums(mapping: NetworkLayout) -> CrossbarSum:
    """The sums that a mapped network's hardware forms: exact where its array reads without loss."""
    array = mapping.array
    if array.converter is None:
        return crossbar_sum
    return tile_sum_rule(mapping.network, array, array.converter, mapping.convolution)


def tile_sum_rule(
    network: FrozenNetwork,
    array: ArrayShape,
    converters: Converters,
    convolution: str = "auto",
) -> CrossbarSum:
    """The ``crossbar_sum`` of :func:`scaledrop.engine.infer` on an array with such converters."""
    chosen = converters_of(network, converters)
    layers: Mapping[str, LayerMapping] = {
        mapped.layer.name: mapped for mapped in NetworkLayout(network, array, convolution).layers
    }

    def rule(layer: FrozenLayer, values: Integers) -> Integers:
        mapped = layers[layer.name]
        converter = chosen[mapped.index]
        convert = (lambda s: s) if converter is None else converter.value
        return converted_sum(mapped, values, convert)

    return rule
