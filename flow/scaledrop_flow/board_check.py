# SPDX-License-Identifier: Apache-2.0
"""What a board said against the golden model, as far as its stochastic bits are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.array_shape import ArrayShape
from scaledrop.converter import Converter
from scaledrop.frozen import FrozenNetwork
from scaledrop.lfsr import lfsr_words
from scaledrop.mapping import NetworkMapping
from scaledrop.packets import Leaf
from scaledrop.tile_sums import mapping_sums
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.axi.frames import DeviceRun, observe_run
from scaledrop_cosim.capture import CaptureError
from scaledrop_cosim.checker import CheckReport, check, failed
from scaledrop_cosim.contract import Observation, Workload

__all__ = ["BoardChoices", "Masks", "compare_run", "words_of_leaves"]

NAME = "board"
DROPPED, KEPT = 0, 0xFFFF
"""Words that drop a scale, and keep it, whatever the drive code."""

Json = Mapping[str, Any]
Words = npt.NDArray[np.uint16]


class Masks(StrEnum):
    """What is known of the masks of a run."""

    FORESEEN = "foreseen"
    """The model draws the same: they are compared, and everything that follows from them."""
    OBSERVED = "observed"
    """The board's leaves show them; what follows from them is compared."""
    UNSEEN = "unseen"
    """Nothing can be compared."""

    @classmethod
    def known(cls, source: str, leaves: bool, choices: BoardChoices) -> Masks:
        """What is known with a source of bits, ``lfsr`` or ``ring``, and leaves or none."""
        if source == "lfsr" or choices.inference.mode is Mode.EXACT:
            return cls.FORESEEN
        return cls.OBSERVED if leaves else cls.UNSEEN


@dataclass(frozen=True)
class BoardChoices:
    """How images are inferred.

    Attributes:
        min_votes: Abstain where the predicted class has fewer; 0 never does.
    """

    inference: Inference = field(default_factory=Inference)
    min_votes: int = 0


@dataclass(frozen=True, eq=False)
class _DrawnWorkload(Workload):
    """A workload whose words are known otherwise than from its seed."""

    drawn: Words = field(kw_only=True)

    @cached_property
    def words(self) -> Words:
        return self.drawn


def words_of_leaves(leaves: Sequence[Leaf], layers: int, inference: Inference) -> Words:
    """Words, in the order of drawing, of which an image's walk has these leaves.

    Passes of one leaf cannot be told apart, so of a visit's bits the kept ones come first.
    """
    if inference.mode is Mode.PASSES:
        bits = [leaf.path >> layer & 1 for leaf in leaves for layer in range(layers)]
    else:
        bits = list(_bits(leaves, 0, layers))
    return np.where(np.array(bits, dtype=bool), KEPT, DROPPED).astype(np.uint16)


def _bits(leaves: Sequence[Leaf], layer: int, layers: int) -> list[int]:
    """Bits of the visits below one, kept sides first."""
    if layer == layers or not leaves:
        return []
    kept = [leaf for leaf in leaves if leaf.path >> layer & 1]
    dropped = [leaf for leaf in leaves if not leaf.path >> layer & 1]
    drawn = [1] * sum(leaf.weight for leaf in kept) + [0] * sum(leaf.weight for leaf in dropped)
    return [*drawn, *_bits(kept, layer + 1, layers), *_bits(dropped, layer + 1, layers)]


def _mapping(sidecar: Json, network: FrozenNetwork) -> NetworkMapping:
    values = sidecar["parameters"]
    converter = Converter(**values["converter"]) if "converter" in values else None
    array = ArrayShape(values["rows"], values["columns"], values["lanes"], converter)
    return NetworkMapping(network, array, values["convolution"])


def _words(
    run: DeviceRun, masks: Masks, seed: int, layers: int, inference: Inference
) -> npt.NDArray[np.uint16]:
    if inference.mode is Mode.EXACT:
        return np.zeros(0, dtype=np.uint16)
    count = len(run.frames) * inference.passes * layers
    if masks is Masks.FORESEEN:
        return lfsr_words(seed, count)
    parts = [words_of_leaves(frame.leaves, layers, inference) for frame in run.frames]
    words: Words = np.concatenate(parts)
    if len(words) != count:
        raise CaptureError(f"the leaves tell of {len(words)} bits, {count} expected")
    return words


def _with_rule(observed: Observation, run: DeviceRun, min_votes: int) -> Observation:
    """Abstentions that the rule does not ask for: what is compared knows of no rule."""
    results = [frame.result for frame in run.frames if frame.result is not None]
    wanted = [int(one.votes[one.predicted] < min_votes) for one in results]
    abstain = observed.verdict["abstain"] ^ np.array(wanted)[:, None]
    return replace(observed, verdict={**observed.verdict, "abstain": abstain})


def compare_run(
    run: DeviceRun,
    sidecar: Json,
    network: FrozenNetwork,
    pixels: npt.NDArray[np.int64],
    choices: BoardChoices,
    masks: Masks,
) -> CheckReport | None:
    """Every value that the board sent, with ``==``; None where masks are unseen.

    Args:
        run: Of a board that was reset before.
        sidecar: Of its demonstrator.
        pixels: (N, input_size).
    """
    if masks is Masks.UNSEEN:
        return None
    mapping, inference = _mapping(sidecar, network), choices.inference
    seed = sidecar["demonstrator"]["seed"] or 0
    try:
        workload = _DrawnWorkload(
            network,
            pixels,
            inference.passes,
            seed,
            inference=inference,
            crossbar_sum=mapping_sums(mapping),
            drawn=_words(run, masks, seed, len(network.layers), inference),
        )
        observed = _with_rule(observe_run(run, workload), run, choices.min_votes)
    except CaptureError as error:
        return failed(NAME, str(error))
    folded = sidecar["parameters"]["datapath"] == "folded"
    return check(NAME, workload, observed, mapping, None, folded)
