# SPDX-License-Identifier: Apache-2.0
"""Monitor: what was captured, as an observation of passes.

The walk decides what a captured value belongs to: a visit's values are those of every pass that its
path leads to. Order is part of the contract; anything out of place is an error of the accelerator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from scaledrop.layer_mapping import LayerMapping
from scaledrop.mapping import NetworkMapping
from scaledrop.record import PassRecord
from scaledrop.walk import Mode, Visit, leaves, walk
from scaledrop_cosim.capture import Capture, CaptureError, Fields
from scaledrop_cosim.contract import Observation, Workload

__all__ = ["observe"]

Integers = npt.NDArray[np.int64]


def _expect(what: str, found: npt.NDArray[np.integer], expected: Integers) -> None:
    """The labels must be ``expected``, all of them and no more."""
    if len(found) != len(expected):
        raise CaptureError(f"{what}: {len(found)} captured, {len(expected)} expected")
    if not np.array_equal(found, expected):
        at = int(np.argmax(found != expected))
        raise CaptureError(f"{what}: record {at} is of {found[at]}, expected {expected[at]}")


def _walks(workload: Workload, capture: Capture) -> list[list[Visit]]:
    """The walk of each image that the *observed* bits make; it must be what was observed."""
    drawn, codes = capture.drawn, [layer.drop_code for layer in workload.network.layers]
    if len(drawn["keep"]) != workload.bits:
        raise CaptureError(f"bits: {len(drawn['keep'])} drawn, {workload.bits} expected")
    bits: Iterator[int] = iter(drawn["keep"].tolist())
    walks = [list(walk(workload.inference, codes, bits)) for _ in workload.images]
    flat = [visit for visits in walks for visit in visits]
    for name in ("layer", "path", "kept", "dropped", "first", "last"):
        expected = np.array([int(getattr(visit, name)) for visit in flat], dtype=object)
        _expect(f"{name} of visits", capture.visits[name].astype(object), expected)
    layers = [visit.layer for visit in flat for _ in visit.bits]
    _expect("bits", drawn["layer"], np.array(layers, dtype=np.int64))
    return walks


def _outcomes(visit: Visit) -> list[int]:
    return [bit for bit, weight in ((1, visit.kept), (0, visit.dropped)) if weight > 0]


def _users(mode: Mode, visits: Sequence[Visit], masks: npt.NDArray[np.uint8]) -> list[Integers]:
    """Passes that each visit's path leads to."""
    layers = masks.shape[1]
    if mode is Mode.PASSES:
        return [np.array([at // layers]) for at in range(len(visits))]
    places = 1 << np.arange(layers, dtype=object)
    before = np.zeros((len(masks), layers + 1), dtype=object)
    before[:, 1:] = np.cumsum(masks.astype(object) * places, axis=1)
    return [np.flatnonzero(before[:, visit.layer] == visit.path) for visit in visits]


class _Beats:
    """The hidden layers' values, put where they belong."""

    def __init__(self, mapping: NetworkMapping, capture: Capture, runs: tuple[int, int]) -> None:
        self.mapping, self.fields = mapping, capture.hidden
        self.at = 0
        self.hidden = [
            np.zeros((*runs, *entry.result.shape), dtype=np.uint8) for entry in mapping.layers[:-1]
        ]

    def take(self, image: int, visit: Visit, users: Integers, masks: npt.NDArray[np.uint8]) -> None:
        mapped, outcomes = self.mapping.layers[visit.layer], _outcomes(visit)
        count = mapped.beat_count * len(outcomes)
        part = slice(self.at, self.at + count)
        self.at += count
        beats = np.repeat(np.arange(mapped.beat_count), len(outcomes))
        _expect("hidden layers", self.fields["layer"][part], np.full(count, visit.layer))
        _expect("hidden beats", self.fields["beat"][part], beats)
        _expect("hidden outcomes", self.fields["keep"][part], np.resize(outcomes, count))
        codes = self.fields["codes"][part]
        for index, bit in enumerate(outcomes):
            maps = _as_map(mapped, codes[index :: len(outcomes)])
            passes = users[masks[users, visit.layer] == bit]
            self.hidden[visit.layer][image, passes] = maps

    def finish(self) -> tuple[npt.NDArray[np.integer], ...]:
        if self.at != len(self.fields["layer"]):
            raise CaptureError(f"hidden: {len(self.fields['layer'])} captured, {self.at} expected")
        return tuple(self.hidden)


def _as_map(mapped: LayerMapping, codes: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """(beats, lanes) codes as the layer's result."""
    channels = codes.reshape(mapped.position_count, -1)[:, : mapped.layer.out_features]
    return channels.T.reshape(mapped.result.shape)


def _logits(
    workload: Workload,
    logits: Fields,
    walks: list[list[Visit]],
    users: list[list[Integers]],
    masks: npt.NDArray[np.uint8],
    lanes: int,
) -> Integers:
    """(N, T, K) logits, their labels and flags as they must be."""
    classes, last = workload.network.classes, len(workload.network.layers) - 1
    shape = (len(workload.images), masks.shape[1], classes)
    values = np.zeros(shape, dtype=np.int64)
    order = _leaf_order(walks, last, classes, lanes)
    for name, expected in order.items():
        _expect(f"{name} of logits", logits[name], expected)
    at = 0
    for image, visits in enumerate(walks):
        for visit, passes in zip(visits, users[image], strict=True):
            if visit.layer != last:
                continue
            outcomes = _outcomes(visit)
            part = slice(at, at + classes * len(outcomes))
            at = part.stop
            for bit in outcomes:
                mine = logits["keep"][part] == bit
                chosen = passes[masks[image, passes, last] == bit]
                values[image, chosen] = logits["value"][part][mine]
    return values


def _leaf_order(
    walks: list[list[Visit]], last: int, classes: int, lanes: int
) -> dict[str, Integers]:
    """Labels and flags of every logit: beat by beat, the kept leaf before the dropped one."""
    rows: list[tuple[int, ...]] = []
    for visits in walks:
        for visit in visits:
            if visit.layer != last:
                continue
            outcomes = _outcomes(visit)
            for beat in range(0, classes, lanes):
                for bit in outcomes:
                    weight = visit.kept if bit else visit.dropped
                    first = int(visit.first and bit == outcomes[0])
                    ends = visit.last and bit == outcomes[-1]
                    for label in range(beat, min(beat + lanes, classes)):
                        done = int(label == classes - 1)
                        rows.append((label, bit, weight, first, done, int(done and ends)))
    names = ("label", "keep", "weight", "first", "ends_leaf", "ends_image")
    table = np.array(rows, dtype=np.int64).reshape(-1, len(names))
    return dict(zip(names, table.T, strict=True))


def _results(results: Fields, images: int, classes: int) -> dict[str, Integers]:
    labels = np.tile(np.arange(classes), images)
    _expect("results", results["label"], labels)
    _expect("last flags of results", results["last"], (labels == classes - 1).astype(np.int64))
    return {name: values.reshape(images, classes) for name, values in results.items()}


def observe(capture: Capture, workload: Workload, mapping: NetworkMapping) -> Observation:
    """The observation, with masks from the bits that were observed.

    Raises:
        CaptureError: something is missing, too much, or out of order.
    """
    walks = _walks(workload, capture)
    layers = len(mapping.layers)
    rows = [leaves(visits, layers) for visits in walks]
    masks = np.stack([one for one, _ in rows])
    users = [
        _users(workload.inference.mode, visits, one)
        for visits, one in zip(walks, masks, strict=True)
    ]
    beats = _Beats(mapping, capture, (len(walks), masks.shape[1]))
    for image, visits in enumerate(walks):
        for visit, passes in zip(visits, users[image], strict=True):
            if visit.layer < layers - 1:
                beats.take(image, visit, passes, masks[image])
    lanes = mapping.array.lanes
    results = _results(capture.results, len(walks), mapping.network.classes)
    record = PassRecord(
        masks=masks,
        hidden=beats.finish(),
        logits=_logits(workload, capture.logits, walks, users, masks, lanes),
        sums=results["sum"],
        votes=results["votes"],
        squares=results["squares"],
        weights=rows[0][1],
    )
    return Observation(
        record,
        capture.counters,
        capture.device_writes,
        walks,
        {name: results[name] for name in ("predicted", "abstain", "covered")},
        capture.monitors,
    )
