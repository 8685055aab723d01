# SPDX-License-Identifier: Apache-2.0
"""One layer whose sums come out of an analog array."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.analog.array import GRID, AnalogArray
from scaledrop.converter import Converter, lossless_converter
from scaledrop.fast_layer import DOUBLE_EXACT, FastLayer
from scaledrop.fast_windows import patch_view, pieces
from scaledrop.frozen import FrozenNetwork
from scaledrop.layer_mapping import LayerMapping
from scaledrop.line_planes import line_planes, plane_weights

__all__ = ["AnalogLayer"]

Floats = npt.NDArray[Any]


class AnalogLayer(FastLayer):
    """A layer whose sum is that of an array: of every bit plane and tile the current of each
    column, then its converter; the rest, from scale to pool, is the engine's.

    Parameters:
        mapped: the layer on the array.
        array: the chip.
        converter: of its columns; lossless where None.

    Attributes:
        rng: draws the read noise.
    """

    def __init__(
        self,
        network: FrozenNetwork,
        mapped: LayerMapping,
        pool: int,
        array: AnalogArray,
        converter: Converter | None,
    ) -> None:
        self.converter = converter or lossless_converter(array.shape.rows)
        self.mapped = mapped
        self.weights = plane_weights(mapped.layer)
        steps = mapped.taps * mapped.row_tiles * sum(self.weights)
        bound = max(mapped.layer.sum_bound, steps * self.converter.bound)
        super().__init__(network, mapped.layer, mapped.source, pool, bound)
        tiles = array.tiles(mapped)
        single = tiles.exact and array.readout.noise == 0
        self.single = single and bound < 2**24
        kind = np.float32 if self.single else np.float64
        assert array.shape.rows * np.abs(tiles.gains).max() / GRID < DOUBLE_EXACT
        order = _patch_order(mapped)
        self.tiles = []
        for at in np.ndindex(mapped.row_index.shape[:2]):
            used = mapped.row_index[at] >= 0
            lines = order[mapped.row_index[at][used]]
            self.tiles.append((lines, tiles.gains[at][used].astype(kind), tiles.offsets[at]))
        self.offset = bool(tiles.offsets.any())
        self.noise = array.readout.noise
        self.rng = np.random.default_rng([array.seed, 2])

    def _is_banded(self) -> bool:
        return False

    def sums(self, values: Floats) -> Floats:
        return np.asarray(self.raw_sums(values) * self.sign)

    def raw_sums(self, values: Floats) -> Floats:
        """The sums with the sign that they have."""
        window = self.layer.window
        if window is None:
            return self._read(values.reshape(len(values), -1))
        padded = self._padded(values, window.padding)
        view = patch_view(padded, window)
        parts = [self._read(part.reshape(-1, self.layer.in_features)) for part in pieces(view)]
        return np.concatenate(parts).reshape(*view.shape[:3], self.layer.out_features)

    def _read(self, lines: Floats) -> Floats:
        """(P, fan-in in the order of patches) to (P, C_out)."""
        total = np.zeros((len(lines), self.layer.out_features), dtype=self.dtype)
        whole = lines.astype(np.int32)
        kind = np.float32 if self.single else np.float64
        for weight, plane in zip(self.weights, line_planes(self.layer, whole), strict=True):
            driven: Floats = plane.astype(kind)
            for used, gains, offsets in self.tiles:
                sums: Floats = driven[:, used] @ gains
                if self.offset:
                    sums += offsets
                if self.noise:
                    sums += self.rng.standard_normal(sums.shape) * self.noise
                self.converter.read(sums)
                if weight != 1:
                    sums *= weight
                total += sums
        return total


def _patch_order(mapped: LayerMapping) -> npt.NDArray[np.int64]:
    """Place of every fan-in (C, K, K) or (C, H, W) in a patch (K, K, C) or a map (H, W, C)."""
    index = np.arange(mapped.layer.in_features, dtype=np.int64)
    window = mapped.layer.window
    if window is not None:
        shape = (window.size, window.size, -1)
    elif len(mapped.source.shape) == 3:
        channels, height, width = mapped.source.shape
        shape = (height, width, channels)
    else:
        return index
    return index.reshape(shape).transpose(2, 0, 1).ravel()
