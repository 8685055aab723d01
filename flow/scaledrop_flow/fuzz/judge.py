# SPDX-License-Identifier: Apache-2.0
"""What the checker does not know of: limits of abstention, records, the fast engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from scaledrop.analog import AnalogArray, AnalogEngine
from scaledrop.engine import infer
from scaledrop.fast_engine import FastEngine
from scaledrop.mapping import NetworkMapping
from scaledrop.walk import Visit
from scaledrop_cosim.capture import CaptureError, Fields
from scaledrop_cosim.checker import CheckReport
from scaledrop_cosim.contract import Observation, Workload
from scaledrop_flow.fuzz.build import Plan
from scaledrop_flow.fuzz.case import Case

__all__ = ["add_fast_engine", "add_records", "without_abstention"]

Integers = npt.NDArray[np.int64]


def without_abstention(case: Case, observation: Observation) -> Observation:
    """The flags that the limits must give are taken off: the checker expects zeros."""
    from scaledrop_hw.verdict import Verdict

    record, abstain = observation.record, observation.verdict["abstain"]
    limits = case.min_votes, case.min_margin
    pairs = zip(record.sums.tolist(), record.votes.tolist(), strict=True)
    expected = np.array([[Verdict.twin(*pair, *limits)[1]] for pair in pairs])
    return replace(observation, verdict={**observation.verdict, "abstain": abstain ^ expected})


def _leaves(visits: Sequence[Visit], layers: int) -> list[tuple[int, int]]:
    """Path, the last layer's bit included, and weight of each leaf, the kept one first."""
    return [
        (visit.path | bit << visit.layer, weight)
        for visit in visits
        if visit.layer == layers - 1
        for bit, weight in ((1, visit.kept), (0, visit.dropped))
        if weight
    ]


def _expected_records(workload: Workload) -> Integers:
    """(records, fields) in their order."""
    network, rows = workload.network, []
    layers, classes = len(network.layers), network.classes
    for image in range(len(workload.images)):
        leaves = _leaves(workload.visits(image), layers)
        masks = np.array([[[path >> at & 1 for at in range(layers)] for path, _ in leaves]])
        one = workload.images[image : image + 1]
        logits = infer(network, one, masks, workload.crossbar_sum).logits[0]
        for at, (path, weight) in enumerate(leaves):
            for label, value in enumerate(logits[at].tolist()):
                ends = label == classes - 1
                last = ends and at == len(leaves) - 1
                rows.append((path, weight, label, value, int(ends), int(last)))
    return np.array(rows, dtype=np.int64)


def add_records(report: CheckReport, workload: Workload, records: Fields) -> None:
    """Compare the records of every leaf.

    Raises:
        CaptureError: there are too few or too many.
    """
    expected = _expected_records(workload)
    found = np.stack([values.astype(np.int64) for values in records.values()], axis=1)
    if found.shape != expected.shape:
        raise CaptureError(f"records: {len(found)} captured, {len(expected)} expected")
    report.add("records", expected, found)
    if report.first is None and not np.array_equal(expected, found):
        at = int(np.argmax((expected != found).any(axis=1)))
        report.first = f"record {at} is {found[at].tolist()}, expected {expected[at].tolist()}"


def add_fast_engine(report: CheckReport, plan: Plan) -> None:
    """Compare the fast engine with the golden model on the way: it takes the same networks. With
    converters it is the analog one, its cells ideal."""
    workload, mapping = plan.workload, plan.mapping
    images, masks = workload.images, workload.masks
    expected = infer(workload.network, images, masks, workload.crossbar_sum).logits
    found = _fast(mapping).logits(images, masks)
    report.add("fast_logits", expected, found)
    if report.first is None and not np.array_equal(expected, found):
        report.first = "the fast engine gives other logits than the golden model"


def _fast(mapping: NetworkMapping) -> FastEngine:
    converter = mapping.array.converter
    if converter is None:
        return FastEngine(mapping.network)
    chip = AnalogArray(mapping.array)
    return AnalogEngine(mapping.network, chip, converter, mapping.convolution)
