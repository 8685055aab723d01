# SPDX-License-Identifier: Apache-2.0
"""Which step a converter of given bits should have: that with the least error of a layer's sum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from scaledrop.array_shape import ArrayShape
from scaledrop.converter import Converter, lossless_converter
from scaledrop.engine import crossbar_sum, infer
from scaledrop.frozen import FrozenLayer, FrozenNetwork
from scaledrop.layer_mapping import LayerMapping
from scaledrop.layout import NetworkLayout
from scaledrop.tile_sums import converted_sum

__all__ = ["candidates", "choose_converters"]

Integers = npt.NDArray[np.int64]


def candidates(bits: int, rows: int) -> Iterator[Converter]:
    """Converters of ``bits`` whose range is not wider than all sums of ``rows`` cells need."""
    widest = lossless_converter(rows).bits - bits
    for shift in range(max(widest, 0) + 1):
        if bits > 1:
            yield Converter(bits, 1 << shift)
        if shift:
            yield Converter(bits, 1 << shift, mid_rise=True)


def choose_converters(
    network: FrozenNetwork,
    shape: ArrayShape,
    bits: int,
    images: npt.NDArray[np.integer],
    convolution: str = "auto",
) -> tuple[Converter, ...]:
    """For each layer the converter of ``bits`` with the least mean square of ``s' - s``, over the
    layer's whole sums of ``images`` run without loss and without a dropped scale.

    Some 50 images are enough: a layer sees each at every position. Ties go to the finer step.

    Raises:
        UserError: wrong images.
    """
    inputs: dict[str, Integers] = {}

    def observed(layer: FrozenLayer, values: Integers) -> Integers:
        inputs[layer.name] = values
        return crossbar_sum(layer, values)

    masks = np.ones((len(images), 1, len(network.layers)), dtype=np.uint8)
    infer(network, images, masks, observed)
    return tuple(
        _best(mapped, inputs[mapped.layer.name], list(candidates(bits, shape.rows)))
        for mapped in NetworkLayout(network, shape, convolution).layers
    )


def _best(mapped: LayerMapping, values: Integers, among: list[Converter]) -> Converter:
    exact = crossbar_sum(mapped.layer, values)
    errors = [
        float(np.square(converted_sum(mapped, values, one.value) - exact).mean()) for one in among
    ]
    return among[int(np.argmin(errors))]
