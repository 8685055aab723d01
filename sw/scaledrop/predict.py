# SPDX-License-Identifier: Apache-2.0
"""One call from images to predictions, on any evaluator and over any masks."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.fast_engine import FastEngine
from scaledrop.frozen import FrozenNetwork
from scaledrop.prediction import Prediction, Totals
from scaledrop.sampling import MaskSource, Passes, Sampling
from scaledrop.sharing import Plan, separate_plan, shared_plan
from scaledrop.workers import in_chunks

__all__ = ["Evaluator", "predict"]

MEMORY = 2**28
"""Bytes that the prefixes alive at one time may take, for each core."""


class Evaluator(Protocol):
    """What can evaluate a plan: the integer engine, or a PyTorch network.

    Attributes:
        drop_codes: dropout probabilities of the layers, times ``2**16``.
        frac_bits: unit of a logit is ``2**-frac_bits``.
        chunk_images: images that are best evaluated together.
        prefix_bytes: memory of one prefix at its largest.
        parallel: whether chunks may run in several threads.
    """

    @property
    def drop_codes(self) -> tuple[int, ...]: ...
    @property
    def frac_bits(self) -> int: ...
    @property
    def chunk_images(self) -> int: ...
    @property
    def prefix_bytes(self) -> int: ...
    @property
    def parallel(self) -> bool: ...
    def images(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Images checked, one a row."""

    def leaf_logits(self, images: npt.NDArray[Any], plan: Plan) -> npt.NDArray[Any]:
        """(leaves, ..., K)."""


def predict(
    model: FrozenNetwork | Evaluator,
    images: npt.NDArray[Any],
    sampling: Sampling | None = None,
) -> Prediction:
    """Predictions with their uncertainty.

    Beside the images themselves, one or two bytes a pixel, memory is bounded for any number of
    images and passes: both are taken in blocks.

    Args:
        model: a frozen network, which runs on the fast integer engine, or an evaluator such as
            :class:`scaledrop.nn.TorchEvaluator`.
        images: (N, *shape) unsigned pixels, N >= 1.
        sampling: :class:`Passes` (20 of seed 0 when None), :class:`Given`, :class:`Exact` or
            :class:`Probable`, all of :mod:`scaledrop.sampling`.

    Raises:
        UserError: wrong images, or a sampling that the network does not allow.
    """
    evaluator: Evaluator = FastEngine(model) if isinstance(model, FrozenNetwork) else model
    chosen = sampling or Passes()
    pixels = evaluator.images(images)
    if len(pixels) == 0:
        raise UserError("images: is empty; give one or more")
    source = chosen.source(evaluator.drop_codes, len(pixels))
    size, passes = _blocks(evaluator, source)
    plan_of = shared_plan if chosen.shared else separate_plan

    def chunk(rows: slice) -> Prediction:
        totals = Totals()
        for at in range(0, source.passes, passes):
            masks = source.block(rows, slice(at, min(at + passes, source.passes)))
            plan = plan_of(masks.bits)
            leaves = evaluator.leaf_logits(pixels[rows], plan)
            totals.add(leaves, plan.leaves, masks.weights, evaluator.frac_bits)
        return totals.prediction(source.bound)

    return Prediction.joined(in_chunks(len(pixels), size, chunk, evaluator.parallel))


def _blocks(evaluator: Evaluator, source: MaskSource) -> tuple[int, int]:
    """Images and passes of a block: the same for every plan and every number of cores."""
    alive = max(1, MEMORY // evaluator.prefix_bytes)
    images = int(np.clip(alive // source.passes, 1, evaluator.chunk_images))
    return images, int(np.clip(alive // images, 1, source.passes))
