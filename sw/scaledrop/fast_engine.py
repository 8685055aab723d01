# SPDX-License-Identifier: Apache-2.0
"""The fast integer engine: exact integers in floating-point matrix products, prefixes shared.

Sums of +-1 cells are integers; where their largest magnitude is below 2**24 every partial sum is
exact in float32 whatever the order of addition, and below 2**53 in float64, so the products run in
the BLAS that NumPy carries and still equal the golden model bit for bit. Scale, dropout and
threshold are one comparison (:mod:`scaledrop.folding`); pooling is done on sums, before it. Maps
are held channels last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scaledrop.engine import check_masks
from scaledrop.fast_layer import FastLayer, Maps, between
from scaledrop.frozen import FrozenLayer, FrozenNetwork
from scaledrop.graph import INPUT, Value
from scaledrop.images import checked_pixels
from scaledrop.sharing import Plan, separate_plan, shared_plan
from scaledrop.workers import in_chunks

__all__ = ["FastEngine"]

CHUNK_BYTES = 4 * 2**20
"""Maps of one chunk's largest layer: about what a core's own cache holds."""


class FastEngine:
    """A frozen network made ready for whole test sets.

    Parameters:
        network: any frozen network.
        layer_type: what evaluates a layer, given network, layer, its source and the edge of a pool.

    Attributes:
        network: the same.
        frac_bits: unit of a logit is ``2**-frac_bits``.
    """

    parallel = True
    """Chunks may be evaluated in several threads at once."""

    def __init__(
        self,
        network: FrozenNetwork,
        layer_type: Callable[[FrozenNetwork, FrozenLayer, Value, int], FastLayer] = FastLayer,
    ) -> None:
        self.network = network
        graph = network.graph
        self._layers: dict[str, FastLayer] = {}
        self._fused: dict[str, str] = {}
        for layer in network.layers:
            pool = graph.pool_behind(layer.node)
            if pool is not None:
                self._fused[pool.name] = layer.name
            source = graph.input_of(layer.node)
            self._layers[layer.name] = layer_type(network, layer, source, pool.size if pool else 1)

    @property
    def frac_bits(self) -> int:
        return self.network.logit_frac_bits

    @property
    def drop_codes(self) -> tuple[int, ...]:
        """Dropout probabilities of the layers, times ``2**16``."""
        return tuple(layer.drop_code for layer in self.network.layers)

    @property
    def classes(self) -> int:
        return self.network.classes

    @cached_property
    def chunk_images(self) -> int:
        """Images whose largest layer takes :data:`CHUNK_BYTES`."""
        largest = max(layer.row_bytes for layer in self._layers.values())
        return max(1, CHUNK_BYTES // largest)

    @property
    def prefix_bytes(self) -> int:
        """Bytes of the maps alive together in float32, twice, for copies."""
        return 8 * self.network.graph.peak_size

    def images(self, images: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """Images checked, (N, input_size).

        Raises:
            UserError: wrong shape or range.
        """
        return checked_pixels(images, self.network.input_shape, self.network.input_bits)

    def leaf_logits(self, images: npt.NDArray[np.integer], plan: Plan) -> npt.NDArray[np.int64]:
        """Logits (leaves, ..., K) of checked ``images`` under ``plan``; the golden ones."""
        graph = self.network.graph
        shape = graph.values[INPUT].shape
        pixels = images.reshape(len(images), *shape)
        if len(shape) == 3:
            pixels = pixels.transpose(0, 2, 3, 1)
        maps: dict[str, Maps] = {INPUT: Maps(pixels)}
        splits = iter(plan.splits)
        for node in self.network.nodes:
            inputs = [maps[source] for source in graph.sources[node.name]]
            if isinstance(node, FrozenLayer):
                split = next(splits)
                layer = self._layers[node.name]
                result = layer.split(inputs[0], split)
                for value in maps.values():
                    value.follow(split.parents)
                maps[node.name] = result
            elif node.name in self._fused:
                maps[node.name] = inputs[0]
            else:
                maps[node.name] = between(self.network, node, inputs)
            for name in graph.finished[node.name]:
                del maps[name]
        return maps[self.network.nodes[-1].name].values.astype(np.int64)

    def logits(
        self,
        images: npt.NDArray[np.integer],
        masks: npt.NDArray[np.integer],
        shared: bool = True,
    ) -> npt.NDArray[np.int64]:
        """Logits (N, T, ..., K) of T given passes.

        Args:
            images: (N, input_size) or (N, *input_shape) unsigned pixels.
            masks: (N, T, L) bits, 1 keeps the scale.
            shared: evaluate every distinct prefix once; the result is the same.

        Raises:
            UserError: wrong shapes or values.
        """
        pixels = self.images(images)
        keep = check_masks(self.network, masks, len(pixels))
        plan_of = shared_plan if shared else separate_plan

        def chunk(rows: slice) -> npt.NDArray[np.int64]:
            plan = plan_of(keep[rows])
            return self.leaf_logits(pixels[rows], plan)[plan.leaves]

        parts: Sequence[npt.NDArray[np.int64]] = in_chunks(
            len(pixels), self.chunk_images, chunk, self.parallel
        )
        if not parts:
            shape = (0, keep.shape[1], *self.network.positions, self.classes)
            return np.zeros(shape, dtype=np.int64)
        return np.concatenate(parts)
