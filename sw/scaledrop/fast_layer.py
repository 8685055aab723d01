# SPDX-License-Identifier: Apache-2.0
"""One layer of the fast engine, and the nodes between layers, on maps held channels last."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.fast_windows import band_view, max_pool, patch_view, pieces
from scaledrop.folding import fold
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Stream, Threshold
from scaledrop.graph import (
    Add,
    Concat,
    MaxPool,
    Node,
    Quantise,
    Subsample,
    SumPool,
    Upsample,
    Value,
    Window,
)
from scaledrop.numbers import saturate, scaled_bound
from scaledrop.sharing import Split

__all__ = ["FastLayer", "Maps", "between"]

Floats = npt.NDArray[Any]

SINGLE_EXACT, DOUBLE_EXACT = 2**24, 2**53
"""Integers below them are exact in float32 and in float64."""

SHORT_RUN, MOST_BAND = 16, 2**18
"""A kernel is taken as a band where its rows are shorter than so many values, so that copying
patches would cost more than the product, and the band has at most so many cells."""


class Maps:
    """Values of the prefixes alive: each prefix's is ``values[rows]``; ``rows`` None is identity.

    A value that some bits did not touch is held once for all prefixes that share it.
    """

    def __init__(self, values: Floats, rows: npt.NDArray[np.int64] | None = None) -> None:
        self.values, self.rows = values, rows

    def follow(self, parents: npt.NDArray[np.int64]) -> None:
        """The prefixes became their children."""
        self.rows = parents if self.rows is None else self.rows[parents]

    def take(self, prefixes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of ``values`` of some prefixes."""
        return prefixes if self.rows is None else self.rows[prefixes]

    def aligned(self) -> Floats:
        """Values with one row a prefix."""
        return self.values if self.rows is None else self.values[self.rows]


