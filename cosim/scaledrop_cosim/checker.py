# SPDX-License-Identifier: Apache-2.0
"""The one test body: any back end against the golden model, every bit, with ``==``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.engine import infer
from scaledrop.events import EventCounts, predict_events
from scaledrop.mapping import NetworkMapping
from scaledrop.monitors import MonitorFlag
from scaledrop.numbers import argmax
from scaledrop.record import PassRecord
from scaledrop.schedule import PipelineTiming, predict_cycles
from scaledrop_cosim.contract import Observation, Workload
from scaledrop_cosim.diff import first_difference

__all__ = ["CheckReport", "check", "failed"]


@dataclass
class CheckReport:
    """What was compared and what differed.

    Attributes:
        backend: Name of the back end.
        checked: Kind -> values compared. Bits are counted one by one.
        mismatches: Kind -> values that differ.
        first: The first difference in words, or None.
        predicted: Event counts that the mapping predicts, when the back end counts.
        skipped: Kind -> why it was not compared.
    """

    backend: str
    checked: dict[str, int] = field(default_factory=dict)
    mismatches: dict[str, int] = field(default_factory=dict)
    first: str | None = None
    predicted: EventCounts | None = None
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.total_mismatches == 0 and self.total_checked > 0

    @property
    def total_checked(self) -> int:
        return sum(self.checked.values())

    @property
    def total_mismatches(self) -> int:
        return sum(self.mismatches.values())

    def add(self, kind: str, expected: npt.ArrayLike, found: npt.ArrayLike) -> None:
        """Compare two arrays of equal shape."""
        one, other = np.asarray(expected), np.asarray(found)
        if one.shape != other.shape:
            raise ValueError(f"{kind}: shape {other.shape}, expected {one.shape}")
        self.checked[kind] = self.checked.get(kind, 0) + one.size
        self.mismatches[kind] = self.mismatches.get(kind, 0) + int((one != other).sum())

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        if self.ok:
            skipped = "".join(f"; no {kind}: {why}" for kind, why in self.skipped.items())
            return f"{self.backend}: {self.total_checked} values equal{skipped}"
        if self.total_checked == 0 and self.first is None:
            return f"{self.backend}: nothing was compared"
        return f"{self.backend}: {self.total_mismatches} values differ; first: {self.first}"


def failed(backend: str, reason: str) -> CheckReport:
    """Report of a back end that did not produce a complete record."""
    return CheckReport(backend, {}, {"record": 1}, reason)


SHOWN = {"hidden_bits": "hidden", "masks": "masks", "logits": "logits", "squares": "squares"}
"""Kinds of values that a back end may not show, and where a record has them."""


def _add_record(report: CheckReport, expected: PassRecord, found: PassRecord) -> None:
    for one, other in zip(expected.hidden, found.hidden, strict=True):
        report.add("hidden_bits", one, other)
    for kind in ("logits", "sums", "squares", "votes"):
        if kind not in report.skipped:
            report.add(kind, getattr(expected, kind), getattr(found, kind))


def _add_results(report: CheckReport, observation: Observation, weight: int) -> None:
    """What the hardware made of its sums: the predicted class, the covered weight, no abstention
    where no rule was given."""
    record, verdict = observation.record, observation.verdict
    classes = record.sums.shape[-1]
    expected = {
        "predicted": np.repeat(argmax(record.sums)[:, None], classes, axis=1),
        "covered": np.full((record.images, classes), weight),
        "abstain": np.zeros((record.images, classes), dtype=np.int64),
    }
    for name, values in expected.items():
        report.add(name, values, verdict[name])
        if report.first is None and not np.array_equal(values, verdict[name]):
            image, label = np.argwhere(values != verdict[name])[0].tolist()
            found, wanted = verdict[name][image, label], values[image, label]
            where = f"image {image}, class {label}"
            report.first = f"{where}: {name} is {found}, expected {wanted}"


def _add_counters(
    report: CheckReport,
    workload: Workload,
    mapping: NetworkMapping,
    timing: PipelineTiming | None,
    observation: Observation,
    folded: bool,
) -> None:
    walks = observation.walks
    cycles = None if timing is None else predict_cycles(mapping, walks, timing)
    predicted = predict_events(mapping, workload.images, walks, cycles, folded)
    assert observation.counters is not None
    report.predicted = predicted
    for layer, events in predicted.items():
        for event, count in events.items():
            found = observation.counters[layer][event]
            report.add("counters", count, found)
            if found != count and report.first is None:
                report.first = f"counter {event} of layer {layer} is {found}, expected {count}"


def check(
    backend: str,
    workload: Workload,
    observation: Observation,
    mapping: NetworkMapping | None = None,
    timing: PipelineTiming | None = None,
    folded: bool = False,
) -> CheckReport:
    """Compare an observation with the golden model.

    The model is fed with the masks that the back end *observed*; those masks are compared with the
    ones that the seed must give, so that neither a wrong bit nor a wrong use of a bit can hide. To
    a back end that shows no masks apply those of the seed.
    Counters and device writes are compared where the back end has them. What it does not show is
    named in the report.

    Args:
        mapping: Needed when the observation has counters.
        timing: Pipeline latencies; None leaves the cycle counters unchecked, as they must be when
            gaps or back-pressure disturb the run.
        folded: The back end has the folded datapath, which reads and multiplies no scales.
    """
    found = observation.record
    report = CheckReport(backend, skipped=dict(observation.unseen))
    masks = found.masks
    if "masks" in report.skipped:
        masks = workload.masks
    else:
        report.add("masks", workload.masks, masks)
    golden = infer(workload.network, workload.images, masks, workload.crossbar_sum)
    expected = PassRecord.of_passes(workload.masks, golden.hidden, golden.logits, workload.weights)
    absent = [name for kind, name in SHOWN.items() if kind in report.skipped]
    expected = replace(expected, **{name: getattr(found, name) for name in absent})
    _add_record(report, expected, found)
    difference = first_difference(workload.network, expected, found)
    report.first = None if difference is None else str(difference)
    if observation.device_writes is not None:
        report.add("device_writes", workload.writes, observation.device_writes)
        if observation.device_writes != workload.writes and report.first is None:
            report.first = (
                f"the spin unit was written {observation.device_writes} times, "
                f"expected {workload.writes}"
            )
    if observation.monitors is not None:
        fired = observation.monitors
        if workload.spin is not None:
            # A device that drifts is what these are there for.
            fired &= (1 << MonitorFlag.RUN_KEPT) - 1
        report.add("monitors", 0, fired)
        if fired and report.first is None:
            raised = [flag.name for flag in MonitorFlag if fired >> flag & 1]
            report.first = f"monitors fired: {', '.join(raised)}"
    if observation.verdict:
        _add_results(report, observation, int(workload.weights.sum()))
    if observation.counters is not None and mapping is not None:
        _add_counters(report, workload, mapping, timing, observation, folded)
    return report
