# SPDX-License-Identifier: Apache-2.0
"""The walk over prefixes of mask bits: which visits an image takes, in which order and weight.

A *visit* evaluates one layer for one *path*, the bits of the layers before it (bit j of the integer
is layer j's; 1 keeps the scale). Both of its outcomes come out of one crossbar sum. It is reached
by a *weight*, splits it between the outcomes, and the walk goes on depth first, the kept side
before the dropped one. An outcome of the last layer is a *leaf*: one network with its weight.

* ``shared``: T passes wait at the first layer. A visit draws a bit for each pass that waits there,
  the i-th bit for the i-th pass; on each side passes keep their order.
* ``passes``: the same with one pass waiting, T times over.
* ``exact``: no bits. The weight is probability mass in units of ``2**-MASS_BITS``, of which
  ``weight * drop_code >> 16`` drops the scale. A side is pruned, its weight 0, when no leaf behind
  it has at least the ``cutoff``; the heavier side of a visit (ties: the kept one) never is. So
  every visit leads to a leaf, the heaviest leaf of all is always there, and so are all that have
  the cutoff. What the leaves lack to ``MASS`` is the mass left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import numpy as np
import numpy.typing as npt

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.mass import MASS, MASS_BITS, least_cutoff, split
from scaledrop.spin import masks_from_codes

__all__ = [
    "MASS",
    "MASS_BITS",
    "MAX_PASSES",
    "Inference",
    "Mode",
    "Visit",
    "leaves",
    "masks_of",
    "walk",
    "walk_draws",
    "walk_words",
]

MAX_PASSES = 65535

Codes = Sequence[int]
Bits = tuple[int, ...]
Draw = Callable[[int, int], Bits]
Outcomes = Callable[[int, int], tuple[int, int, Bits]]
"""Of a layer and the weight that reaches it: weight kept, weight dropped, bits drawn."""


class Mode(StrEnum):
    """Which networks are averaged; the accelerator knows them by their place here."""

    PASSES = "passes"
    SHARED = "shared"
    EXACT = "exact"

    @classmethod
    def named(cls, text: str) -> Mode:
        """The mode of that name.

        Raises:
            UserError: there is none; the text lists the known ones.
        """
        if text not in list(cls):
            raise UserError(f"mode: must be one of {', '.join(cls)}, not {text!r}")
        return cls(text)


@dataclass(frozen=True)
class Inference:
    """How an image is inferred.

    Attributes:
        mode: which networks are averaged; a :class:`Mode` or its name.
        passes: T of ``passes`` and ``shared``, 1 to 65535.
        masks: ``exact`` visits at most so many masks, the most probable ones; 0 is all.

    Raises:
        UserError: a value out of range, or an unknown mode.
    """

    mode: Mode = Mode.PASSES
    passes: int = 20
    masks: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", Mode.named(self.mode))
        check_integer(self.passes, 1, MAX_PASSES, "passes")
        if type(self.masks) is not int or self.masks < 0:
            raise UserError(f"masks: must be a whole number, 0 or more, not {self.masks!r}")

    def cutoff(self, codes: Codes) -> int:
        """The least cutoff at which ``exact`` visits at most ``masks`` leaves; 0 for all of them.

        Masks of equal weight at the limit are all left out, but for the one that always stays.
        """
        limited = self.mode is Mode.EXACT and 0 < self.masks < 1 << len(codes)
        return least_cutoff(tuple(codes), self.masks) if limited else 0


@dataclass(frozen=True, slots=True)
class Visit:
    """One evaluation of one layer.

    Attributes:
        layer, path: what is evaluated.
        kept, dropped: weight of each outcome.
        bits: drawn here, in order; none in ``exact``.
        first: no visit of the last layer came before this one.
        last: no visit of the image comes after it.
    """

    layer: int
    path: int
    kept: int
    dropped: int
    bits: Bits
    first: bool
    last: bool


def _visits(layers: int, roots: int, weight: int, outcomes: Outcomes) -> Iterator[Visit]:
    """``roots`` walks one after another, each reached by ``weight``."""
    first = True
    for root in range(roots, 0, -1):
        stack = [(0, 0, weight)]
        while stack:
            layer, path, reached = stack.pop()
            kept, dropped, bits = outcomes(layer, reached)
            below = layer + 1
            if below < layers:
                if dropped:
                    stack.append((below, path, dropped))
                if kept:
                    stack.append((below, path | 1 << layer, kept))
            yield Visit(layer, path, kept, dropped, bits, first, root == 1 and not stack)
            first = first and below < layers


def walk_draws(inference: Inference, layers: int, draw: Draw) -> Iterator[Visit]:
    """Visits of one image whose bits are drawn as they are needed, in ``passes`` or ``shared``.

    Args:
        draw: Gives so many mask bits of a layer.

    Raises:
        UserError: it gives fewer.
    """

    def outcomes(layer: int, weight: int) -> tuple[int, int, Bits]:
        bits = draw(layer, weight)
        if len(bits) != weight:
            raise UserError(f"bits: layer {layer} needs {weight} and {len(bits)} are left")
        kept = sum(bits)
        return kept, weight - kept, bits

    shared = inference.mode is Mode.SHARED
    roots, weight = (1, inference.passes) if shared else (inference.passes, 1)
    return _visits(layers, roots, weight, outcomes)


def walk(
    inference: Inference, codes: Codes, bits: Iterable[int] = (), cutoff: int | None = None
) -> Iterator[Visit]:
    """Visits of one image.

    Args:
        codes: drop code of each layer.
        bits: mask bits in the order in which they are drawn; no more are taken than are needed.
        cutoff: of ``exact``, instead of the one that follows from ``inference.masks``.

    Raises:
        UserError: too few bits.
    """
    if inference.mode is Mode.EXACT:
        floor = inference.cutoff(codes) if cutoff is None else cutoff
        return _visits(
            len(codes), 1, MASS, lambda layer, mass: (*split(codes, layer, mass, floor), ())
        )
    drawn = iter(bits)
    return walk_draws(inference, len(codes), lambda _, count: tuple(map(int, islice(drawn, count))))


def walk_words(
    inference: Inference, codes: Codes, words: npt.NDArray[np.uint16] | Sequence[int]
) -> Iterator[Visit]:
    """Visits of one image from the words of its write pulses: a bit is 0 below its layer's code.

    Raises:
        UserError: too few words.
    """
    drawn = iter(np.asarray(words, dtype=np.int64).tolist())

    def draw(layer: int, count: int) -> Bits:
        return tuple([int(word >= codes[layer]) for word in islice(drawn, count)])

    if inference.mode is Mode.EXACT:
        return walk(inference, codes)
    return walk_draws(inference, len(codes), draw)


def leaves(
    visits: Iterable[Visit], layers: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """What one image's walk averages: masks (n, L) and their weights (n,).

    Drawn passes come one by one, in their order, each of weight 1; in ``exact`` the leaves as they
    are visited.
    """
    paths: list[int] = []
    weights: list[int] = []
    waiting: dict[tuple[int, int], list[int]] = {}
    for visit in visits:
        layer, path, bits = visit.layer, visit.path, visit.bits
        kept_path, last = path | 1 << layer, layer == layers - 1
        if not bits:
            if last:
                sides = [(kept_path, visit.kept), (path, visit.dropped)]
                paths += [one for one, weight in sides if weight]
                weights += [weight for _, weight in sides if weight]
            continue
        if layer == 0:
            passes = list(range(len(paths), len(paths) + len(bits)))
            paths += [0] * len(bits)
        else:
            passes = waiting.pop((layer, path))
        for at, bit in zip(passes, bits, strict=True):
            below = kept_path if bit else path
            if last:
                paths[at] = below
            else:
                waiting.setdefault((layer + 1, below), []).append(at)
    masks = np.array(paths, dtype=object)[:, None] >> np.arange(layers).astype(object) & 1
    return masks.astype(np.uint8), np.array(weights or [1] * len(paths), dtype=np.int64)


def masks_of(
    inference: Inference, codes: Codes, words: npt.NDArray[np.uint16]
) -> npt.NDArray[np.uint8]:
    """Masks (N, T, L) that the words (N, T * L) make, in the order of :func:`leaves`.

    In ``exact`` the words are (N, 0), and every image has the same masks.

    Raises:
        UserError: too few words.
    """
    layers = len(codes)
    if inference.mode is Mode.PASSES:
        return masks_from_codes(codes, words).reshape(len(words), inference.passes, layers)
    if inference.mode is Mode.EXACT:
        masks, _ = leaves(walk(inference, codes), layers)
        return np.repeat(masks[None], len(words), axis=0)
    return np.stack([leaves(walk_words(inference, codes, row), layers)[0] for row in words])
