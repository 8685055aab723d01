# SPDX-License-Identifier: Apache-2.0
"""A frozen network on an analog array: what :func:`scaledrop.predict.predict` can run over."""

from __future__ import annotations

import zlib
from typing import cast

import numpy as np
import numpy.typing as npt

from scaledrop.analog.array import AnalogArray
from scaledrop.analog.layer import AnalogLayer
from scaledrop.fast_engine import FastEngine
from scaledrop.frozen import FrozenLayer, FrozenNetwork
from scaledrop.graph import Value
from scaledrop.layout import NetworkLayout
from scaledrop.sharing import Plan
from scaledrop.tile_sums import Converters, converters_of

__all__ = ["AnalogEngine"]

Integers = npt.NDArray[np.int64]


class AnalogEngine(FastEngine):
    """The fast engine with the sums of an array of tiles.

    With ideal cells, no wires and lossless converters every logit equals that of the integer
    engine; with ideal cells and converters of few bits it equals the integer engine under the same
    converters (:mod:`scaledrop.tile_sums`).

    Parameters:
        network: any frozen network.
        array: the chip; one without faults when None.
        converters: one, or one for each layer; None is lossless: it tells all sums of ideal cells
            apart, rounds to the nearest and clips to the rows of a tile.
        convolution: how kernels are laid out; see :class:`scaledrop.mapping.NetworkMapping`.

    Read noise is drawn from the array's seed and the images, masks and block of an evaluation, so
    that a run repeats; passes that share a sum share its noise.

    Raises:
        UserError: as many converters as layers are not given, or an unknown mapping.
    """

    def __init__(
        self,
        network: FrozenNetwork,
        array: AnalogArray | None = None,
        converters: Converters = None,
        convolution: str = "auto",
    ) -> None:
        self.array = array or AnalogArray()
        self.converters = converters_of(network, converters)
        mapping = NetworkLayout(network, self.array.shape, convolution).layers
        mapped = {one.layer.name: one for one in mapping}

        def layer_type(
            network: FrozenNetwork, layer: FrozenLayer, source: Value, pool: int
        ) -> AnalogLayer:
            at = mapped[layer.name]
            return AnalogLayer(network, at, pool, self.array, self.converters[at.index])

        super().__init__(network, layer_type)
        self.parallel = self.array.readout.noise == 0

    def leaf_logits(self, images: npt.NDArray[np.integer], plan: Plan) -> npt.NDArray[np.int64]:
        if self.array.readout.noise > 0:
            rng = np.random.default_rng([self.array.seed, 2, _digest(images, plan)])
            for layer in self._layers.values():
                cast(AnalogLayer, layer).rng = rng
        return super().leaf_logits(images, plan)

    def crossbar_sum(self, layer: FrozenLayer, values: Integers) -> Integers:
        """For :func:`scaledrop.engine.infer`, which then gives every hidden bit too."""
        analog = cast(AnalogLayer, self._layers[layer.name])
        flat = values.reshape(-1, *values.shape[2:])
        if flat.ndim == 4:
            flat = np.moveaxis(flat, 1, -1)
        sums = analog.raw_sums(flat).astype(np.int64)
        if sums.ndim == 4:
            sums = np.moveaxis(sums, -1, 1)
        return sums.reshape(*values.shape[:2], *sums.shape[1:])


def _digest(images: npt.NDArray[np.integer], plan: Plan) -> int:
    """Of what a block is made of."""
    arrays = (images, plan.leaves, *(split.parents for split in plan.splits))
    value = 0
    for array in arrays:
        value = zlib.crc32(np.ascontiguousarray(array).tobytes(), value)
    return value
