# SPDX-License-Identifier: Apache-2.0
"""Which masks a prediction averages over: drawn passes, given ones, all, or the most probable."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.numbers import DROP_BITS
from scaledrop.spin import masks_from_codes, uniform_words

__all__ = ["Exact", "Given", "MaskSource", "Masks", "Passes", "Probable", "Sampling"]

MAX_EXACT_LAYERS = 16
Codes = Sequence[int]


@dataclass(frozen=True, eq=False)
class Masks:
    """A block of passes.

    Attributes:
        bits: (N, T, L), 1 keeps the scale.
        weights: (T,) of the passes in the mean.
    """

    bits: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.float64]


class MaskSource:
    """What a sampling becomes for one network: blocks of masks, and what they promise.

    Attributes:
        passes: T, over all blocks.
        bound: see :class:`scaledrop.prediction.Prediction`.
    """

    passes: int
    bound: float = 1.0

    def block(self, images: slice, passes: slice) -> Masks:
        """Masks of some images and passes; both slices have a start and a stop."""
        raise NotImplementedError


@dataclass(frozen=True)
class Passes:
    """T passes drawn as the spin unit draws them: one 16-bit word a layer and pass, by image, then
    pass, then layer (:mod:`scaledrop.spin`).

    Attributes:
        count: T.
        seed: of the words.
        shared: evaluate every distinct prefix once; the result is the same, only sooner.
    """

    count: int = 20
    seed: int = 0
    shared: bool = True

    def source(self, codes: Codes, images: int) -> MaskSource:
        for name, value, low in (("count", self.count, 1), ("seed", self.seed, 0)):
            if type(value) is not int or value < low:
                raise UserError(f"{name}: must be a whole number, {low} or more, not {value!r}")
        return _Drawn(codes, self.count, self.seed)


@dataclass(frozen=True, eq=False)
class Given:
    """Masks from outside: (N, T, L) bits, one set of passes an image."""

    masks: npt.NDArray[np.integer] = field(repr=False)
    shared: bool = True

    def source(self, codes: Codes, images: int) -> MaskSource:
        masks = np.asarray(self.masks)
        shape = (images, *masks.shape[1:2], len(codes))
        if masks.shape != shape or masks.ndim != 3 or masks.shape[1] < 1:
            raise UserError(f"masks: shape must be ({images}, T, {len(codes)}), not {masks.shape}")
        if not np.isin(masks, (0, 1)).all():
            raise UserError("masks: must be 0 or 1")
        return _Fixed(masks.astype(np.uint8, copy=False))


@dataclass(frozen=True)
class Exact:
    """Every mask with its probability: what T passes converge to. For networks of few layers."""

    shared: bool = field(default=True, init=False)

    def source(self, codes: Codes, images: int) -> MaskSource:
        layers = len(codes)
        if layers > MAX_EXACT_LAYERS:
            raise UserError(
                f"exact: {layers} layers have 2^{layers} masks, at most 2^{MAX_EXACT_LAYERS} are "
                "visited; use Probable, which bounds what it leaves out"
            )
        index = np.arange(2**layers)[:, None] >> np.arange(layers - 1, -1, -1)
        bits = (index & 1 ^ 1).astype(np.uint8)
        chances = [_chance(mask, codes) for mask in bits.tolist()]
        live = np.array([chance > 0 for chance in chances])
        return _Weighted(bits[live], [chance for chance in chances if chance > 0])


@dataclass(frozen=True)
class Probable:
    """Masks in order of probability, until so many were visited or so little is left out.

    Attributes:
        masks: at most so many.
        mass: stop once the probability left out is at most this.
    """

    masks: int = 1024
    mass: float = 0.0
    shared: bool = field(default=True, init=False)

    def source(self, codes: Codes, images: int) -> MaskSource:
        if type(self.masks) is not int or self.masks < 1:
            raise UserError(f"masks: must be a whole number, 1 or more, not {self.masks!r}")
        if not 0.0 <= self.mass < 1.0:
            raise UserError(f"mass: must be in [0, 1), not {self.mass}")
        bits, chances, left = [], [], Fraction(1)
        for mask in in_order(codes):
            bits.append(mask)
            chances.append(_chance(mask, codes))
            left -= chances[-1]
            if len(bits) == self.masks or left <= self.mass:
                break
        order = np.lexsort(np.array(bits).T[::-1])[::-1]
        return _Weighted(np.array(bits, dtype=np.uint8)[order], [chances[i] for i in order])


Sampling = Passes | Given | Exact | Probable


def _chance(mask: Sequence[int], codes: Codes) -> Fraction:
    """Probability of a mask, exactly."""
    top = 1 << DROP_BITS
    product = math.prod(top - code if bit else code for bit, code in zip(mask, codes, strict=True))
    return Fraction(product, top ** len(codes))


def in_order(codes: Codes) -> Iterator[list[int]]:
    """Every mask of more than no probability, the most probable first.

    From the most probable mask, bits are turned over in the order of what that costs; each set of
    turned bits is reached from one other set only, so a heap visits them in order.
    """
    top = 1 << DROP_BITS
    best = [int(2 * code <= top) for code in codes]
    rank = sorted(
        (layer for layer in range(len(codes)) if 0 < codes[layer] < top),
        key=lambda layer: (-min(codes[layer], top - codes[layer]), layer),
    )
    heap: list[tuple[Fraction, tuple[int, ...]]] = [(-_chance(best, codes), ())]
    while heap:
        _, turned = heapq.heappop(heap)
        yield _turned(best, rank, turned)
        last = turned[-1] if turned else -1
        if last + 1 < len(rank):
            longer = [(*turned, last + 1)] + ([(*turned[:-1], last + 1)] if turned else [])
            for one in longer:
                heapq.heappush(heap, (-_chance(_turned(best, rank, one), codes), one))


def _turned(best: list[int], rank: list[int], turned: tuple[int, ...]) -> list[int]:
    mask = list(best)
    for at in turned:
        mask[rank[at]] ^= 1
    return mask


class _Drawn(MaskSource):
    def __init__(self, codes: Codes, passes: int, seed: int) -> None:
        self.codes, self.passes, self.seed = codes, passes, seed

    def block(self, images: slice, passes: slice) -> Masks:
        layers, count = len(self.codes), passes.stop - passes.start
        if count == self.passes:
            words = self._words(images.start, 0, (images.stop - images.start) * count * layers)
        else:
            rows = range(images.start, images.stop)
            words = np.concatenate([self._words(row, passes.start, count * layers) for row in rows])
        bits = masks_from_codes(self.codes, words).reshape(-1, count, layers)
        return Masks(bits, np.ones(count))

    def _words(self, image: int, at: int, count: int) -> npt.NDArray[np.uint16]:
        start = (image * self.passes + at) * len(self.codes)
        return uniform_words(self.seed, count, start)


class _Fixed(MaskSource):
    def __init__(self, masks: npt.NDArray[np.uint8]) -> None:
        self.masks, self.passes = masks, masks.shape[1]

    def block(self, images: slice, passes: slice) -> Masks:
        bits = self.masks[images, passes]
        return Masks(bits, np.ones(bits.shape[1]))


class _Weighted(MaskSource):
    """The same masks for every image, each with its probability."""

    def __init__(self, bits: npt.NDArray[np.uint8], chances: list[Fraction]) -> None:
        self.bits, self.passes = bits, len(bits)
        self.weights = np.array([float(chance) for chance in chances])
        left = 1 - sum(chances, Fraction(0))
        self.bound = math.nextafter(float(left), 1.0) if left else 0.0

    def block(self, images: slice, passes: slice) -> Masks:
        bits, count = self.bits[passes], images.stop - images.start
        shape = (count, *bits.shape)
        return Masks(np.broadcast_to(bits, shape), self.weights[passes])