class FastLayer:
    """A frozen layer whose sums are matrix products.

    Parameters:
        pool: edge of a max pool to take over the sums, 1 for none.
        bound: largest magnitude of a sum; that of the layer when None.
    """

    def __init__(
        self,
        network: FrozenNetwork,
        layer: FrozenLayer,
        source: Value,
        pool: int,
        bound: int | None = None,
    ) -> None:
        self.layer, self.pool, self.source = layer, pool, source
        self.bound = layer.sum_bound if bound is None else bound
        exact = self.bound < SINGLE_EXACT
        self.dtype: type[np.floating[Any]] = np.float32 if exact else np.float64
        self.network = network
        cells = 2 * layer.weights.astype(np.int64) - 1
        self.sign = np.ones(len(cells), dtype=self.dtype)
        if isinstance(layer.output, Threshold):
            folded = fold(layer, network.scale_frac_bits, self.bound)
            self.sign = folded.sign.astype(self.dtype)
            cells = cells * folded.sign[:, None]
            self.thresholds = tuple(
                np.moveaxis(side, 0, -1).astype(self.dtype)
                for side in (folded.kept, folded.dropped)
            )
        self.edge = source.shape[-1] if len(source.shape) == 3 else 1
        self.banded = self._is_banded()
        self.matrix = self._matrix(cells).astype(self.dtype)

    def _is_banded(self) -> bool:
        window = self.layer.window
        if window is None:
            return False
        channels, width = self.source.shape[0], self.edge + 2 * window.padding
        cells = window.size * width * channels * window.outputs(self.edge) * len(self.layer.scale)
        return window.size * channels < SHORT_RUN < self.edge and cells <= MOST_BAND

    def _matrix(self, cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Cells (C_out, fan-in) as the right factor of the product."""
        window, outputs = self.layer.window, len(cells)
        if window is None:
            if len(self.source.shape) == 3:
                cells = cells.reshape(outputs, *self.source.shape).transpose(0, 2, 3, 1)
            return cells.reshape(outputs, -1).T
        kernel = cells.reshape(outputs, -1, window.size, window.size).transpose(2, 3, 1, 0)
        return self._band(kernel, window) if self.banded else kernel.reshape(-1, outputs)

    def _band(self, kernel: npt.NDArray[np.int64], window: Window) -> npt.NDArray[np.int64]:
        """(K * padded width * C_in, positions of one row * C_out): a whole row of outputs in one
        product, mostly zeros, for kernels too thin to copy patch by patch."""
        size, channels, outputs = kernel.shape[0], kernel.shape[2], kernel.shape[3]
        width, count = self.edge + 2 * window.padding, window.outputs(self.edge)
        band = np.zeros((size, width, channels, count, outputs), dtype=np.int64)
        for at in range(count):
            left = at * window.stride
            band[:, left : left + size, :, at] = kernel
        return band.reshape(size * width * channels, count * outputs)

    @property
    def row_bytes(self) -> int:
        """Bytes that one prefix takes while its sums are formed."""
        window, item = self.layer.window, np.dtype(self.dtype).itemsize
        if window is None:
            return item * (self.layer.in_features + self.layer.out_features)
        positions = window.outputs(self.source.shape[1]) * window.outputs(self.source.shape[2])
        patch = 0 if self.banded else self.layer.in_features
        return item * positions * (patch + self.layer.out_features)

    def split(self, maps: Maps, split: Split) -> Maps:
        """Sums of what is stored, each once; then both outcomes of the layer's bit."""
        sums = self._pooled(self.sums(maps.values))
        kept, dropped = (sums[maps.take(side)] for side in (split.kept, split.dropped))
        if isinstance(self.layer.output, Threshold):
            return Maps(self._codes(kept, dropped))
        one = np.full_like(self.layer.scale, 1 << self.network.scale_frac_bits)
        sides = ((kept, self.layer.scale), (dropped, one))
        return Maps(np.concatenate([self._affine(side, scale) for side, scale in sides]))

    def sums(self, values: Floats) -> Floats:
        """(N, features) or (N, H, W, C) to the sums (N, C_out) or (N, OH, OW, C_out); their sign is
        turned where that of the folded threshold is."""
        window = self.layer.window
        if window is None:
            flat = values.reshape(len(values), -1)
            return self._product(flat.astype(self.dtype, copy=False))
        padded = self._padded(values, window.padding)
        view = band_view(padded, window) if self.banded else patch_view(padded, window)
        sums = [self._product(part) for part in pieces(view)]
        shape = (*view.shape[:2], -1, self.layer.out_features)
        return (sums[0] if len(sums) == 1 else np.concatenate(sums)).reshape(shape)

    def _product(self, patches: Floats) -> Floats:
        result: Floats = patches.reshape(-1, len(self.matrix)) @ self.matrix
        return result

    def _padded(self, values: Floats, padding: int) -> Floats:
        if padding == 0:
            return np.ascontiguousarray(values, dtype=self.dtype)
        count, height, width, channels = values.shape
        shape = (count, height + 2 * padding, width + 2 * padding, channels)
        padded = np.zeros(shape, dtype=self.dtype)
        padded[:, padding:-padding, padding:-padding] = values
        return padded

    def _pooled(self, sums: Floats) -> Floats:
        return sums if self.pool == 1 else max_pool(sums, self.pool)

    def _codes(self, kept: Floats, dropped: Floats) -> Floats:
        """Odd integers of the codes, kept side first."""
        sides = list(zip((kept, dropped), self.thresholds, strict=True))
        if self.thresholds[0].ndim == 1:
            bits = np.empty((len(kept) + len(dropped), *kept.shape[1:]), dtype=bool)
            np.greater_equal(kept, sides[0][1], out=bits[: len(kept)])
            np.greater_equal(dropped, sides[1][1], out=bits[len(kept) :])
            values = bits.astype(np.float32)
            values *= 2
            values -= 1
            return values
        levels = len(self.thresholds[0])
        codes = [
            sum(((side >= level).astype(np.float32) for level in thresholds), np.float32(0))
            for side, thresholds in sides
        ]
        return np.asarray(2 * np.concatenate(codes) - np.float32(levels))

    def _affine(self, sums: Floats, scale: npt.NDArray[np.int64]) -> Floats:
        """``gain * scale * s + offset``, rounded for a stream; in float64 where that is exact."""
        output = self.layer.output
        assert isinstance(output, Head | Stream)
        shift = self.network.stream_shift(output) if isinstance(output, Stream) else 0
        half = 1 << (shift - 1) if shift else 0
        bound = output.bound(scaled_bound(self.bound, self.network.scale_bits)) + half
        if bound < DOUBLE_EXACT:
            unit = 2.0**-shift
            result: Floats = sums * (output.gain * scale * unit)
            result += (output.offset + half) * unit
            np.floor(result, out=result)
        else:
            whole = sums.astype(np.int64) * (output.gain * scale) + (output.offset + half)
            result = whole >> shift
        if isinstance(output, Head):
            return result
        return np.asarray(saturate(result, self.network.stream_bits), dtype=np.float64)


def between(network: FrozenNetwork, node: Node, inputs: list[Maps]) -> Maps:
    """What a node without weights makes of its inputs."""
    first = inputs[0].values
    match node:
        case Add():
            total = inputs[0].aligned() + inputs[1].aligned()
            return Maps(np.asarray(saturate(total, network.stream_bits)))
        case Concat():
            return Maps(np.concatenate([value.aligned() for value in inputs], axis=-1))
        case MaxPool(size=size):
            result = max_pool(first, size)
        case SumPool():
            result = first.sum(axis=(1, 2), dtype=np.float64)
        case Upsample(factor=factor):
            result = first.repeat(factor, axis=1).repeat(factor, axis=2)
        case Subsample(stride=stride, channels=channels):
            some = first[:, ::stride, ::stride]
            result = np.pad(some, [(0, 0)] * 3 + [(0, channels - some.shape[3])])
        case Quantise(planes=planes):
            result = _quantised(first, network.stream_frac_bits, planes)
        case _:
            raise AssertionError(node)
    return Maps(result, inputs[0].rows)


def _quantised(stream: Floats, frac_bits: int, planes: int) -> Floats:
    """:func:`scaledrop.numbers.stream_code`, decoded, on whole numbers held as floats."""
    if planes == 1:
        return np.where(stream >= 0, np.float32(1), np.float32(-1))
    steps = np.floor((stream + 2.0**frac_bits) * 2.0 ** (planes - 1 - frac_bits))
    codes = np.clip(steps, 0, (1 << planes) - 1)
    return np.asarray(2 * codes - ((1 << planes) - 1), dtype=np.float32)
